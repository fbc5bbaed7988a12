"""How far two engines agree: the same Run, trained by each of them."""

from __future__ import annotations

import numpy as np
from matplotlib.ticker import FuncFormatter

from bnlab.draw.figure import Drawing, curve, draw, panel, plain_log
from bnlab.draw.style import STYLE
from bnlab.draw.words import power
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
            look = {"marker": "", "lw": 1.4, "label": STYLE[norm]["label"]}
            curve(axes, norm, steps, np.maximum(gap, FLOOR), **look)
            sentences.append(_sentence(norm, precision, gap))
        plain_log(axes, "y", [1e-16, 1e-12, 1e-8, 1e-4, 1])
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: power(value)))
        axes.set_ylim(FLOOR, 10)
        axes.legend(frameon=False, labelcolor="linecolor", fontsize=12)
        axes.set_xlabel("step")
        axes.set_ylabel("relative difference of the losses")
        panels.append(axes)
    alt = "Difference of the losses of the compiled step and PyTorch over steps. "
    caption = (
        f"The same Run, trained by PyTorch and by the compiled step: {run.steps} steps of "
        f"{run.batch_size} images, depth {run.depth}, learning rate {run.lr:g}. A curve "
        "touches the lower edge where both losses are equal."
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
