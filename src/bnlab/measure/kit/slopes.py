"""Gradients as every measurement takes them."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


def slopes_of(
    value: Tensor, tensors: Sequence[Tensor], materialize: bool = True
) -> list[Tensor | None]:
    """The gradient of ``value`` to each tensor, dense.

    Where ``value`` does not depend on one, it is zero; None without ``materialize``.

    Raises:
        ValueError: for a net with reentrant checkpoints, which know no such gradients.
    """
    try:
        found = torch.autograd.grad(
            value, tensors, allow_unused=True, materialize_grads=materialize
        )
    except RuntimeError as error:
        raise_reentrant(error)
        raise
    return [g.to_dense() if g is not None and g.is_sparse else g for g in found]


def raise_reentrant(error: RuntimeError) -> None:
    """Raise a ``ValueError`` that says what to do, if reentrant checkpoints are the reason."""
    if "use_reentrant" in str(error):
        raise ValueError(
            "the net has a reentrant checkpoint, through which torch gives gradients to .backward()"
            " alone: call checkpoint(..., use_reentrant=False) in it."
        ) from error
