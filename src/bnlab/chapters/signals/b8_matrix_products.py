"""B8 of Bjorck 2018: products of random matrices, and chains with BatchNorm between them.

Settings, margins and the prediction were written before the seeds of ``SEEDS`` were run. The spread
of the singular values was an effect at first; after a pilot with two other seeds it became a mere
fact, since the paper claims only that BatchNorm resets the scale.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from bnlab.chapters.signals.b3_to_b6_l1_at_start import SEEDS
from bnlab.norms import make_norm
from bnlab.train import Run, threads
from bnlab.verdicts.table import Table
from bnlab.verdicts.work import HERE, Work

BASE = Run(net="mlp", depth=5, width=256)
COUNTS = (1, 3, 5)  # matrices in a product, as in the paper's figure
DEEP = 20  # matrices in the chains that are compared
SAMPLES = 512
KEPT = 64  # quantiles of the singular values that are stored


def measure(seeds: Sequence[int] = SEEDS, work: Work = HERE) -> dict:
    """Singular values of products, and of what a chain makes of a batch of Gaussian samples.

    All matrices are ``width`` x ``width`` with entries N(0, 1/width), float64.

    Returns:
        ``rows``, one a seed: quantiles of the singular values for each of ``COUNTS``, the logarithm
        of the condition numbers, and for the chains with and without BatchNorm the spread of the
        singular values of the output, and the growth when all matrices are doubled.
    """
    return {
        "base": BASE.to_dict(),
        "seeds": list(seeds),
        "columns": ["seed", "quantiles", "condition", "spread", "doubled"],
        "rows": work.map(_row, seeds),
    }


@threads(1)
def _row(seed: int) -> list:
    generator = torch.Generator().manual_seed(seed)
    size = BASE.width
    matrices = torch.randn(DEEP, size, size, generator=generator, dtype=torch.float64) / size**0.5
    x = torch.randn(SAMPLES, size, generator=generator, dtype=torch.float64)
    values = [torch.linalg.svdvals(_product(matrices[:count])) for count in COUNTS]
    levels = torch.linspace(0, 1, KEPT, dtype=torch.float64)
    quantiles = [[float(f"{q:.4g}") for q in torch.quantile(v, levels)] for v in values]
    condition = [float((v[0] / v[-1]).log10()) for v in values]
    spread = [_spread(_chain(x, matrices, norm)) for norm in (False, True)]
    few = matrices[: COUNTS[-1]]
    doubled = [
        float((_chain(x, 2 * few, norm).std() / _chain(x, few, norm).std()).log10())
        for norm in (False, True)
    ]
    return [
        seed,
        quantiles,
        *([round(v, 4) for v in part] for part in (condition, spread, doubled)),
    ]


def _product(matrices: Tensor) -> Tensor:
    return matrices[0] if len(matrices) == 1 else torch.linalg.multi_dot(tuple(matrices))


def _chain(x: Tensor, matrices: Tensor, norm: bool) -> Tensor:
    layer = make_norm("batch" if norm else "none", x.shape[1]).double()
    with torch.no_grad():
        for matrix in matrices:
            x = layer(x @ matrix)
    return x


def _spread(x: Tensor) -> float:
    """log10 of the largest over the median singular value."""
    values = torch.linalg.svdvals(x)
    return float((values[0] / values.median()).log10())


def largest(count: int) -> float:
    """Largest singular value of a product of ``count`` large matrices: sqrt((M+1)^(M+1) / M^M)."""
    return float(((count + 1) ** (count + 1) / count**count) ** 0.5)


def values(data: dict) -> dict[str, np.ndarray]:
    """The effects of B8, one number a seed."""
    condition, doubled = (Table.of(data).column(name) for name in ("condition", "doubled"))
    return {
        "condition": condition[:, -1] - condition[:, 0],
        "scale": doubled[:, 0] - doubled[:, 1],
    }


def facts(data: dict) -> dict[str, object]:
    """Numbers for sentences about B8."""
    table, found = Table.of(data), {}
    for k, count in enumerate(COUNTS):
        found[f"largest_{count}"] = table.column("quantiles")[:, k, -1].mean()
        found[f"theory_{count}"] = largest(count)
        found[f"condition_{count}"] = 10 ** table.column("condition")[:, k].mean()
    spread = 10 ** table.column("spread").mean(0)
    return {**found, "spread_none": spread[0], "spread_batch": spread[1], "deep": DEEP}
