"""The net of Wei et al. 2019 on digits: its start, its loss, its Fisher matrix and its training.

The paper's loss is half the squared distance of outputs and targets; that of a Run is the mean of
the squares over the classes. Rates and losses of this module are the paper's: ``UNIT`` converts.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from bnlab import random
from bnlab.data import load
from bnlab.errors import check_name
from bnlab.measure import MeanField, curvature_products, extreme_eigenvalues, mean_field
from bnlab.norms import make_norm
from bnlab.train import Run, Trainer, build, evaluate, threads

MOMENTUM = 0.9
BIAS_VARIANCE = 0.5
BASE = Run(
    net="mlp",
    depth=3,  # and the output: four layers with weights
    width=300,
    loss="squared_error",
    optimizer_options={"momentum": MOMENTUM},
    batch_size=128,
    steps=47,  # five epochs
    eval_every=47,
)
CLASSES = 10
UNIT = CLASSES / 2
"""The paper's loss over that of a Run, and the rate of a Run over the paper's."""

IMAGES = 512  # on which the Fisher matrix is measured
TOLERANCE = 0.01  # largest residual of an eigenvalue, as a share of it
BIASES = 1500  # stream of the random numbers; that of layer k is BIASES + k
HELD, THROUGH = "constant", "backpropagated"
PLACES = ("hidden", "last")


@dataclass(frozen=True)
class Outcome:
    """What became of a training; losses in the paper's unit, None for a net that diverged.

    Attributes:
        train: of the last five batches, mean.
        val: of the validation images at the end, in evaluation mode.
        test: the same of the test images.
        diverged_at: number of updates, or None.
    """

    train: float | None
    val: float | None
    test: float | None
    diverged_at: int | None


@torch.no_grad()
def start(net: nn.Module, seed: int, head: float = 1.0) -> nn.Module:
    """Give a perceptron the paper's start, in place: variance 2 / fan_in, and 0.5 of the biases.

    Only the last matrix and the biases change: the others have that variance already. All
    numbers are uniform.

    Args:
        net: an ``MLP`` as a Run makes it.
        seed: of the biases.
        head: multiplies the last matrix, for a net whose outputs start larger or smaller.
    """
    net.head.weight.mul_(head * math.sqrt(2))
    layers = [module for module in net.modules() if isinstance(module, nn.Linear)]
    for k, layer in enumerate(layers):
        numbers = random.uniform(seed, BIASES + k, len(layer.bias))
        values = (2 * numbers - 1) * math.sqrt(3 * BIAS_VARIANCE)
        layer.bias.copy_(torch.from_numpy(values))
    return net


def net_at_start(run: Run, place: str = "hidden", head: float = 1.0) -> nn.Module:
    """The untrained net of a Run with the paper's start.

    Args:
        run: of an ``mlp``; its normalizer stands in the hidden layers.
        place: ``hidden``; or ``last``: a BatchNorm without weight and bias follows the outputs.
        head: see ``start``.
    """
    check_name("place", place, PLACES)
    net = start(build(run), run.seed, head)
    after = make_norm("batch", CLASSES, affine=False)
    return net if place == "hidden" else nn.Sequential(net, after)


def images(count: int = IMAGES) -> Tensor:
    """The first training images."""
    return torch.tensor(load(BASE.data).train_x[:count])


def white_noise(seed: int, count: int) -> Tensor:
    """Independent Gaussian inputs of mean 0 and variance 1 in the shape of images."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(count, *load(BASE.data).image_shape, generator=generator)


@threads(1)
def eigenvalue(net: nn.Module, statistics: str, x: Tensor | None = None) -> float:
    """Largest eigenvalue of the Fisher matrix of all parameters of a net in training mode.

    Args:
        net: left as it was.
        statistics: ``constant``, as the theory has it, or ``backpropagated``, as in training.
        x: the batch; by default ``images()``.
    """
    x = images() if x is None else x
    with curvature_products(
        net, None, x, kind="fisher", mode="train", batch_statistics=statistics
    ) as product:
        found = extreme_eigenvalues(product, 1, 0, tolerance=TOLERANCE)
    return short(found.top[0])


def theory(run: Run, corrected: bool = False) -> MeanField:
    """Mean-field theory for the net of a Run."""
    inputs = math.prod(load(run.data).image_shape)
    sizes = [inputs] + [run.width] * run.depth
    return mean_field(sizes, run.norm, run.gamma, corrected=corrected)


def largest_rate(eigenvalue: float) -> float:
    """The paper's eta*, 2 (1 + momentum) / eigenvalue."""
    return 2 * (1 + MOMENTUM) / eigenvalue


class WideTrainer(Trainer):
    """Trains the net of a Run from the paper's start. The rate of the Run is UNIT times eta."""

    def __init__(self, run: Run, device: str = "cpu", head: float = 1.0) -> None:
        super().__init__(run, device)
        start(self.net, run.seed, head)

    def final_loss(self, part: str) -> float:
        """Loss of a part of the data, in evaluation mode."""
        return UNIT * evaluate(self.net, *self.part(part), loss=self.loss)[0]


@threads(1)
def outcome(run: Run, eta: float, device: str = "cpu", head: float = 1.0) -> Outcome:
    """Train at the rate ``eta``, in the paper's unit; the rate of the Run does not count."""
    trainer = WideTrainer(run.replace(lr=UNIT * eta), device, head)
    records = list(trainer.steps(looks=False))
    if records[-1].diverged:
        return Outcome(None, None, None, records[-1].step)
    last = [UNIT * record.loss for record in records[-5:]]
    parts = (trainer.final_loss(part) for part in ("val", "test"))
    return Outcome(short(sum(last) / len(last)), *map(short, parts), None)


def short(value: float) -> float:
    """The number, rounded to four digits."""
    return float(f"{value:.4g}")
