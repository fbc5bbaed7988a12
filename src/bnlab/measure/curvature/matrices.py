"""The curvature matrices of a loss, each as a map from a vector to its product.

All by reverse mode over reverse mode. Forward over reverse, which most libraries use, is wrong for
torch's normalizers in training mode (pytorch#196699); in this order their kernels' second
derivatives are right.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from bnlab import random
from bnlab.measure.curvature.convex import is_convex
from bnlab.measure.kit.loss import Loss

Apply = Callable[[list[Tensor]], Sequence[Tensor | None]]
"""One tensor a parameter in; one, or None for zeros, out."""

Zeros = Callable[[], int] | None
"""How many eigenvalues are 0 by algebra, and none is below; None for a matrix that says nothing."""


class Matrix(NamedTuple):
    """A curvature matrix at the weights of a net.

    Attributes:
        apply: the product with a vector.
        zeros: see ``Zeros``.
        value: of the net's output at any weights, what ``derivative`` differentiates.
        derivative: of ``value``, at the net's own weights, along a vector; both are compared with
            each other, to see what automatic differentiation misses.
        direction: a vector along which it is not small.
        graphs: tensors in whose graphs all is that is differentiated.
    """

    apply: Apply
    zeros: Zeros
    value: Callable[[object], Sequence[Tensor | None]]
    derivative: Apply
    direction: Sequence[Tensor | None]
    graphs: Sequence[Tensor]


def _hessian(output: object, loss: Loss, y: Tensor | None, parameters: list[Tensor]) -> Matrix:
    value = loss(output, y)
    slopes = torch.autograd.grad(value, parameters, create_graph=True, allow_unused=True)
    # A gradient that is a constant has no graph: its rows are zero.
    curved = [i for i, g in enumerate(slopes) if g is not None and g.requires_grad]

    def apply(v: list[Tensor]) -> Sequence[Tensor | None]:
        if not curved:
            return [None] * len(parameters)
        along = [v[i] for i in curved]
        return _grad([slopes[i] for i in curved], parameters, along)

    def gradient(output: object) -> Sequence[Tensor | None]:
        return torch.autograd.grad(loss(output, y), parameters, allow_unused=True)

    return Matrix(apply, None, gradient, apply, slopes, [value])


def _gauss_newton(output: object, loss: Loss, y: Tensor | None, parameters: list[Tensor]) -> Matrix:
    forward = _jacobian_product(output, parameters)
    leaf = output.detach().requires_grad_()
    value = loss(leaf, y)
    (slope,) = torch.autograd.grad(value, leaf, create_graph=True)

    def curved(moved: Tensor) -> Tensor | None:
        if not slope.requires_grad:  # a loss that is linear in the output
            return None
        return _grad([slope], [leaf], [moved])[0]

    def apply(v: list[Tensor]) -> Sequence[Tensor | None]:
        bent = curved(forward(v))
        return [None] * len(parameters) if bent is None else _grad([output], parameters, [bent])

    def derivative(v: list[Tensor]) -> Sequence[Tensor | None]:
        moved = forward(v)
        return curved(moved), moved

    def both(output: Tensor) -> Sequence[Tensor | None]:
        there = output.detach().requires_grad_()
        return *torch.autograd.grad(loss(there, y), there), output

    def zeros() -> int:
        more = _more_parameters(parameters, output)
        return more if more and is_convex(slope, leaf) else 0

    return Matrix(
        apply, zeros, both, derivative, _some_direction(output, parameters), [output, value]
    )


def _fisher(output: object, loss: object, y: object, parameters: list[Tensor]) -> Matrix:
    forward = _jacobian_product(output, parameters)
    if not output.isfinite().all():
        raise ValueError(
            "the net's output is not finite: look for NaN or infinite weights or inputs."
        )
    samples = len(output)

    def apply(v: list[Tensor]) -> Sequence[Tensor | None]:
        return _grad([output], parameters, [forward(v) / samples])

    return Matrix(
        apply,
        lambda: _more_parameters(parameters, output),
        lambda output: [output],
        lambda v: [forward(v)],
        _some_direction(output, parameters),
        [output],
    )


def _some_direction(output: Tensor, parameters: list[Tensor]) -> Sequence[Tensor | None]:
    # J^T u for some u: there the outputs move.
    u = torch.from_numpy(random.uniform(0, random.START, output.numel()) - 0.5)
    return _grad([output], parameters, [u.reshape(output.shape).to(output)])


def _more_parameters(parameters: list[Tensor], output: Tensor) -> int:
    # J^T A J maps through the outputs: all directions but one an output can only be mapped to 0.
    return max(0, sum(p.numel() for p in parameters) - output.numel())


def _jacobian_product(output: object, parameters: list[Tensor]) -> Callable[[list[Tensor]], Tensor]:
    # v -> J v of the shape of the output: the derivative of the linear map u -> J^T u, transposed.
    if not isinstance(output, Tensor) or output.ndim == 0:
        raise TypeError(
            "gauss_newton and fisher need a net whose output is one tensor with a sample in each "
            f"row, got {type(output).__name__ if not isinstance(output, Tensor) else 'a number'}."
        )
    if not output.requires_grad:
        raise ValueError("the output does not depend on any parameter that requires a gradient.")
    u = torch.zeros_like(output, requires_grad=True)
    slopes = torch.autograd.grad(output, parameters, u, create_graph=True, allow_unused=True)
    used = [i for i, g in enumerate(slopes) if g is not None]

    def product(v: list[Tensor]) -> Tensor:
        (out,) = _grad([slopes[i] for i in used], [u], [v[i] for i in used])
        return out

    return product


def _grad(
    of: Sequence[Tensor], to: Sequence[Tensor], along: Sequence[Tensor]
) -> tuple[Tensor | None, ...]:
    return torch.autograd.grad(of, to, along, retain_graph=True, allow_unused=True)


MATRICES = {"hessian": _hessian, "gauss_newton": _gauss_newton, "fisher": _fisher}
