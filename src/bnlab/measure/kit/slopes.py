"""Gradients as every measurement takes them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import torch
from torch import Tensor

REENTRANT = "CheckpointFunctionBackward"
"""What a reentrant checkpoint is in a graph."""


def slopes_of(
    value: Tensor, tensors: Sequence[Tensor], materialize: bool = True
) -> list[Tensor | None]:
    """The gradient of ``value`` to each tensor, dense.

    Where ``value`` does not depend on one, it is zero; None without ``materialize``.

    Raises:
        ValueError: for a net with reentrant checkpoints, which know no such gradients.
    """
    try:
        found = torch.autograd.grad(value, tensors, allow_unused=True)
    except RuntimeError as error:
        if "use_reentrant" in str(error):
            _refuse_reentrant(error)
        raise
    if any(slope is None for slope in found):  # within a checkpoint, or not used at all
        check_not_reentrant([value])
    if materialize:
        pairs = zip(found, tensors, strict=True)
        found = [torch.zeros_like(t) if slope is None else slope for slope, t in pairs]
    return [g.to_dense() if g is not None and g.is_sparse else g for g in found]


def check_not_reentrant(roots: Iterable[Tensor]) -> None:
    """Raise a ``ValueError`` if there is a reentrant checkpoint in these graphs.

    Torch would give None for the gradient of what is in it, as for what is not used.
    """
    if any(type(node).__name__ == REENTRANT for node in nodes_in(roots)):
        _refuse_reentrant(None)


def _refuse_reentrant(error: RuntimeError | None) -> None:
    raise ValueError(
        "the net has a reentrant checkpoint, through which torch gives gradients to .backward() "
        "alone: call checkpoint(..., use_reentrant=False) in it."
    ) from error


def nodes_in(roots: Iterable[Tensor]) -> Iterator[object]:
    """All nodes of the graphs of these tensors, each once."""
    waiting = [tensor.grad_fn for tensor in roots if tensor.grad_fn is not None]
    seen = set(waiting)
    while waiting:
        node = waiting.pop()
        yield node
        new = {child for child, _ in node.next_functions if child is not None} - seen
        seen |= new
        waiting += new
