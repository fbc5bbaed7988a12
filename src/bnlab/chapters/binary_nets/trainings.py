"""The trainings of BNN1 to BNN3: binary nets with BatchNorm, without, or with other things for it.

As in the paper the rate falls linearly to 0.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from bnlab.nets.binarize import RSign
from bnlab.train import Engine, Run, Step, make_trainer, threads

ENGINE = "torch"  # nothing of this is compiled beforehand but the narrow nets of the widget
BASE = Run(net="binary", depth=8, width=16, batch_size=32, steps=200, eval_every=200)
CLIP = 0.02  # as the official scripts; the default of their code is 0.04
FILTERS = {"standardized": True, "scale": "mean_abs"}
METHODS = {
    "batch": {"norm": "batch"},
    "none": {},
    "divided": {},
    "widened": {},
    "clip": {"clip": CLIP},
    "standardized": FILTERS,
    "block": {"branch": "bn_free", "standardized": False},
    "three": {"clip": CLIP, "branch": "bn_free", **FILTERS},
    "without_clip": {"branch": "bn_free", **FILTERS},
    "without_standardized": {"clip": CLIP, "branch": "bn_free", "standardized": False},
    "without_block": {"clip": CLIP, **FILTERS},
}
"""What stands in for BatchNorm. ``three`` are clipping, standardized filters (which have a scale)
and the block of BNN - BN; each is there alone too, and left out alone. ``divided`` has no
normalizer, but the output of each binary 3x3 convolution is divided by one number: its standard
deviation on the first batch, before training. ``widened`` has none either, and only what the signs
see is divided so: the sign of a quotient is that of the number, so that nothing changes but the
window in which the gradient of the sign is estimated, and the size of the biases against it."""

OPTIMIZERS = {
    "adam": {"optimizer": "adam"},
    "sgd": {"optimizer": "sgd", "optimizer_options": {"momentum": 0.9}},
}
OF_NET = ("branch", "standardized", "scale")


@dataclass(frozen=True)
class Setup:
    """Which net is trained, with what for BatchNorm, and how it learns.

    Attributes:
        method: one of ``METHODS``.
        depth: binary blocks.
        shortcuts: whether the blocks have any.
        scale: of the binary filters, ``mean_abs`` or ``none``.
        first_weights: ``centred`` or ``positive``.
        optimizer: one of ``OPTIMIZERS``.
        stages: 2 for real weights in the first half of the steps and binary ones in the second.
    """

    method: str
    depth: int = 8
    shortcuts: bool = True
    scale: str = "mean_abs"
    first_weights: str = "centred"
    optimizer: str = "adam"
    stages: int = 1

    def run(self, base: Run, lr: float, seed: int) -> Run:
        """The Run of a training; ``base`` has what all share."""
        own = METHODS[self.method]
        net = {
            "shortcuts": self.shortcuts,
            "scale": self.scale,
            "first_weights": self.first_weights,
            **{name: own[name] for name in OF_NET if name in own},
        }
        rest = {name: value for name, value in own.items() if name not in OF_NET}
        chosen = {"net_options": net, "depth": self.depth, "lr": lr, "seed": seed}
        return base.replace(**chosen, **OPTIMIZERS[self.optimizer], **rest)


class Divided(nn.Module):
    """x / constant, with a constant that is no parameter."""

    def __init__(self, constant: float) -> None:
        super().__init__()
        self.constant = constant

    def forward(self, x: Tensor) -> Tensor:
        """Divide."""
        return x / self.constant


@torch.no_grad()
def divide(net: nn.Module, x: Tensor) -> None:
    """Give each block, in order, a constant in place of its normalizer, which must be none.

    The constant is the standard deviation of the convolution's output on the images ``x``.
    """
    x = net.stem(x)
    for block in net.blocks:
        branch = block.conv(block.sign(x / math.sqrt(block.variance)))
        block.norm = Divided(float(branch.std()))
        x = block(x)


@torch.no_grad()
def widen(net: nn.Module, x: Tensor) -> None:
    """Let the sign of each block, in order, see its input divided by a constant.

    The constant is the standard deviation of the input for the images ``x``.
    """
    x = net.stem(x)
    for block in net.blocks:
        block.sign = nn.Sequential(Divided(float(x.std())), block.sign)
        x = block(x)


CHANGED = {"divided": divide, "widened": widen}


@torch.no_grad()
def inside(net: nn.Module, x: Tensor) -> list[float]:
    """For each block the share of the numbers before its sign that lie between -1 and 1.

    Elsewhere the estimator of the sign's gradient passes nothing. BatchNorm uses the statistics of
    ``x``, as in training, and its running ones stay as they were.
    """
    shares: list[float] = []

    def look(module: RSign, given: tuple[Tensor], _: Tensor) -> None:
        before = given[0] + module.bias.reshape(-1, 1, 1)
        shares.append(float((before.abs() < 1).float().mean()))

    state = [(one, one.clone()) for one in net.buffers()]
    signs = [module for module in net.modules() if isinstance(module, RSign)]
    hooks = [sign.register_forward_hook(look) for sign in signs]
    net.train()(x)
    for hook in hooks:
        hook.remove()
    for one, before in state:
        one.copy_(before)
    return shares


@threads(1)
def trained(base: Run, setup: Setup, lr: float, seed: int) -> list:
    """Accuracy of validation and test, share inside the window before and after, divergence.

    The shares are means over the blocks. A net that diverged has its step in place of None at the
    end, and None for what it did not reach.
    """
    trainer = begun(base, setup, lr, seed)
    images = trainer.train_x[: 8 * base.batch_size]
    first = round(float(np.mean(inside(trainer.net, images))), 4)
    for record in falling(trainer):
        if record.diverged:
            return [None, None, first, None, record.step]
    found = record.val_accuracy, trainer.test_accuracy(), np.mean(inside(trainer.net, images))
    val, test, last = (round(float(one), 4) for one in found)
    return [val, test, first, last, None]


def begun(base: Run, setup: Setup, lr: float, seed: int) -> Engine:
    """The trainer of a set-up before its first step, or before the first of its second stage."""
    run = setup.run(base, lr, seed)
    if setup.stages == 2:
        return _second_stage(run)
    trainer = make_trainer(run, ENGINE, "cpu")
    if setup.method in CHANGED:
        CHANGED[setup.method](trainer.net, trainer.train_x[: run.batch_size])
    return trainer


def falling(trainer: Engine) -> Iterator[Step]:
    """Train: the records of the steps, with a rate that falls linearly to 0."""
    run = trainer.run
    for record in trainer.steps():
        for group in trainer.optimizer.param_groups:
            group["lr"] = run.lr * (1 - record.step / run.steps)
        yield record


def _second_stage(run: Run) -> Engine:
    """A trainer of half of the steps, whose net begins where one with real weights ended."""
    run = run.replace(steps=run.steps // 2, eval_every=run.steps // 2)
    real = run.replace(net_options={**run.net_options, "weights": "real"})
    first, second = (make_trainer(one, ENGINE, "cpu") for one in (real, run))
    for _ in falling(first):
        pass
    second.net.load_state_dict(first.net.state_dict())
    return second
