"""The figures of chapter 03."""

from __future__ import annotations

import numpy as np

from bnlab.claims import Evidence
from bnlab.claims.learning_rates import (
    LRS,
    NORMS,
    SMALL_LR,
    USABLE,
    accuracies,
    largest_usable,
    profiles,
)
from bnlab.show.boxes import power
from bnlab.show.figure import Drawing, band, curve, draw, label, panels, plain_log
from bnlab.show.style import STYLE


def accuracy_by_lr(evidence: Evidence) -> Drawing:
    """Test accuracy over learning rate with and without BatchNorm, a panel for each depth."""
    data = evidence.data
    depths = sorted({row[0] for row in data["rows"]})
    figure, axes = panels(len(depths), (4.9 * max(len(depths), 1.5), 3.9), sharey=True)
    sentences = []
    for panel, depth in zip(axes, depths, strict=True):
        ratio = _accuracy_panel(panel, data, depth)
        sentences.append(f"at depth {depth} by a factor of {power(ratio)}")
        panel.set_title(f"Depth {depth}: rates up to {power(ratio)}× as large")
    axes[0].set_ylabel("test accuracy")
    seeds = len(data["seeds"])
    alt = (
        f"Test accuracy against learning rate for {STYLE['batch']['label']} and "
        f"{STYLE['none']['label']}. BatchNorm extends the usable learning rates "
        + ", ".join(sentences)
        + f" (mean over {seeds} seeds). At rate {SMALL_LR:g} "
        + "; ".join(_at_small(data, depth) for depth in depths)
        + "."
    )
    caption = (
        f"Mean over {seeds} seeds; the shade spans all; a net that diverged counts as chance. "
        f"Dotted: the largest rate within {100 * USABLE:g} points of the best, mean over seeds."
    )
    return draw(figure, alt, caption)


def _accuracy_panel(panel: object, data: dict, depth: int) -> float:
    scores = {norm: accuracies(data, depth, norm, data["seeds"]) for norm in NORMS}
    best = np.maximum(scores["none"], scores["batch"]).max(0)
    usable = {}
    for norm in NORMS:
        mean = scores[norm].mean(1)
        band(panel, norm, LRS, scores[norm].min(1), scores[norm].max(1))
        curve(panel, norm, LRS, mean)
        usable[norm] = 10 ** np.log10(largest_usable(scores[norm], best)).mean()
        panel.axvline(usable[norm], color=STYLE[norm]["light"], ls=":", lw=1.5)
    last, middle = len(LRS) - 2, LRS.index(1.0)
    label(panel, "none", LRS[last], scores["none"].mean(1)[last])
    label(panel, "batch", LRS[middle], scores["batch"].mean(1)[middle])
    plain_log(panel, "x", [0.01, 0.1, 1, 10])
    panel.set(xlabel="learning rate", ylim=(0, 1.12), yticks=[0, 0.2, 0.4, 0.6, 0.8, 1])
    return usable["batch"] / usable["none"]


def _at_small(data: dict, depth: int) -> str:
    at = LRS.index(SMALL_LR)
    batch, none = (
        accuracies(data, depth, norm, data["seeds"])[at].mean() for norm in ("batch", "none")
    )
    return f"it reaches {batch:.2f} against {none:.2f} without, at depth {depth}"


def explosion(evidence: Evidence) -> Drawing:
    """Variance of each block's output before and after the step that diverges."""
    data = evidence.data
    figure, axes = panels(2, (9.6, 4.1), sharey=True)
    growths = {}
    for panel, norm in zip(axes, NORMS, strict=True):
        for when, dash in (("before", ":"), ("after", "-")):
            values = profiles(data, norm, when)
            depth = np.arange(1, values.shape[1] + 1)
            middle = np.median(values, axis=0)
            for one in values:
                curve(panel, norm, depth, one, linestyle=dash, marker="", lw=0.8, alpha=0.35)
            curve(panel, norm, depth, middle, linestyle=dash, ms=4)
            growths[norm, when] = middle[-1] / middle[0]
        panel.set(xlabel="residual block", xticks=[1, *range(3, len(depth) + 1, 3)])
        panel.set_yscale("log")
        panel.set_title(
            f"{STYLE[norm]['label'].capitalize()}: last over first × "
            f"{power(growths[norm, 'after'])}"
        )
    axes[0].set_ylabel("variance of the block's output")
    for norm, panel in zip(NORMS, axes, strict=True):
        _name_lines(panel, norm, data)
    alt = (
        "Variance of each block's output before and after the step in which the net without a "
        "normalizer diverges. Without a normalizer the last block's variance is "
        f"{power(growths['none', 'before'])} times the first block's before the step and "
        f"{power(growths['none', 'after'])} times after it; with BatchNorm it is "
        f"{power(growths['batch', 'before'])} and {power(growths['batch', 'after'])} times."
    )
    caption = (
        f"Bold: median over {len(data['seeds'])} seeds, thin: each seed; dotted before the step, "
        "solid after it. Both nets take a step at the rate at which the plain one diverges."
    )
    return draw(figure, alt, caption)


def _name_lines(panel: object, norm: str, data: dict) -> None:
    after, before = (np.median(profiles(data, norm, w), axis=0) for w in ("after", "before"))
    last = len(after)
    if norm == "batch":  # the two lines lie on each other
        label(panel, norm, last * 0.6, after.max(), "before and after", xytext=(0, 14))
    else:
        label(panel, norm, last * 0.62, after[int(last * 0.55)], "after", ha="right")
        label(panel, norm, last, before[-1], "before", ha="right", xytext=(0, -22))


FIGURES = {"B1": accuracy_by_lr, "B2": explosion}
