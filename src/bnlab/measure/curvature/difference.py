"""Is a product with a curvature matrix the change of a gradient? Compared with a difference.

Only where a function in the graph is not torch's own. In other nets there is nothing to find, and
kinks (ReLU) make a difference over a finite step that no derivative knows of.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Sequence

import numpy as np
import torch
from torch import Tensor
from torch.autograd.function import BackwardCFunction

from bnlab.measure.curvature.matrices import Matrix
from bnlab.measure.kit.coverage import levels_to_the_user
from bnlab.measure.kit.lengths import vector_norm
from bnlab.measure.kit.slopes import nodes_in

STEPS = {torch.float32: (1e-2, 1e-3, 1e-4), torch.float64: (1e-3, 1e-5, 1e-7, 1e-8)}
"""Lengths of the step, as shares of the length of all weights; 16 bits are too coarse for any."""

FAR = 0.02
"""Difference beyond which a product is not taken for the derivative: a share of the larger one."""

Tensors = Sequence[Tensor | None]


def compare(parameters: Sequence[Tensor], value: Callable[[], Tensors], matrix: Matrix) -> None:
    """Warn if what autograd gives for the matrix is no derivative, by one product.

    Args:
        parameters: the weights.
        value: ``matrix.value`` of the net's output, where the weights are now.
        matrix: from ``MATRICES``.
    """
    functions = own_functions(matrix.graphs)
    if functions:
        own = [p.detach() for p in parameters]  # another direction: all weights grow
        found = (
            mismatch(parameters, value, matrix.derivative, along)
            for along in (matrix.direction, own)
        )
        warn_if_far(max(found), functions)


def mismatch(
    parameters: Sequence[Tensor],
    value: Callable[[], Tensors],
    product: Callable[[list[Tensor]], Tensors],
    direction: Tensors,
) -> float:
    """How far product(v) is from (value(w + t v) - value(w - t v)) / 2t, at the best of ``STEPS``.

    The steps go behind autograd's back, and are taken back: graphs that were built before hold.

    Args:
        parameters: w, all of one type.
        value: what it is the derivative of, where the weights are now.
        product: its derivative along a vector, by automatic differentiation.
        direction: v, a tensor or None (zeros) for each parameter.

    Returns:
        The length of the difference over that of the longer one, 0 to 2; 0 where both are zero but
        for rounding, and where nothing can be compared.
    """
    pairs = zip(direction, parameters, strict=True)
    v = [torch.zeros_like(p) if a is None else a.detach() for a, p in pairs]
    length, size = _length(v), _length(parameters)
    kinds = {p.dtype for p in parameters}
    if len(kinds) > 1 or not kinds <= set(STEPS) or not 0 < length < np.inf or not size:
        return 0.0
    (kind,) = kinds
    exact, found = product(v), []
    for share in STEPS[kind]:
        step = share * size / length
        low, high = (_at(parameters, v, sign * step, value) for sign in (-1, 1))
        rounding = 100 * torch.finfo(kind).eps * max(_length(low), _length(high)) / step
        slope = [_minus(b, a, 2 * step) for a, b in zip(low, high, strict=True)]
        left = _length([_minus(a, b) for a, b in zip(slope, exact, strict=True)])
        largest = max(_length(slope), _length(exact))
        found.append(left / largest if left > rounding else 0.0)
    return min(found)


def own_functions(roots: Iterable[Tensor]) -> list[str]:
    """Names of the autograd functions in these graphs that are neither torch's nor of this package.

    Torch's own have a second derivative or say that they have none. One that was written, in Python
    or C++, may have none and say nothing.

    Args:
        roots: the tensors.
    """
    found: dict[str, None] = {}
    for node in nodes_in(roots):
        if _is_foreign(node):
            found[type(node).__name__.removesuffix("Backward")] = None
    return list(found)


def _is_foreign(node: object) -> bool:
    if isinstance(node, BackwardCFunction):
        made_by = getattr(node, "_forward_cls", type(node)).__module__
        return not made_by.startswith(("bnlab.", "torch.nn."))
    return type(node).__name__ == "CppFunction"


def warn_if_far(found: float, functions: Sequence[str]) -> None:
    """Say so, if a product is no derivative."""
    if found > FAR:
        warnings.warn(
            "A product with this curvature matrix differs from the change that a small step makes, "
            f"by {100 * min(found, 1):.0f} %: {', '.join(functions)} in the net or the loss may "
            "have no second derivative for autograd (once_differentiable, or a backward pass that "
            "detaches), and its part is then missing here. Write it in operations of torch to be "
            "sure. (A function with many kinks, such as ReLU, makes such a difference too.)",
            stacklevel=levels_to_the_user(),
        )


@torch.no_grad()
def _at(
    parameters: Sequence[Tensor], v: list[Tensor], step: float, value: Callable[[], Tensors]
) -> Tensors:
    start = [p.detach().clone() for p in parameters]
    try:
        for p, a in zip(parameters, v, strict=True):
            p.data.add_(a, alpha=step)
        with torch.enable_grad():
            return [part if part is None else part.detach() for part in value()]
    finally:
        for p, old in zip(parameters, start, strict=True):
            p.data.copy_(old)


def _minus(a: Tensor | None, b: Tensor | None, over: float = 1.0) -> Tensor | None:
    if a is None or b is None:
        a = b if a is None else a
        return None if a is None else a / over
    return (a - b) / over


def _length(tensors: Tensors) -> float:
    lengths = [vector_norm(t.detach()) for t in tensors if t is not None and t.numel()]
    return float(np.linalg.norm(lengths))
