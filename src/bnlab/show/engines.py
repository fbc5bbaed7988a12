"""How far two engines agree: the same Run, trained by each of them."""

from __future__ import annotations

import numpy as np

from bnlab.show.figure import Drawing, curve, draw, label, panel, plain_log
from bnlab.show.style import STYLE
from bnlab.train import Run, train

PRECISIONS = ("float32", "float64")
FLOOR = 1e-17  # what a difference of exactly 0 is drawn as
LIMIT = 0.01


def parting(run: Run, norms: tuple[str, ...] = ("none", "batch")) -> Drawing:
    """|loss of compiled - loss of torch| over the steps of a Run, relative, one panel a precision.

    Args:
        run: what to train.
        norms: its normalizers, a curve each.
    """
    panels, sentences = [], []
    for precision in PRECISIONS:
        axes = panel(f"{precision[5:]} bits a number")
        for norm in norms:
            gap = differences(run.replace(norm=norm, precision=precision))
            steps = np.arange(1, len(gap) + 1)
            curve(axes, norm, steps, np.maximum(gap, FLOOR), marker="", lw=1.4)
            place = {"ha": "right", "va": "bottom", "xytext": (0, 4)}
            label(axes, norm, steps[-1], max(gap[-1], FLOOR), **place)
            sentences.append(_sentence(norm, precision, gap))
        plain_log(axes, "y", [1e-16, 1e-12, 1e-8, 1e-4, 1])
        axes.set_ylim(1e-17, 10)
        axes.set_xlabel("step")
        axes.set_ylabel("relative difference of the losses")
        panels.append(axes)
    alt = "Difference of the losses of the compiled step and PyTorch over steps. "
    caption = (
        f"The same Run, trained by PyTorch and by the compiled step: {run.steps} steps of "
        f"{run.batch_size} images, depth {run.depth}, learning rate {run.lr:g}."
    )
    return draw(panels, alt + " ".join(sentences), caption)


def differences(run: Run) -> np.ndarray:
    """|a - b| / |b| of the losses, a compiled and b PyTorch, (steps,)."""
    one, other = train(run, engine="compiled").loss, train(run, device="cpu").loss
    return np.abs(one - other) / np.abs(other)


def _sentence(norm: str, precision: str, gap: np.ndarray) -> str:
    apart = np.flatnonzero(gap > LIMIT)
    name = STYLE[norm]["label"]
    if apart.size:
        return f"{name}, {precision}: more than {LIMIT:.0%} apart from step {apart[0] + 1} on."
    return f"{name}, {precision}: never more than {gap.max():.0e} apart."
