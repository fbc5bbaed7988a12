"""What the backward pass takes from the gradient of one channel: a straight line."""

from __future__ import annotations

import numpy as np
import torch
from matplotlib.axes import Axes
from torch import Tensor

from bnlab.draw.figure import INK, Drawing, draw, panel
from bnlab.draw.style import STYLE
from bnlab.train import Run, Trainer, threads

RUN = Run(norm="batch", depth=2, width=64, batch_size=64, steps=40, lr=0.1, seed=1239)
UNIT = 1000  # gradients are drawn in thousandths


@threads(1)
def one_channel(run: Run = RUN) -> tuple[np.ndarray, np.ndarray]:
    """Normalized values of a channel and the gradient there, (batch,) each, after a training.

    It is the channel of the first BatchNorm whose gradient is a straight line to the largest part.
    """
    trainer = Trainer(run, "cpu")
    for step, numbers in enumerate(trainer.batches, 1):
        trainer.update(numbers, step)
    norm = next(m for m in trainer.net.modules() if getattr(m, "uses_batch", False))
    kept: dict[str, Tensor] = {}

    def keep(_: object, inputs: tuple[Tensor], output: Tensor) -> None:
        kept["x"], kept["y"] = inputs[0].detach(), output
        output.retain_grad()

    handle = norm.register_forward_hook(keep)
    x, y = trainer.batch(numbers, run.steps)
    torch.nn.functional.cross_entropy(trainer.net.train()(x), y).backward()
    handle.remove()
    x_hat = (kept["x"] - kept["x"].mean(0)) / (kept["x"].var(0, correction=0) + norm.eps).sqrt()
    dy = kept["y"].grad
    line = dy.mean(0).square() + (dy * x_hat).mean(0).square()
    channel = int((line / dy.square().mean(0)).nan_to_num().argmax())
    return x_hat[:, channel].double().numpy(), dy[:, channel].double().numpy()


def line_of(x_hat: np.ndarray, dy: np.ndarray) -> tuple[float, float]:
    """The two numbers that the backward pass removes: level and slope of dy against x_hat."""
    return float(dy.mean()), float((dy * x_hat).mean())


def before_and_after() -> Drawing:
    """The gradient of one channel against its normalized values, and what is left of it."""
    x_hat, dy = one_channel()
    level, slope = line_of(x_hat, dy)
    left = dy - level - slope * x_hat
    share = 100 * (1 - np.square(left).sum() / np.square(dy).sum())
    limit = 1.1 * UNIT * np.abs(np.concatenate([dy, left])).max()
    panels = [
        _scatter("arrives: a level and a slope", x_hat, dy, (level, slope), limit),
        _scatter("goes on: neither is left", x_hat, left, line_of(x_hat, left), limit),
    ]
    alt = (
        "a: the gradient that arrives at one channel against the channel's normalized values, a "
        "point a sample, with the straight line of least squares, which has a "
        f"{'negative' if slope < 0 else 'positive'} slope. b: the same points less that line: "
        "neither level nor slope is left."
    )
    caption = (
        f"One channel of an MLP on digits after {RUN.steps} steps, a point a sample of the batch. "
        f"a: what arrives. b: what goes on, but for the factor γ/σ. The line is {share:.0f} % of "
        "the sum of squares in (a), more than in any other channel of this layer."
    )
    return draw(panels, alt, caption)


def _scatter(
    title: str, x: np.ndarray, y: np.ndarray, line: tuple[float, float], limit: float
) -> Axes:
    axes = panel(title, size=(4.4, 3.7))
    axes.axhline(0, color=INK, lw=0.8, ls=":")
    axes.plot(x, UNIT * y, "o", color=STYLE["batch"]["light"], ms=5)
    ends = np.array([x.min(), x.max()])
    level, slope = line
    axes.plot(ends, UNIT * (level + slope * ends), color=STYLE["layer"]["light"], lw=2.2)
    axes.set(xlabel="normalized value of the sample", ylabel="gradient, thousandths")
    axes.set_ylim(-limit, limit)
    return axes
