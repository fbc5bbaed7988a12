"""The figure of the search for a set-up, before the claims: where is there an order to predict?"""

from __future__ import annotations

from bnlab.chapters.bn_nas.setups import COLUMNS, NETS, load
from bnlab.chapters.bn_nas.space import BASE
from bnlab.draw.figure import INK, Drawing, curve, draw, panel
from bnlab.verdicts.table import Table

CHANGED = COLUMNS[:4]
"""What the ways to train nets alone differ in."""

WORDS = dict(
    zip(CHANGED, ("{} steps", "rate {:g}", "width {}", "wrong labels: {:.0%}"), strict=True)
)


def setups() -> Drawing:
    """The search for a set-up: how well two trainings alone agree, by how good the nets are."""
    table = Table.of(load())
    places = table.distinct(*CHANGED)
    chosen = tuple(getattr(BASE, name) for name in CHANGED)
    found = {
        place: [
            float(table.where(**dict(zip(CHANGED, place, strict=True))).column(name).mean())
            for name in ("test", "ceiling")
        ]
        for place in places
    }
    axes = panel(f"We took the set-up with ceiling {found[chosen][1]:.2f}", (5.6, 3.7))
    for place, (test, most) in found.items():
        look = "batch" if place == chosen else "none"
        curve(axes, look, [100 * test], [most], ms=11 if place == chosen else 8)
        axes.annotate(
            _changed(place, chosen),
            (100 * test, most),
            textcoords="offset points",
            xytext=(0, 9),
            ha="center",
            fontsize=10,
        )
    axes.axhline(0, color=INK, lw=0.8)
    axes.margins(x=0.35, y=0.15)
    axes.set(xlabel="test accuracy of nets alone, %", ylabel="noise ceiling, τ")
    told = "; ".join(
        f"{_changed(place, chosen)}: accuracy {100 * test:.0f} %, ceiling {most:.2f}"
        for place, (test, most) in found.items()
    )
    alt = f"Noise ceiling against accuracy, for {len(places)} ways to train nets alone. {told}."
    seeds = len(table.distinct("seed"))
    caption = (
        f"Mean over {seeds} seeds that do not count, of {NETS} nets each, trained twice. "
        "Some of it was measured after the choice."
    )
    return draw([axes], alt, caption)


def _changed(place: tuple, chosen: tuple) -> str:
    """What differs from the set-up that was taken."""
    differ = [
        WORDS[name].format(value)
        for name, value, own in zip(CHANGED, place, chosen, strict=True)
        if value != own
    ]
    return ", ".join(differ) or "{} steps, rate {:g}".format(*chosen)
