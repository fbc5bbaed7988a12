"""Both scales in one figure and in one paragraph: where they agree, and where they do not."""

from __future__ import annotations

import html
from collections import Counter
from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from bnlab import claims
from bnlab.arguments import checked
from bnlab.claims.agreement import Pair, at_both, pairs
from bnlab.claims.standings import Standing, listed, standardized, standings
from bnlab.draw.figure import INK, Drawing, draw, panel
from bnlab.draw.labels import place_labels
from bnlab.draw.shown import Shown, fill
from bnlab.draw.style import PARTS, VERDICTS
from bnlab.show.scaled import clause
from bnlab.verdicts.parts import UNDECIDED, Judgement
from bnlab.verdicts.verdict import CIFAR10, DIGITS, SCALES

EDGE = 30.0  # standard deviations; what lies beyond is drawn there
FAR = 66.0  # the axis goes on, so that the corners have room for words
TICKS = (-30, -5, -1, 0, 1, 5, 30)
OTHER = VERDICTS["depends"]["light"]
NONE_YET = f"No claim is measured on {SCALES[CIFAR10]} yet, so there is nothing to compare."
NO_PART = "No part of a claim is measured on both scales yet: there is nothing to draw."
CORNERS = {
    (0.99, 0.995): ("beyond both margins", "right", "top"),
    (0.01, 0.995): (f"{SCALES[CIFAR10]} only", "left", "top"),
    (0.99, 0.005): (f"{SCALES[DIGITS]} only", "right", "bottom"),
    (0.01, 0.005): ("short of both", "left", "bottom"),
}


@checked
def scales() -> Drawing | Shown:
    """Each part that is measured at both scales, as a point: its distance from its margin on each.

    Distances are in standard deviations between the seeds, as in ``forest``. Without a part of
    that kind it is a sentence that says so.
    """
    found = pairs(standings(claims.CLAIMS))
    if not found:
        return Shown(f'<p class="bnlab-say">{NO_PART}</p>', NO_PART)
    same = sum(pair.agrees for pair in found)
    other = [
        f"{label}, {_clause(pair)} ({pair.digits.word}, then {pair.cifar10.word})"
        for pair, label in zip(found, labels(found), strict=True)
        if not pair.agrees
    ]
    alt = (
        f"Scatter plot of {len(found)} parts of {len({p.claim for p in found})} claims: how far "
        f"each lies beyond its margin on digits, to the right, and on CIFAR-10, upward. "
        f"{same} came out with the same word on both; different on digits and on CIFAR-10: "
        f"{'; '.join(other) or 'none'}."
    )
    caption = (
        "Each point is a part of a claim: its distance from its margin, in standard deviations "
        "between the seeds, on digits and on CIFAR-10. At 0 lies the margin; what lies right of "
        "it, or above it, supports the claim there. Circle: the same word on both scales; blue "
        "diamond: different words, with the claim and a letter, as in the list of the parts that "
        "came out differently. Circles have their claim where there is room for it. What is "
        "farther than 30 is drawn there."
    )
    return draw([_panel(f"{same} of {len(found)} parts agree", found)], alt, caption)


def _panel(title: str, found: Sequence[Pair]) -> Axes:
    axes = panel(title, (4.9, 4.9))
    axes.axvline(0, color=INK, lw=1.2)
    axes.axhline(0, color=INK, lw=1.2)
    for which in ("x", "y"):
        getattr(axes, f"set_{which}scale")("symlog", linthresh=1.0)
        getattr(axes, f"set_{which}lim")(-FAR, FAR)
        axis = getattr(axes, f"{which}axis")
        axis.set_major_locator(FixedLocator(TICKS))
        axis.set_minor_locator(NullLocator())
        axis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}".replace("-", "−")))
    axes.grid(color=INK, alpha=0.15, lw=0.6)
    axes.set_xlabel("digits: sd beyond the margin")
    axes.set_ylabel("CIFAR-10: sd beyond the margin")
    for (x, y), (text, across, up) in CORNERS.items():
        style = {"ha": across, "va": up, "fontsize": 10, "color": INK}
        axes.text(x, y, text, transform=axes.transAxes, **style)
    # Those that differ come first, so that they find room for their labels.
    named = sorted(zip(found, labels(found), strict=True), key=lambda one: one[0].agrees)
    ordered = [pair for pair, _ in named]
    points = [tuple(map(_distance, (pair.digits, pair.cifar10))) for pair in ordered]
    for pair, (x, y) in zip(ordered, points, strict=True):
        look = {"marker": "o", "color": INK, "ms": 5, "alpha": 0.75}
        if not pair.agrees:
            look = {"marker": "D", "color": OTHER, "ms": 6, "zorder": 4}
        axes.plot(x, y, ls="none", **look)
    apart = sum(not pair.agrees for pair in ordered)
    names = [label for _, label in named]
    colours = [OTHER] * apart + [INK] * (len(ordered) - apart)
    place_labels(axes, points, names, colours, needed=apart)
    return axes


def _distance(judgement: Judgement) -> float:
    return min(max(standardized(judgement)[0], -EDGE), EDGE)


@checked
def say_scales() -> Shown:
    """In how many claims and parts the scales agree, and which differ, from the evidence."""
    table = standings(claims.CLAIMS)
    both, found = at_both(table), pairs(table)
    text = " ".join(filter(None, (_claims(both), _parts(found)))) or NONE_YET
    page = f'<p class="bnlab-say">{html.escape(text)}</p>'
    lines = [_told(pair, label) for pair, label in zip(found, labels(found), strict=True)]
    lines = [line for line, pair in zip(lines, found, strict=True) if not pair.agrees]
    if lines:
        page += (
            '<details class="bnlab-more"><summary>The parts that came out differently</summary>'
            f"<ul>{''.join(f'<li>{html.escape(line)}</li>' for line in lines)}</ul></details>"
        )
    return Shown(page, "\n".join([fill(text), *(fill(f"- {line}") for line in lines)]))


def _claims(both: Sequence[Standing]) -> str:
    if not both:
        return ""
    same = [one.claim.id for one in both if one.said_at(DIGITS) == one.said_at(CIFAR10)]
    other = [
        f"{one.claim.id} ({one.said_at(DIGITS)} on digits, {one.said_at(CIFAR10)} on CIFAR-10)"
        for one in both
        if one.claim.id not in same
    ]
    text = f"Claims with a verdict on both scales: {len(both)}."
    text += f" The same word on both have {listed(same)}." if same else ""
    return text + (f" The word is another one for {listed(other)}." if other else "")


def _parts(found: Sequence[Pair]) -> str:
    if not found:
        return ""
    apart = [pair for pair in found if not pair.agrees]
    text = f"Of {len(found)} parts that are measured on both, {len(apart)} came out differently."
    if not apart:
        return f"All {len(found)} parts that are measured on both came out the same."
    unsure = sum(UNDECIDED in (pair.digits.word, pair.cifar10.word) for pair in apart)
    return (
        f"{text} Of these, {unsure} are undecided on one of the scales, which is no contradiction."
    )


def labels(found: Sequence[Pair]) -> list[str]:
    """The claim of each; with a letter, if several parts of a claim came out differently."""
    apart, seen = Counter(pair.claim for pair in found if not pair.agrees), Counter()
    names = []
    for pair in found:
        letter = ""
        if not pair.agrees and apart[pair.claim] > 1:
            letter = "abcdefghijkl"[seen[pair.claim]]
            seen[pair.claim] += 1
        names.append(pair.claim + letter)
    return names


def _clause(pair: Pair) -> str:
    return clause(pair.cifar10.effect)


def _told(pair: Pair, label: str) -> str:
    small, large = (f"{PARTS[j.word]['mark']} {j.word}" for j in (pair.digits, pair.cifar10))
    return f"{label}, {_clause(pair)}: {small} on digits, {large} on CIFAR-10."
