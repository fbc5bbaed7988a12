"""The l2 norms of gradients and steps; ``norm`` alone is a normalizer in this package."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


def vector_norm(tensor: Tensor) -> float:
    """The l2 norm of all numbers as one vector; tiny and huge ones do not vanish when squared."""
    largest = tensor.abs().max()
    if largest == 0 or not largest.isfinite():
        return float(largest)
    return float(largest.double() if largest.device.type != "mps" else largest) * float(
        torch.linalg.vector_norm(tensor / largest)
    )


def total_norm(tensors: Sequence[Tensor]) -> Tensor:
    """The l2 norm of all numbers of all tensors as one vector, float64, shape ()."""
    return torch.linalg.vector_norm(torch.stack(torch._foreach_norm(list(tensors))).double())
