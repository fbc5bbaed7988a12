r"""What the signs of a binary net see before its first step, and what that does to the gradient.

Backward, ``binary_activation`` has the derivative 2 - 2 |z| in the *window* |z| < 1, and 0 outside.
Let layers be wide, z normal with standard deviation sd, weights independent of everything. Then
each layer multiplies the mean square of the gradient, on its way back, by ``factor``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch.nn.functional import cross_entropy

from bnlab.chapters.binary_nets.looks import LOOKS, WORDS
from bnlab.data import load
from bnlab.draw.figure import Drawing, band, curve, draw, panel, plain_log
from bnlab.measure.kit.passes import run
from bnlab.nets.binarize import RSign
from bnlab.train import Run, build, threads

BASE = Run(net="binary", depth=8, width=16, net_options={"shortcuts": False})
NETS = {
    "signs": {"net_options": {"scale": "none"}},
    "scaled": {},
    "batch": {"norm": "batch"},
    "positive": {"net_options": {"first_weights": "positive"}},
}
"""Filters of signs alone; with a scale each; the same with BatchNorm; from positive weights."""

SEEDS = (1200, 1201, 1202, 1203)  # for looking; they decide nothing
IMAGES = 256


def factor(sd: float) -> float:
    """By what a layer of signs multiplies the mean square of the gradient: sd^2 E F'(z)^2.

    sd^2 is the number of inputs times the square of a weight, and so is what the gradient gathers.
    """
    inside = math.erf(1 / (sd * math.sqrt(2))) / 2
    at_zero = 1 / (sd * math.sqrt(2 * math.pi))
    at_one = at_zero * math.exp(-1 / (2 * sd**2))
    return 8 * sd**2 * ((1 + sd**2) * inside - sd**2 * (2 * at_zero - at_one))


@threads(1)
def at_start(of: Run) -> np.ndarray:
    """For each sign of an untrained net: sd of its input, share in the window, gradient behind it.

    Args:
        of: the Run of a binary net.

    Returns:
        (signs, 3), from input to output; the last is the norm of the gradient of the loss.
    """
    digits = load(of.data)
    x, y = (torch.tensor(a[:IMAGES]) for a in (digits.train_x, digits.train_y))
    calls = run(build(of), x, RSign, loss=cross_entropy, y=y, inputs=True)
    return np.array(
        [
            [float(t) for t in (z.std(), (z.abs() < 1).float().mean(), call.gradient.norm())]
            for call in calls
            for z in [call.input]  # the first biases are zero
        ]
    )


def starts(seeds: Sequence[int] = SEEDS, base: Run = BASE) -> dict[str, np.ndarray]:
    """``at_start`` of each net of ``NETS``: (seeds, signs, 3)."""
    return {name: np.array([at_start(kind(name, base, s)) for s in seeds]) for name in NETS}


def kind(name: str, base: Run = BASE, seed: int = 0) -> Run:
    """The Run of a net of ``NETS``."""
    options = {**base.net_options, **NETS[name].get("net_options", {})}
    return base.replace(**{**NETS[name], "net_options": options}, seed=seed)


def draw_starts(found: Mapping[str, np.ndarray]) -> Drawing:
    """The share of pre-activations in the window, and the gradient, block by block."""
    last = {name: 100 * rows[:, -1, 1].mean() for name, rows in found.items()}
    back = {name: (rows[:, 0, 2] / rows[:, -1, 2]).mean() for name, rows in found.items()}
    share = panel("Signs alone: {signs:.0f} % in the window at the end".format(**last))
    slope = panel(f"Signs alone: the gradient at the input is {_times(back['signs'])}")
    blocks = np.arange(1, next(iter(found.values())).shape[1] + 1)
    for name, rows in found.items():
        gradient = rows[:, :, 2] / rows[:, -1:, 2]
        for axes, numbers in ((share, 100 * rows[:, :, 1]), (slope, gradient)):
            band(axes, LOOKS[name], blocks, numbers.min(0), numbers.max(0))
            curve(axes, LOOKS[name], blocks, numbers.mean(0), label=WORDS[name])
    share.set(xlabel="block", ylabel="inputs between −1 and 1, %", ylim=(0, 105))
    slope.set(xlabel="block", ylabel="gradient (last block: 1)")
    plain_log(slope, "y", [1e-6, 1e-4, 0.01, 1, 100])
    slope.set_ylim(bottom=1e-9)  # room for the names
    share.legend(frameon=False, fontsize=11, labelcolor="linecolor", loc=(0.3, 0.22))
    slope.legend(frameon=False, fontsize=11, labelcolor="linecolor", loc="lower right")
    told = "; ".join(
        f"{WORDS[name]}: {last[name]:.0f} % and {_times(back[name])}" for name in found
    )
    alt = (
        "a: share of the inputs of each sign that lie between minus one and one, by block, before "
        "the first step. b: norm of the gradient behind each sign, against that of the last "
        f"block. Share in the last block, and gradient in the first one: {told}."
    )
    caption = (
        f"{len(blocks)} blocks without shortcuts. Mean over {len(next(iter(found.values())))} "
        "seeds; the shade spans all."
    )
    return draw([share, slope], alt, caption)


def _times(ratio: float) -> str:
    """A ratio with one digit, such as ×70 or ÷8."""
    size = max(ratio, 1 / ratio)
    digits = float(f"{size:.1g}")
    told = f"{digits:.0f}" if digits < 1e4 else f"10^{math.log10(size):.0f}"
    return f"{'×' if ratio >= 1 else '÷'}{told}"
