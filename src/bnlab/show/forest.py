"""All effects of all claims that are measured on digits in one figure: a forest plot."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from bnlab import claims
from bnlab.arguments import checked
from bnlab.claims.standings import standardized, standings
from bnlab.draw.figure import INK, Drawing, draw, panel
from bnlab.draw.style import PARTS
from bnlab.show.scaled import clause
from bnlab.verdicts.parts import HOLDS, PART_WORDS, Judgement

EDGE = 30.0  # standard deviations; what lies beyond is drawn there, as an arrow
TICKS = (-30, -5, -1, 0, 1, 5, 30)
LETTERS, LETTER_SIZE = 50, 12  # of a line of words above a row, and their size in points
LINE = 0.19  # inches
INTERVAL = 0.2  # inches, below the words

Row = tuple[str, Judgement]
"""A claim's id and a part of it."""


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
        f"The one that supports its claim least is of {name}, {clause(worst.effect)}: {far} {side} "
        "its margin."
    )
    caption = (
        "Each row is a part of a claim, in its words: mean and 95 % interval over the seeds, as a "
        "distance from the margin, in standard deviations between the seeds. Right of 0 supports "
        "the claim. Circle: holds; square: no effect; diamond: opposite; cross: does not hold; "
        "triangle: undecided; arrow: farther than the axis."
    )
    return draw([_panel(half) for half in _halves(rows)], alt, caption)


def _halves(rows: list[Row]) -> list[list[Row]]:
    """Two columns of about as many parts, no claim in both; one, if there is only one claim."""
    starts = [i for i in range(1, len(rows)) if rows[i][0] != rows[i - 1][0]]
    if not starts:
        return [rows]
    middle = min(starts, key=lambda i: abs(2 * i - len(rows)))
    return [rows[:middle], rows[middle:]]


def _panel(rows: list[Row]) -> Axes:
    told = [
        textwrap.wrap(f"{name}: {clause(judgement.effect)}", LETTERS, break_on_hyphens=False)
        for name, judgement in rows
    ]
    places, end = _places([len(lines) for lines in told])
    holding = sum(judgement.word == HOLDS for _, judgement in rows)
    title = f"{rows[0][0]} to {rows[-1][0]}: {holding} of {len(rows)} parts hold"
    axes = panel(title, (4.9, 1.3 + end))
    _draw_scale(axes, places)
    for (_, judgement), lines, place in zip(rows, told, places, strict=True):
        _draw_row(axes, place, judgement)
        _write(axes, place - INTERVAL / 2, lines)
    axes.set_xscale("symlog", linthresh=1.0)
    axes.set_xlim(-EDGE * 1.2, EDGE * 1.2)
    axes.xaxis.set_major_locator(FixedLocator(TICKS))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}".replace("-", "−")))
    axes.set_yticks([])
    axes.set_ylim(end, 0)
    axes.spines["left"].set_visible(False)
    axes.set_xlabel("← against · standard deviations · for it →")
    return axes


def _places(lines: Sequence[int]) -> tuple[list[float], float]:
    """Where the intervals stand, in inches from the top, each below its lines of words; the end."""
    places, end = [], 0.0
    for count in lines:
        places.append(end + LINE * count + INTERVAL / 2)
        end += LINE * count + 1.5 * INTERVAL
    return places, end


def _write(axes: Axes, bottom: float, lines: Sequence[str]) -> None:
    """The words of a row, from the left edge."""
    style = {"fontsize": LETTER_SIZE, "color": INK, "va": "bottom", "linespacing": 1.1}
    axes.text(0.0, bottom, "\n".join(lines), transform=axes.get_yaxis_transform(), **style)


def _draw_scale(axes: Axes, places: Sequence[float]) -> None:
    """The upright lines of the axis, beside the intervals alone: none crosses the words."""
    half, gap = INTERVAL / 2, math.nan
    for ticks, look in (((0,), {"lw": 1.4}), (TICKS, {"lw": 0.6, "alpha": 0.25})):
        x = [value for tick in ticks for value in [tick, tick, gap] * len(places)]
        y = [
            value for _ in ticks for place in places for value in (place - half, place + half, gap)
        ]
        axes.plot(x, y, color=INK, **look)


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
