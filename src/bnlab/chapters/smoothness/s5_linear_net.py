"""The deep linear net of S5: does l1 beat BatchNorm, when each has its own best rate?

The net is that of S3. With our constants l1 leaves activations whose deviation is sqrt(pi / 2) =
1.25, and not 1. Each next normalizer takes that out again; the last one does not, and the targets
are three times as large. The weights also act 1.25 times as strongly, so that a step changes the
outputs pi / 2 times as much. The control ``rescaled`` takes this difference away and keeps the
rest: BatchNorm in which all weights start at 1.25 and make steps pi / 2 times as long.

Rates are chosen by the loss at the end, with the first ``TUNERS`` of the tuning seeds.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import numpy as np
import torch

from bnlab.chapters.covariate_shift import deep_linear
from bnlab.train import threads
from bnlab.verdicts.table import Table
from bnlab.verdicts.ties import first_best
from bnlab.verdicts.work import Work

RESCALED = "rescaled"
NETS = ("batch", "l1_batch", RESCALED)
LRS = (1e-3, 2e-3, 4e-3, 8e-3, 1.6e-2)
TUNERS = 3
STRETCH = math.pi / 2
NUMBERS = ("first", "last", "spread")


def tune(tuning: Sequence[int], work: Work) -> list[list]:
    """Rows of each net at all rates, with the seeds that choose."""
    return work.starmap(row, itertools.product(NETS, LRS, tuning))


def counted(
    rows: list[list], tuning: Sequence[int], seeds: Sequence[int], work: Work, whole: bool = True
) -> list[list]:
    """Rows of the seeds that count, each net at the rate that the rows of ``tune`` choose.

    Args:
        rows: those of ``tune``.
        tuning: their seeds.
        seeds: whose runs are the evidence.
        work: does the trainings.
        whole: train the control too; else only the two nets that decide.
    """
    places = [(norm, best_of(rows, norm, tuning)) for norm in (NETS if whole else NETS[:2])]
    return work.starmap(row, [(*place, seed) for place in places for seed in seeds])


@threads(1)
def row(norm: str, lr: float, seed: int, steps: int = deep_linear.STEPS) -> list:
    """The deep linear net, trained as in S3 by gradient descent: first and last loss, deviation.

    A loss of None says that it diverged.
    """
    net, x, y = deep_linear.make("batch" if norm == RESCALED else norm, seed)
    longer = set()
    if norm == RESCALED:
        longer = {layer.weight for layer in net[1::2]}
        for weight in longer:
            torch.nn.init.constant_(weight, math.sqrt(STRETCH))
    parameters, losses, spread = list(net.parameters()), [], None
    factors = [STRETCH if p in longer else 1.0 for p in parameters]
    for _ in range(steps + 1):
        output = net(x)
        spread = spread or output.std().item()
        value = deep_linear.loss(output, y)
        losses.append(value.item())
        if not losses[-1] <= deep_linear.GROWTH * losses[0]:
            losses[-1] = None
            break
        slopes = torch.autograd.grad(value, parameters)
        with torch.no_grad():
            torch._foreach_add_(parameters, torch._foreach_mul(slopes, factors), alpha=-lr)
    numbers = [losses[0], losses[-1], spread]
    short = [None if value is None else float(f"{value:.4g}") for value in numbers]
    return ["linear", deep_linear.LAYERS, norm, lr, seed, None, None, None, None, short]


def best_of(rows: list[list], norm: str, tuning: Sequence[int]) -> float:
    """The rate with the lowest geometric mean of the loss at the end; who diverges is out."""
    ends = {tuple(found[2:5]): found[-1][1] for found in rows if found[0] == "linear"}
    losses = [[ends[norm, lr, seed] or math.inf for seed in tuning] for lr in LRS]
    return LRS[first_best(-np.log(losses).mean(1))]


def best_lr(data: dict, norm: str) -> float:
    """The best rate of a net, from the evidence."""
    return best_of(data["rows"], norm, data["linear_tuning"])


def numbers(data: dict, norm: str, name: str = "last") -> np.ndarray:
    """One of ``NUMBERS`` at the net's best rate, (seeds,); NaN if it diverged."""
    rows = Table.of(data).where(part="linear", norm=norm, lr=best_lr(data, norm))
    found = rows.entries("numbers", seed=data["seeds"])
    return np.array([each[NUMBERS.index(name)] for each in found], dtype=float)


def trained(data: dict) -> list[str]:
    """The nets that the counted seeds have trained."""
    rows = Table.of(data).where(part="linear", seed=data["seeds"])
    return [norm for (norm,) in rows.distinct("norm")]
