"""What the figures of chapter 07 share: names, marks and panels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes

from bnlab.chapters.batch_renorm.methods import Method, best_lr, rates, select
from bnlab.chapters.batch_renorm.r3_few_samples import NORMS
from bnlab.draw.figure import INK, band, curve, panel, plain_log
from bnlab.draw.style import STYLE

NAMES = {norm: STYLE[norm]["label"] for norm in NORMS}
NET_NAMES = {"mlp": "Perceptron", "conv": "Convolutional net"}
PARTS = {  # column, line and marker of each accuracy
    "train": ("train", ":", "^", "in training"),
    "batch": ("val_batch", "--", "s", "batch statistics"),
    "running": ("val_running", "-", "o", "running statistics"),
    "recomputed": ("val_recomputed", "-.", "D", "recomputed"),
}
SMALL = (4.4, 3.7)


def listed(values: Mapping[str, float], unit: str = " %") -> str:
    """Names and whole numbers, as a list in a sentence."""
    return ", ".join(f"{name} {value:.0f}{unit}" for name, value in values.items())


def grid(data: dict, methods: Sequence[Method], title: str) -> Axes:
    """Validation accuracy over the learning rate, with the tuning seeds; a ring at the choice."""
    axes = panel(title, size=SMALL)
    for method in methods:
        lrs, lr, seeds = rates(data, method), best_lr(data, method), data["tuning_seeds"]
        rows = np.array([select(data, method, rate, "val_running", seeds) for rate in lrs])
        band(axes, method.norm, lrs, 100 * rows.min(1), 100 * rows.max(1))
        curve(axes, method.norm, lrs, 100 * rows.mean(1), ms=4)
        chosen = 100 * rows[lrs.index(lr)].mean()
        axes.plot([lr], [chosen], "o", ms=13, mfc="none", mec=STYLE[method.norm]["light"], mew=2)
    plain_log(axes, "x", lrs[1::2])
    axes.set(xlabel="learning rate", ylabel="validation accuracy, %")
    return axes


def dots(axes: Axes, place: float, norm: str, scores: np.ndarray) -> None:
    """The seeds of one net, and a bar at their mean."""
    around = place + np.linspace(-0.16, 0.16, len(scores))
    curve(axes, norm, around, scores, linestyle="", ms=4, alpha=0.7)
    axes.plot([place - 0.24, place + 0.24], [scores.mean()] * 2, color=INK, lw=2)
