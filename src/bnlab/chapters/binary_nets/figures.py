"""The figures of chapter 11."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes

from bnlab.chapters.binary_nets.bnn3_collapse import unchanged
from bnlab.chapters.binary_nets.looks import LOOKS, WORDS
from bnlab.chapters.binary_nets.tuned import at_best, best_lr, of_arm
from bnlab.draw.figure import INK, Drawing, curve, draw, panel
from bnlab.draw.style import STYLE
from bnlab.verdicts.evidence import Evidence

NETS = {
    "scaled": "paper's block",
    "scaled_bare": "without shortcuts",
    "signs": "signs alone",
    "signs_bare": "signs, no shortcuts",
}
"""The nets of BNN3, as the figure names them."""

Rows = Mapping[str, np.ndarray]
"""Test accuracies in per cent, (seeds,), by the name of their look."""


def collapse(evidence: Evidence) -> Drawing:
    """BNN3: accuracy with BatchNorm and without in four nets, and what the window has to do."""
    data, facts = evidence.data, evidence.facts
    arms = {
        net: [name for name in ("batch", "none", "widened") if f"{net}_{name}" in data["lrs"]]
        for net in NETS
    }
    groups = {
        words: {name: 100 * at_best(data, f"{net}_{name}") for name in arms[net]}
        for net, words in NETS.items()
    }
    groups[NETS["scaled_bare"]]["unchanged"] = 100 * unchanged(data, "scaled_bare")
    ends = [facts[f"test_{net}_none"] for net in ("scaled", "signs")]
    score = _dots("Without BatchNorm {:.0f} %, signs alone {:.0f} %".format(*ends), groups)
    inside = [facts[f"inside_first_signs_bare_{name}"] for name in ("none", "widened")]
    window = panel("Signs alone: {:.0f} % inside, widened {:.0f} %".format(*inside))
    for net, names in arms.items():
        for name in names:
            _against_window(window, data, f"{net}_{name}", name, hollow=not net.endswith("bare"))
    for name in ("batch", "none", "widened"):
        curve(window, LOOKS[name], [], [], linestyle="", label=WORDS[name])
    window.legend(frameon=False, fontsize=11, labelcolor="linecolor", loc="lower right")
    window.set(xlabel="inputs of the signs in the window, %", ylabel="test accuracy, %")
    window.set(xlim=(0, 100), ylim=(0, 105))
    alt = (
        f"a: test accuracy after {facts['steps']} steps, each net at its best rate: "
        f"{_told(groups)}. b: test accuracy against the share of the inputs of the signs that "
        "lie in the window of the gradient before the first step. In the net of signs alone "
        "without shortcuts that is {:.0f} % with nothing in BatchNorm's place and {:.0f} % with a "
        "wider window.".format(*inside)
    )
    caption = (
        f"{facts['depth']} blocks, seeds: {facts['seeds']}. a: a mark a seed, a line at the mean. "
        "b: the same nets; the window before the first step. Full marks and title: without "
        "shortcuts."
    )
    return draw([score, window], alt, caption)


def _against_window(axes: Axes, data: dict, arm: str, name: str, hollow: bool) -> None:
    rows = of_arm(data, arm).where(lr=best_lr(data, arm), seed=data["seeds"])
    share = 100 * np.array(rows.entries("inside_first"), dtype=float)
    mark = {"mfc": "none"} if hollow else {}
    test = 100 * at_best(data, arm)
    curve(axes, LOOKS[name], share, test, linestyle="", ms=6, alpha=0.7, **mark)


def _dots(title: str, groups: Mapping[str, Rows]) -> Axes:
    """A mark a seed and a line at the mean, group by group, with the groups' names above them."""
    rows_drawn = sum(len(rows) + bool(words) for words, rows in groups.items())
    axes, height = panel(title, (5.2, max(2.6, 1.4 + 0.22 * rows_drawn))), 0.0
    ticks: list[tuple[float, str, str]] = []
    for words, rows in groups.items():
        if words:
            ticks.append((height, words, ""))
            height += 0.8
        for name, test in rows.items():
            curve(axes, LOOKS[name], test, [height] * len(test), linestyle="", ms=5, alpha=0.6)
            axes.vlines(test.mean(), height - 0.35, height + 0.35, color=INK, lw=2)
            ticks.append((height, WORDS[name], LOOKS[name]))
            height += 0.8
        height += 0.3
    axes.set_yticks([at for at, *_ in ticks], [words for _, words, _ in ticks], fontsize=11)
    for tick, (*_, look) in zip(axes.get_yticklabels(), ticks, strict=True):
        tick.set(**({"color": STYLE[look]["light"]} if look else {"weight": "bold"}))
    axes.invert_yaxis()
    axes.set(xlabel="test accuracy, %")
    return axes


def _told(groups: Mapping[str, Rows]) -> str:
    parts = []
    for words, rows in groups.items():
        means = ", ".join(f"{WORDS[name]} {test.mean():.0f} %" for name, test in rows.items())
        parts.append(f"{words}: {means}" if words else means)
    return "; ".join(parts)


def parts(evidence: Evidence) -> Drawing:
    """BNN1: the three parts alone and together, in the paper's block and with signs alone."""
    data, facts = evidence.data, evidence.facts
    block = ("batch", "three", "without_clip", "standardized", "block", "none")
    signs = {
        "three": "three",
        "standardized": "standardized",
        "block": "signs_block",
        "clip": "signs_clip",
        "none": "signs",
    }
    found = (
        {name: 100 * at_best(data, name) for name in block},
        {name: 100 * at_best(data, arm) for name, arm in signs.items()},
    )
    titles = (
        "Paper's block: parts {test_three:.0f} %, BatchNorm {test_batch:.0f} %",
        "Signs alone: parts {test_three:.0f} %, nothing {test_signs:.0f} %",
    )
    panels = [
        _dots(title.format(**facts), {"": rows}) for title, rows in zip(titles, found, strict=True)
    ]
    told = [_told({"": rows}) for rows in found]
    alt = (
        f"Test accuracy after {facts['steps']} steps, each at its best rate. a: in the paper's "
        f"block: {told[0]}. b: with filters of signs alone: {told[1]}."
    )
    caption = (
        f"A mark a seed, {facts['seeds']} each; a line at the mean. Standardized filters have a "
        "scale, so with them a and b show the same nets."
    )
    return draw(panels, alt, caption)


def stages(evidence: Evidence) -> Drawing:
    """BNN2: the same blocks with BatchNorm and without, trained in two stages."""
    data, facts = evidence.data, evidence.facts
    rows = {name: 100 * at_best(data, name) for name in ("batch", "three")}
    axes = _dots(
        "BatchNorm {test_batch:.0f} %, parts {test_three:.0f} %".format(**facts), {"": rows}
    )
    alt = (
        f"Test accuracy after two stages of {facts['steps'] // 2} steps each: {_told({'': rows})}."
    )
    return draw([axes], alt, f"A mark a seed, {facts['seeds']} each; a line at the mean.")


FIGURES = {"BNN1": parts, "BNN2": stages, "BNN3": collapse}
