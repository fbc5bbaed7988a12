"""How much a Run computes."""

from __future__ import annotations

import math

from torch import nn

from bnlab.data import load
from bnlab.runs.build import build
from bnlab.runs.run import Run


def flop_of_step(run: Run, net: nn.Module | None = None) -> float:
    """About how many multiplications and additions of matrices a step takes, forward and backward.

    Args:
        run: what is trained.
        net: its net, if there is one already.
    """
    # Where a filter of a convolution is applied: in every place, as if no stage had fewer.
    places = math.prod(load(run.data, run.split_seed, run.image_size).image_shape[1:])
    parameters = (net or build(run)).parameters()
    numbers = sum(p.numel() * (places if p.ndim == 4 else 1) for p in parameters)
    return 6.0 * numbers * run.batch_size
