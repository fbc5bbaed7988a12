"""All effects of all claims that are measured on digits in one column: a forest plot."""

from __future__ import annotations

import math

from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from bnlab import claims
from bnlab.arguments import checked
from bnlab.claims.standings import standardized, standings
from bnlab.draw.figure import INK, Drawing, draw, panel
from bnlab.draw.style import PARTS
from bnlab.verdicts.parts import HOLDS, PART_WORDS, Judgement

EDGE = 30.0  # standard deviations; what lies beyond is drawn there, as an arrow
TICKS = (-30, -5, -1, 0, 1, 5, 30)


@checked
def forest() -> Drawing:
    """Each effect's distance from its margin on digits, in standard deviations between the seeds.

    Raises:
        FileNotFoundError: if no claim is measured.
    """
    rows = [(one.claim.id, j) for one in standings(claims.CLAIMS) for j in one.judgements]
    if not rows:
        raise FileNotFoundError("no claim has evidence: there is nothing to draw.")
    counts = {word: sum(j.word == word for _, j in rows) for word in PART_WORDS}
    by_word = ", ".join(f"{count} {word}" for word, count in counts.items())
    name, worst = min(rows, key=lambda row: standardized(row[1])[0])
    distance = standardized(worst)[0]
    side = "short of" if distance < 0 else "beyond"
    far = f"{abs(distance):.1f} standard deviations"
    if math.isinf(distance):
        far = "with no spread between its seeds, and so infinitely many standard deviations"
    alt = (
        f"Forest plot of {len(rows)} effects of {len({name for name, _ in rows})} claims, "
        f"measured on digits: {by_word}. "
        f"The one that supports its claim least is {name} {worst.effect.name}, {far} {side} its "
        "margin."
    )
    caption = (
        "Each row is a part of a claim: mean and 95 % interval over the seeds, as a distance from "
        "the margin, in standard deviations between the seeds. Right of 0 supports the claim. "
        "Circle: holds; square: no effect; diamond: opposite; cross: does not hold; triangle: "
        "undecided; arrow: farther than the axis."
    )
    title = f"{counts[HOLDS]} of {len(rows)} parts hold on digits"
    return draw([_panel(title, rows)], alt, caption)


def _panel(title: str, rows: list[tuple[str, Judgement]]) -> Axes:
    axes = panel(title, (4.9, 1.3 + 0.27 * len(rows)))
    axes.axvline(0, color=INK, lw=1.2)
    for place, (_, judgement) in enumerate(rows):
        _draw_row(axes, place, judgement)
    axes.set_xscale("symlog", linthresh=1.0)
    axes.set_xlim(-EDGE * 1.2, EDGE * 1.2)
    axes.xaxis.set_major_locator(FixedLocator(TICKS))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}".replace("-", "−")))
    labels = [f"{name} {judgement.effect.name}" for name, judgement in rows]
    axes.set_yticks(range(len(rows)), labels)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel("sd beyond the margin")
    axes.grid(axis="x", color=INK, alpha=0.15, lw=0.6)
    return axes


def _draw_row(axes: Axes, place: int, judgement: Judgement) -> None:
    mean, low, high = standardized(judgement)
    look = PARTS[judgement.word]
    style = {"color": look["light"], "zorder": 3}
    if abs(mean) > EDGE:
        axes.plot(math.copysign(EDGE, mean), place, marker=">" if mean > 0 else "<", ms=8, **style)
        return
    ends = [min(max(x, -EDGE), EDGE) for x in (low, high)]
    axes.plot(ends, [place, place], lw=2.2, solid_capstyle="butt", **style)
    axes.plot(mean, place, marker=look["marker"], ms=7, **style)
