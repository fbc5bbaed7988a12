"""L2 and L4 of Lubana 2021 on photographs: plain nets of 10 and 20 convolutions, at the start.

What is measured is what ``l2_l4_at_start`` measures on digits; its functions read the rows.
Settings and margins were fixed before the seeds of ``SEEDS`` were run; they were chosen knowing the
results on digits and a trial with the seed 2100.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from bnlab import random
from bnlab.chapters.group_size.l2_l4_at_start import DEPTHS, NORMS, setting
from bnlab.data import load
from bnlab.measure import measure_signals
from bnlab.train import Run, build, threads
from bnlab.verdicts.work import HERE, Work

SEEDS = tuple(range(1364, 1372))
BASE = Run(data="cifar10", image_size=32, net="plain", depth=20, width=16, batch_size=128)


def measure(
    seeds: Sequence[int] = SEEDS,
    work: Work = HERE,
    image_size: int | None = None,
    part: str = "cosine",
) -> dict:
    """The signals of untrained nets, one row a depth, normalizer and seed.

    Args:
        seeds: whose nets are the evidence.
        work: measures the nets.
        image_size: 32 or 16, in place of that of the base.
        part: ``cosine`` for L2, ``gradient`` for L4, see ``l2_l4_at_start.signal``.
    """
    base = BASE if image_size is None else BASE.replace(image_size=image_size)
    plan = [(base, *net, part) for net in itertools.product(DEPTHS, NORMS, seeds)]
    return {
        "base": base.to_dict(),
        "depths": list(DEPTHS),
        "norms": list(NORMS),
        "seeds": list(seeds),
        "columns": ["depth", "norm", "seed", part],
        "rows": work.starmap(_row, plan),
    }


@threads(1)
def _row(base: Run, depth: int, norm: str, seed: int, part: str) -> list:
    run = base.replace(depth=depth, seed=seed, **setting(norm))
    found = cosines(run) if part == "cosine" else gradients(run)
    return [depth, norm, seed, [float(f"{value:.5g}") for value in found]]


def batch(run: Run) -> tuple[Tensor, Tensor]:
    """A batch of training images in float64 and their labels, other ones for each seed."""
    data = load(run.data, run.split_seed, run.image_size)
    chosen = random.permutation(run.seed, random.BATCH, len(data.train_y))[: run.batch_size]
    return torch.tensor(data.train_x[chosen]).double(), torch.tensor(data.train_y[chosen])


def cosines(run: Run) -> list[float]:
    """Mean cosine of two samples after each layer's nonlinearity, before the first step."""
    return measure_signals(build(run).double(), None, batch(run)[0], mode="train").cosine.tolist()


def gradients(run: Run) -> list[float]:
    """Norm of the gradient of the loss by each convolution's outputs, before the first step."""
    net, (x, y) = build(run).double(), batch(run)
    return measure_signals(
        net, cross_entropy, x, y, layers=nn.Conv2d, mode="train"
    ).gradient_norm.tolist()
