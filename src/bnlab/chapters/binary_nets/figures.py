"""The figures of chapter 11."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes

from bnlab.chapters.binary_nets.looks import LOOKS, WORDS
from bnlab.chapters.binary_nets.tuned import at_best, of_arm
from bnlab.draw.figure import INK, Drawing, curve, draw, panel
from bnlab.draw.style import STYLE
from bnlab.verdicts.evidence import Evidence

NETS = {
    "scaled": "the paper's block",
    "signs": "signs alone",
    "scaled_bare": "without shortcuts",
    "signs_bare": "neither",
}
"""The nets of BNN3, as the figure names them."""


def collapse(evidence: Evidence) -> Drawing:
    """BNN3: accuracy with BatchNorm and without in four nets, and what the window has to do."""
    data, facts = evidence.data, evidence.facts
    groups = {
        words: {
            name: arm
            for name in ("batch", "none", "divided")
            if (arm := f"{net}_{name}") in data["lrs"]
        }
        for net, words in NETS.items()
    }
    ends = [facts[f"test_signs_bare_{name}"] for name in ("batch", "none")]
    score = _dots("a: neither: BatchNorm {:.0f}, nothing {:.0f} %".format(*ends), data, groups)
    inside = [facts[f"inside_first_signs_bare_{name}"] for name in ("none", "divided")]
    window = panel("b: in the window: nothing {:.0f}, divided {:.0f} %".format(*inside))
    for arms in groups.values():
        for name, arm in arms.items():
            rows = of_arm(data, arm).where(seed=data["seeds"])
            share = 100 * np.array(rows.entries("inside_first"), dtype=float)
            test = 100 * at_best(data, arm)
            hollow = {} if arm.endswith(f"bare_{name}") else {"mfc": "none"}
            curve(window, LOOKS[name], share, test, linestyle="", ms=6, alpha=0.7, **hollow)
    window.set(xlabel="inputs of the signs between −1 and 1, %", ylabel="test accuracy, %")
    window.set(xlim=(0, 100), ylim=(0, 105))
    alt = (
        f"a: test accuracy after {facts['steps']} steps, each net at its best rate: "
        f"{_told(data, groups)}. b: test accuracy against the share of the inputs of the signs "
        "that lie between minus one and one before the first step."
    )
    caption = (
        f"{facts['depth']} blocks. A mark a seed, {facts['seeds']} each; in a a line at the mean. "
        "b: the same nets; full marks have no shortcuts."
    )
    return draw([score, window], alt, caption)


def _dots(title: str, data: dict, groups: Mapping[str, Mapping[str, str]]) -> Axes:
    """Test accuracy at the best rate: a mark a seed, a line at the mean, group by group.

    ``groups`` has for each group its arms by the name of their look.
    """
    axes, height = panel(title, (5.2, 3.9)), 0.0
    ticks: list[tuple[float, str]] = []
    for words, arms in groups.items():
        if words:
            ticks.append((height, words))
            height += 0.8
        for name, arm in arms.items():
            test = 100 * at_best(data, arm)
            at = np.full(len(test), height)
            curve(axes, LOOKS[name], test, at, linestyle="", ms=5, alpha=0.6)
            axes.vlines(test.mean(), height - 0.35, height + 0.35, color=INK, lw=2)
            ticks.append((height, WORDS[name]))
            height += 0.8
        height += 0.3
    axes.set_yticks([at for at, _ in ticks], [words for _, words in ticks], fontsize=10)
    for tick, (_, words) in zip(axes.get_yticklabels(), ticks, strict=True):
        if words in groups:
            tick.set_weight("bold")
        else:
            looks = [look for look, said in WORDS.items() if said == words]
            tick.set_color(STYLE[LOOKS[looks[0]]]["light"])
    axes.invert_yaxis()
    axes.set(xlabel="test accuracy, %")
    return axes


def _told(data: dict, groups: Mapping[str, Mapping[str, str]]) -> str:
    parts = []
    for words, arms in groups.items():
        means = (
            f"{WORDS[name]} {100 * at_best(data, arm).mean():.0f} %" for name, arm in arms.items()
        )
        parts.append(f"{words}: {', '.join(means)}" if words else ", ".join(means))
    return "; ".join(parts)


def parts(evidence: Evidence) -> Drawing:
    """BNN1: the three parts alone and together, where nothing is needed and where it is."""
    data, facts = evidence.data, evidence.facts
    block = {name: name for name in ("batch", "three", "clip", "standardized", "block", "none")}
    signs = {
        "three": "three",
        "clip": "signs_clip",
        "standardized": "standardized",
        "block": "signs_block",
        "none": "signs",
    }
    sgd = {name: f"sgd_{name}" for name in ("batch", "three", "none")}
    panels = [
        _dots(title.format(**facts), data, {"": arms})
        for title, arms in (
            ("a: paper's block: {test_three:.0f}, nothing {test_none:.0f} %", block),
            ("b: signs alone: {test_three:.0f}, nothing {test_signs:.0f} %", signs),
            ("c: SGD: BatchNorm {test_sgd_batch:.0f}, parts {test_sgd_three:.0f} %", sgd),
        )
    ]
    told = [_told(data, {"": arms}) for arms in (block, signs, sgd)]
    alt = (
        f"Test accuracy after {facts['steps']} steps, each at its best rate. a: in the paper's "
        f"block: {told[0]}. b: with filters of signs alone: {told[1]}. c: the paper's block with "
        f"SGD and momentum: {told[2]}."
    )
    caption = (
        f"A mark a seed, {facts['seeds']} each; a line at the mean. a and b: Adam. Standardized "
        "filters have a scale, so in a and b they are the same nets."
    )
    return draw(panels, alt, caption)


def stages(evidence: Evidence) -> Drawing:
    """BNN2: the same blocks with BatchNorm and without, in two stages and in one."""
    data, facts = evidence.data, evidence.facts
    groups = {
        words: {name: f"{name}_{end}" for name in ("batch", "three", "none")}
        for words, end in (("two stages", "two"), ("one stage", "one"))
    }
    ends = [facts[f"test_{name}_two"] for name in ("batch", "three")]
    axes = _dots("Two stages: BatchNorm {:.1f}, parts {:.1f} %".format(*ends), data, groups)
    alt = f"Test accuracy after {facts['steps']} steps: {_told(data, groups)}."
    caption = f"A mark a seed, {facts['seeds']} each; a line at the mean."
    return draw([axes], alt, caption)


FIGURES = {"BNN1": parts, "BNN2": stages, "BNN3": collapse}
