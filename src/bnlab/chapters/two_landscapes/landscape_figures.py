"""The figures of the page: both landscapes side by side, and which net has the wider one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes

from bnlab.chapters.smoothness.figures import names_in_corner
from bnlab.chapters.two_landscapes.landscapes import (
    LISTS,
    NORMS,
    PREDICTED,
    band_ratio,
    curves,
    edges,
    facts,
    geometric_mean,
    listed,
    lost,
    range_ratio,
)
from bnlab.draw.figure import INK, Drawing, band, draw, panel, plain_log
from bnlab.draw.shown import Shown, fill, table
from bnlab.draw.style import STYLE
from bnlab.draw.words import power

SIZE = (4.4, 3.7)
ENDS = (0.02, 15)
FACTORS = (0.03, 0.1, 0.3, 1, 3, 10)


def side_by_side(data: Mapping) -> Drawing:
    """a: the loss over nets trained at several rates; b: the loss along the gradient of one."""
    rates, found = listed(data, "high"), facts(data)
    shaded = {
        f"a: band over {len(rates)} rates, {power(found['band_high'])}×": [
            (norm, *edges(data, norm, rates)) for norm in NORMS
        ],
        f"b: range at rate {rates[-1]:g}, {power(found['range_top'])}×": [
            (norm, *(curves(data, norm, rates[-1], name) for name in ("lowest", "highest")))
            for norm in NORMS
        ],
    }
    limits = _limits([part for nets in shaded.values() for _, *both in nets for part in both])
    panels = [_shades(title, data["looks"], nets, limits) for title, nets in shaded.items()]
    alt = (
        f"Loss against step, on a logarithmic axis. a: from the lowest to the highest of three "
        f"nets trained at rates {_rates(rates)}; on average over the steps this band is "
        f"{power(found['band_high'])} times as wide with batch norm as without a normalizer. b: "
        f"from the lowest to the highest loss along the gradient, of the nets trained at rate "
        f"{rates[-1]:g}; over the first half this range is {power(found['range_top'])} times as "
        "wide with batch norm."
    )
    caption = (
        f"{_where(data)} A shade a seed, lines are medians; × is batch norm over none: of "
        "the mean width over all steps in (a), of the median over the first half in (b)."
    )
    return draw(panels, alt, caption)


def orders(data: Mapping) -> Drawing:
    """a: whose band is wider, for four lists of rates; b: whose range, at each rate."""
    bands = {_span(listed(data, name)): band_ratio(data, name) for name in LISTS}
    ranges = {f"{lr:g}": range_ratio(data, lr) for lr in data["rates"]}
    panels = [
        _dots(f"a: band, {_ends(bands)}", bands, "rates of the band"),
        _dots(f"b: range, {_ends(ranges)}", ranges, "learning rate of the net"),
    ]
    said = [
        "; ".join(f"{name}: {power(geometric_mean(ratios))}" for name, ratios in found.items())
        for found in (bands, ranges)
    ]
    alt = (
        "Batch norm over no normalizer, above 1 if batch norm's is the wider one. a: mean width "
        f"of the band over a list of rates; {said[0]}. b: early range of the loss along the "
        f"gradient, of nets trained at one rate; {said[1]}."
    )
    return draw(panels, alt, f"{_where(data)} A dot a seed, the bar is the geometric mean.")


def scored(data: Mapping, predicted: Mapping[str, tuple[float, float]] = PREDICTED) -> Shown:
    """The predictions beside what came out."""
    found = facts(data)
    words = {
        "band_low": f"Width of the band over the rates {_rates(listed(data, 'low'))}",
        "band_high": f"Width of the band over the rates {_rates(listed(data, 'high'))}",
        "range_top": f"Range along the gradient at rate {found['top']:g}, early",
    }
    rows = [
        [
            words[name],
            f"{low:g} to {high:g} times",
            f"{power(found[name])} times",
            "as predicted" if low <= found[name] <= high else "not as predicted",
        ]
        for name, (low, high) in predicted.items()
    ]
    page, text = table(["With batch norm ÷ without", "Predicted", "Measured", "So"], rows)
    return Shown(f'<div class="bnlab-table">{page}</div>', text)


def say(data: Mapping, template: str) -> Shown:
    """A sentence whose numbers come from a measurement: fields are names of ``facts``."""
    numbers = facts(data)
    found = {name: power(value) for name, value in numbers.items() if name not in ("seeds", "top")}
    text = template.format(**{**found, "seeds": numbers["seeds"], "top": numbers["top"]})
    return Shown(f'<p class="bnlab-say">{text}</p>', fill(text))


def _rates(rates: Sequence[float]) -> str:
    return ", ".join(f"{lr:g}" for lr in rates)


def _where(data: Mapping) -> str:
    base = data["base"]
    size = f" at {base['image_size']} x {base['image_size']} pixels" if base["image_size"] else ""
    images = "" if data["base"]["data"] == "digits" else f"Images: {data['images']}{size}. "
    gone = f" {lost(data)} of {len(data['rows'])} nets diverged." if lost(data) else ""
    return f"{images}{len(data['seeds'])} seeds, {base['steps']} steps.{gone}"


def _limits(parts: Sequence[np.ndarray]) -> tuple[float, float]:
    """Of the axis of a loss: what is beyond a hundred nats is drawn at the edge."""
    every = np.concatenate([part.ravel() for part in parts])
    return 0.8 * every[every > 0].min(), 1.3 * min(every.max(), 100)


def _ends(found: Mapping[str, np.ndarray]) -> str:
    first, *_, last = found.values()
    return f"{power(geometric_mean(first))}× to {power(geometric_mean(last))}×"


def _span(rates: Sequence[float]) -> str:
    return f"{rates[0]:g} to {rates[-1]:g}"


def _shades(title: str, looks: Sequence[int], nets: Sequence, limits: tuple) -> Axes:
    axes = panel(title, size=SIZE)
    for norm, low, high in nets:
        low, high = (np.clip(part, *limits) for part in (low, high))
        for one, other in zip(low, high, strict=True):
            band(axes, norm, looks, one, other)
        for edge in (low, high):
            axes.plot(looks, np.median(edge, 0), color=STYLE[norm]["light"], lw=1.2)
    plain_log(axes, "y", [t for t in (0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30) if t < limits[1]])
    axes.set(xlabel="step of the training", ylabel="training loss, nats", ylim=limits)
    names_in_corner(axes, NORMS)
    return axes


def _dots(title: str, found: Mapping[str, np.ndarray], what: str) -> Axes:
    axes = panel(title, size=SIZE)
    axes.axhline(1, color=INK, lw=1, ls=":")
    look = STYLE["batch"]
    for place, ratios in enumerate(found.values()):
        x = place + np.linspace(-0.15, 0.15, len(ratios))
        axes.plot(x, np.clip(ratios, *ENDS), look["marker"], color=look["light"], ms=6)
        axes.plot(
            [place - 0.3, place + 0.3],
            [np.clip(geometric_mean(ratios), *ENDS)] * 2,
            color=INK,
            lw=1.5,
        )
    plain_log(axes, "y", FACTORS)
    axes.set_ylim(ENDS)
    # Two lines each, so that the panels are alike.
    names = [name.replace(" to", "\nto") if " to" in name else f"{name}\n" for name in found]
    axes.set_xticks(range(len(found)), names)
    axes.set(xlabel=what, ylabel="batch norm ÷ none")
    return axes
