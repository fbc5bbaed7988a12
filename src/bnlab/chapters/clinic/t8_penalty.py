"""T8: what one sample's output has to do with another sample's input, for each normalizer.

With the output f_i of sample i (the logit of its label) and the input x_j of sample j, the matrix
of ||d f_i / d x_j|| is diagonal if samples do not see each other. *Leak* is the share of the sum of
squares that lies off the diagonal. *Penalty* is what a critic with a gradient penalty for each
sample gets wrong: its code takes the gradient of sum_i f_i by x_j and means d f_j / d x_j; the
penalty is the mean over j of | ||sum_i d f_i / d x_j|| / ||d f_j / d x_j|| - 1 |.

Nothing is raced: the nets are those at the start and at the end of a training.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from bnlab.chapters.clinic.setting import BASE, ENGINE, tensors, trained
from bnlab.train import Run, make_trainer, threads
from bnlab.verdicts.table import Table
from bnlab.verdicts.work import HERE, Work

SEEDS = tuple(range(1472, 1488))
NORMS: dict[str, dict[str, object]] = {
    "none": {},
    "batch": {},
    "batch_renorm": {},
    "ghost_batch": {"ghost_size": 4},
    "group": {"group_size": 8},
    "layer": {},
}
SIZES = (8, 64)
BASE = BASE.replace(precision="float64")
COLUMNS = ("norm", "size", "trained", "seed", "leak", "penalty")


def measure(
    seeds: Sequence[int] = SEEDS,
    work: Work = HERE,
    base: Run = BASE,
    norms: Sequence[str] = tuple(NORMS),
) -> dict:
    """Look at each normalizer before and after a training, with batches of each size.

    Returns:
        ``base``, ``columns`` and ``rows``, one a normalizer, size, time and seed.
    """
    plan = [(norm, base.replace(seed=seed)) for norm, seed in itertools.product(norms, seeds)]
    found = work.starmap(rows, plan)
    return {
        "engine": ENGINE,
        "base": base.to_dict(),
        "norms": list(norms),
        "seeds": list(seeds),
        "columns": list(COLUMNS),
        "rows": [row for some in found for row in some],
    }


def repeat(data: dict, seeds: Sequence[int]) -> dict:
    """The same for some seeds."""
    return measure(seeds, base=Run.from_dict(data["base"]), norms=data["norms"])


@threads(1)
def rows(norm: str, run: Run) -> list[list]:
    """``COLUMNS`` of a normalizer and seed, at the start and at the end, for each size."""
    run, found = run.replace(norm=norm, norm_options=NORMS[norm]), []
    for is_trained in (False, True):
        trainer = trained(run) if is_trained else make_trainer(run, ENGINE, "cpu")
        x, y = tensors(trainer, "test")
        for size in SIZES:
            numbers = influence(trainer.net, x[:size], y[:size])
            found.append([norm, size, is_trained, run.seed, *numbers])
    return found


def influence(net: nn.Module, x: Tensor, y: Tensor) -> list[float]:
    """Leak and penalty of a batch, four digits; see the head of this module."""
    matrix, summed = matrix_of(net, x, y)
    own = matrix.diagonal()
    leak = 1 - (own**2).sum() / (matrix**2).sum()
    penalty = (summed / own - 1).abs().mean()
    return [float(f"{number.item():.4g}") for number in (leak.clamp(min=0), penalty)]


def matrix_of(net: nn.Module, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """||d f_i / d x_j|| as a matrix (N, N), and ||sum_i d f_i / d x_j||, (N,); training mode."""
    x = x.detach().clone().requires_grad_()
    f = net.train()(x).gather(1, y[:, None])[:, 0]
    parts = [torch.autograd.grad(one, x, retain_graph=True)[0].flatten(1) for one in f]
    by_output = torch.stack(parts)
    return by_output.norm(dim=2), by_output.sum(0).norm(dim=1)


def column(data: dict, norm: str, name: str, size: int, is_trained: bool = True) -> np.ndarray:
    """A column of a normalizer, (seeds,)."""
    table = Table.of(data).where(norm=norm, size=size, trained=is_trained)
    return table.column(name, seed=data["seeds"])


def largest(data: dict, norm: str) -> np.ndarray:
    """The largest of all leaks and penalties of a normalizer, (seeds,)."""
    table = Table.of(data).where(norm=norm)
    along = {"size": SIZES, "trained": [False, True], "seed": data["seeds"]}
    return np.max([table.column(name, **along) for name in ("leak", "penalty")], axis=(0, 1, 2))


def values(data: dict) -> dict[str, np.ndarray]:
    """The effects of T8, one number a seed; a leak of 0 counts as 1e-17."""
    alone = np.max([largest(data, norm) for norm in ("none", "group", "layer")], axis=0)
    return {
        "penalty": column(data, "batch", "penalty", 64),
        "leak": column(data, "batch", "leak", 64),
        "leak_8": column(data, "batch", "leak", 8),
        "start": column(data, "batch", "leak", 64, is_trained=False),
        "alone": np.log10(np.maximum(alone, 1e-17)),
    }


def facts(data: dict) -> dict[str, object]:
    """Numbers for sentences about T8: leaks and penalties in per cent, after the training."""
    found: dict[str, object] = {"seeds": len(data["seeds"])}
    for norm, size in itertools.product(data["norms"], SIZES):
        for name in ("leak", "penalty"):
            found[f"{name}_{norm}_{size}"] = 100 * column(data, norm, name, size).mean()
    return found
