"""R1 of Ioffe 2017: without limits, training computes what inference computes.

With r = sd_B / sd and d = (mean_B - mu) / sd, where mu and sd are the running statistics,

    (x - mean_B) / sd_B * r + d = (x - mean_B + mean_B - mu) / sd = (x - mu) / sd.

Settings and margins were fixed before the seeds of ``SEEDS`` were run.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor, nn

from bnlab.norms import BatchNorm, BatchRenorm
from bnlab.runs.build import training_data
from bnlab.train import Run, build, threads
from bnlab.verdicts.table import Table
from bnlab.verdicts.work import HERE, Work

SEEDS = tuple(range(540, 556))
SHAPES = ((2, 64), (4, 64), (32, 64), (4, 16, 8, 8))
UNLIMITED = {"r_max": None, "d_max": None}
BASE = Run(depth=4, norm="batch_renorm", batch_size=32, precision="float64")
FLOOR = 1e-17  # stands for no difference at all
COLUMNS = ("what", "size", "seed", "output", "gradient", "sum", "batch")


def measure(
    seeds: Sequence[int] = SEEDS,
    work: Work = HERE,
    limits: Mapping[str, float | None] = UNLIMITED,
) -> dict:
    """Compare training with inference, for layers with random numbers and for a whole net.

    Args:
        seeds: of inputs, weights and running statistics.
        work: compares, a seed at a time.
        limits: of r and d; the claim is about none.

    Returns:
        ``base``, ``seeds``, ``columns`` and ``rows``: ``what`` (``layer`` or ``net``) with ``size``
        of the batch; largest relative difference of the ``output`` in training and in inference;
        of the input ``gradient`` and r times BatchNorm's; the ``sum`` of that gradient over the
        batch; and how far the output of BatchNorm (``batch``) is from that in inference. The last
        three are None for the net.
    """
    return {
        "base": BASE.to_dict(),
        "seeds": list(seeds),
        "columns": list(COLUMNS),
        "rows": [
            row for rows in work.starmap(_rows, [(seed, limits) for seed in seeds]) for row in rows
        ],
    }


@threads(1)
def _rows(seed: int, limits: Mapping) -> list[list]:
    """The comparisons of a seed."""
    generator = torch.Generator().manual_seed(seed)
    *vectors, images = SHAPES
    return [
        *(["layer", shape[0], *_layer(shape, generator, seed, limits)] for shape in vectors),
        ["images", images[0], *_layer(images, generator, seed, limits)],
        ["net", BASE.batch_size, *_net(generator, seed, limits)],
    ]


def _randomize(norm: nn.Module, generator: torch.Generator) -> None:
    """Running statistics and parameters as if something had been learned."""
    for tensor, low, high in (
        (norm.running_mean, -2, 2),
        (norm.running_var, 0.1, 4),
        (norm.weight.data, -2, 2),
        (norm.bias.data, -2, 2),
    ):
        tensor.uniform_(low, high, generator=generator)


def difference(found: Tensor, wanted: Tensor) -> float:
    """Largest difference over the largest number that is wanted; at least ``FLOOR``."""
    apart = ((found - wanted).abs().max() / wanted.abs().max()).detach()
    return float(f"{max(float(apart), FLOOR):.4g}")


def _layer(shape: tuple[int, ...], generator: torch.Generator, seed: int, limits: Mapping) -> list:
    norm = BatchRenorm(shape[1], **limits).double()
    _randomize(norm, generator)
    batch = BatchNorm(shape[1]).double()
    batch.load_state_dict(norm.state_dict())
    x = torch.randn(shape, generator=generator, dtype=torch.float64, requires_grad=True)
    weights = torch.randn(shape, generator=generator, dtype=torch.float64)
    wanted = copy.deepcopy(norm).eval()(x)
    dims = (0, *range(2, x.ndim))
    r = ((x.var(dims, correction=0) + norm.eps) / (norm.running_var + norm.eps)).sqrt()
    r = r.detach().reshape(1, -1, *[1] * (x.ndim - 2))
    outputs = {"renorm": norm(x), "batch": batch(x)}
    slopes = {name: torch.autograd.grad((y * weights).sum(), x)[0] for name, y in outputs.items()}
    total = slopes["renorm"].sum(dims).abs().max() / slopes["renorm"].abs().max()
    return [
        seed,
        difference(outputs["renorm"], wanted),
        difference(slopes["renorm"], r * slopes["batch"]),
        float(f"{max(float(total), FLOOR):.4g}"),
        difference(outputs["batch"], wanted),
    ]


@torch.no_grad()
def _net(generator: torch.Generator, seed: int, limits: Mapping) -> list:
    run = BASE.replace(seed=seed, norm_options=limits)
    net, data = build(run), training_data(run)
    for module in net.modules():
        if isinstance(module, BatchRenorm):
            _randomize(module, generator)
    x = torch.tensor(data.train_x[: run.batch_size], dtype=torch.float64)
    wanted = copy.deepcopy(net).eval()(x)
    return [seed, difference(net.train()(x), wanted), None, None, None]


def _column(data: dict, name: str) -> np.ndarray:
    """(seeds, comparisons), without those that have no such number."""
    table = Table.of(data)
    by_seed = [table.where(seed=seed).entries(name) for seed in data["seeds"]]
    return np.array([[number for number in row if number is not None] for row in by_seed])


def values(data: dict) -> dict[str, np.ndarray]:
    """The effect of R1, one number a seed: that of the comparison with the largest difference."""
    return {"same": np.log10(_column(data, "output").max(1))}


def facts(data: dict) -> dict[str, object]:
    """Numbers for sentences about R1."""
    largest = {name: float(_column(data, name).max()) for name in COLUMNS[3:]}
    found = {f"{name}_largest": value for name, value in largest.items()}
    found["batch_typical"] = float(np.median(_column(data, "batch")))
    digits = -math.ceil(math.log10(largest["output"]))
    return {**found, "seeds": len(data["seeds"]), "digits": digits}
