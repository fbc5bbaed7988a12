"""W1 of Wei et al. 2019 on CIFAR-10: the largest Fisher eigenvalue before the first step.

The net is the paper's for CIFAR-10: four layers with weights and width 1000 on 32 x 32 pixels. It
decides; 16 x 16 pixels are there to see whether the answer depends on them. Settings and margins
are those of digits, fixed before the seeds of ``SEEDS`` were run. Nothing is trained.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from bnlab.chapters.mean_field import wide_net
from bnlab.chapters.mean_field.w1_fisher_at_start import DECISIVE, IMAGES
from bnlab.chapters.mean_field.wide_net import HELD, THROUGH
from bnlab.data import load
from bnlab.measure import mean_field
from bnlab.train import Run
from bnlab.verdicts.table import Table, fact_name
from bnlab.verdicts.work import HERE, Work

SEEDS = tuple(range(1388, 1396))
BASE = wide_net.BASE.replace(data="cifar10", image_size=32, width=1000)
SIZES = (32, 16)
NORMS = (("none", 1.0), *(("batch", gamma) for gamma in DECISIVE))  # normalizer and gamma
COLUMNS = ("image_size", "norm", "gamma", "seed", "held", "through")


def measure(seeds: Sequence[int] = SEEDS, work: Work = HERE, image_size: int | None = None) -> dict:
    """The largest eigenvalue of untrained nets, without a normalizer and with BatchNorm.

    Args:
        seeds: of the weights.
        work: measures the nets.
        image_size: of the photographs that decide; by default that of the base.

    Returns:
        ``base``, ``seeds``, ``columns`` and ``rows``: one a net and seed, with the eigenvalue for
        statistics that are held constant and for those that gradients pass through.
    """
    base = BASE if image_size is None else BASE.replace(image_size=image_size)
    cases = [(size, *net, seed) for size in SIZES for net in NORMS for seed in seeds]
    runs = [
        base.replace(image_size=size, norm=norm, gamma=gamma, seed=seed)
        for size, norm, gamma, seed in cases
    ]
    found = work.map(eigenvalues, runs)
    return {
        "base": base.to_dict(),
        "seeds": list(seeds),
        "columns": list(COLUMNS),
        "rows": [[*case, *pair] for case, pair in zip(cases, found, strict=True)],
    }


def eigenvalues(run: Run) -> list[float]:
    """With statistics that are held constant, and that gradients pass through."""
    net, x = wide_net.net_at_start(run), images(run)
    through = wide_net.eigenvalue(net, THROUGH, x)
    held = through if run.norm == "none" else wide_net.eigenvalue(net, HELD, x)
    return [held, through]


def images(run: Run) -> Tensor:
    """The first training images of a Run's data."""
    return torch.tensor(load(run.data, image_size=run.image_size).train_x[:IMAGES])


def repeat(data: dict, seeds: Sequence[int]) -> dict:
    """The same nets for some seeds."""
    return measure(seeds, image_size=data["base"]["image_size"])


def select(data: dict, size: int, norm: str, gamma: float, name: str = "held") -> np.ndarray:
    """The eigenvalues of a net, (seeds,)."""
    table = Table.of(data).where(image_size=size, norm=norm, gamma=gamma)
    return table.column(name, seed=data["seeds"])


def decades(data: dict, size: int, gamma: float, name: str = "held") -> np.ndarray:
    """log10 of the eigenvalue without a normalizer over that with BatchNorm, (seeds,)."""
    plain = select(data, size, "none", 1.0, name)
    return np.log10(plain / select(data, size, "batch", gamma, name))


def values(data: dict) -> dict[str, np.ndarray]:
    """The effects of W1, one number a seed."""
    found = {}
    for name, gamma in zip(("one", "four"), DECISIVE, strict=True):
        net = (data["base"]["image_size"], gamma)
        found[name], found[f"{name}_through"] = decades(data, *net), decades(data, *net, "through")
    return found


def predicted(data: dict, size: int, norm: str, gamma: float) -> float:
    """What theory says of the eigenvalue with held statistics, for inputs that are white noise.

    It has the terms of finite size and the variance that the paper's recursions leave out.
    """
    base = Run.from_dict(data["base"])
    sizes = [3 * size * size] + [base.width] * base.depth
    theory = mean_field(sizes, norm, gamma, corrected=True)
    return theory.fisher_eigenvalue(IMAGES, wide_net.CLASSES)


def facts(data: dict) -> dict[str, object]:
    """Numbers for sentences about W1 on CIFAR-10.

    Of each net the eigenvalue, ``value_``; how many times the one without a normalizer is larger,
    ``held_`` and ``through_``; and the eigenvalue over that of the theory, ``theory_``.
    """
    found: dict[str, object] = {
        "seeds": len(data["seeds"]),
        "image_size": data["base"]["image_size"],
    }
    for size, (norm, gamma) in itertools.product(SIZES, NORMS):
        end = fact_name(size, norm, gamma)
        value = select(data, size, norm, gamma).mean()
        found[f"value_{end}"] = value
        found[f"theory_{end}"] = value / predicted(data, size, norm, gamma)
        if norm == "batch":
            for name in ("held", "through"):
                found[f"{name}_{end}"] = math.pow(10, decades(data, size, gamma, name).mean())
    return found
