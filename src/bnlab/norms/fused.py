"""``functional.normalize`` with a backward pass of its own: the same numbers, in half the time.

With u = x - mean, s = 1 / sqrt(var + eps), n = s * u, g = weight * dL/dy, and means <.> over the
axes that are pooled,

    dL/dx      = s * (g - <g> - n * <g * n>),
    dL/dweight = sum n * dL/dy,    dL/dbias = sum dL/dy,

the sums over the axes along which weight and bias are repeated. The chain rule through each
operation comes to the same, with more operations and more large tensors.
Source: Ioffe and Szegedy 2015, arXiv 1502.03167, section 3, the six equations for the gradient.

Only first derivatives are computed so. Where derivatives of the gradient are wanted
(``create_graph=True``), it comes from ``functional.normalize``: all derivatives are exact.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch._C import _are_functorch_transforms_active as are_transforms_active
from torch.autograd import Function, forward_ad

from bnlab.norms import functional

try:
    from torch.compiler import is_compiling
except ImportError:  # torch 2.2
    from torch._dynamo.external_utils import is_compiling

SMALL = 2**16
"""Up to this many values, the number of operations counts; above, the passes over memory."""

BLOCK = 2**18
"""Values that are computed at once, of large tensors: 1 MiB in float32."""


def fused_normalize(
    x: Tensor,
    dims: Sequence[int],
    eps: float,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
) -> tuple[Tensor, Tensor, Tensor]:
    """Compute ``functional.normalize``; no gradient passes through the mean and var returned.

    It *is* that function where code is compiled or transformed (``torch.compile``, ``torch.func``,
    forward differentiation), for mixed types, with a weight or a bias alone, and where they differ
    in shape or have as many axes as x.

    Args and returns: as ``functional.normalize``; weight and bias broadcast to the shape of x.
    """
    if (
        is_compiling()
        or are_transforms_active()
        or forward_ad._current_level >= 0
        or not _alike(x, weight, bias)
    ):
        y, mean, var = functional.normalize(x, dims, eps, weight, bias)
        return y, mean.detach(), var.detach()
    function = _Small if x.numel() <= SMALL else _Large
    statistics: list[Tensor] = []  # filled by the function: further outputs would cost more
    y = function.apply(x, weight, bias, dims, eps, statistics)
    return y, *statistics


def _alike(x: Tensor, weight: Tensor | None, bias: Tensor | None) -> bool:
    if weight is None or bias is None:
        return weight is bias
    of_one_type = weight.dtype == bias.dtype == x.dtype
    return of_one_type and weight.shape == bias.shape and weight.ndim < x.ndim


class _Small(Function):
    """Computes in few operations: on small tensors each costs the same."""

    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        weight: Tensor | None,
        bias: Tensor | None,
        dims: Sequence[int],
        eps: float,
        statistics: list[Tensor],
    ) -> Tensor:
        mean = x.mean(dims, True)
        n = x - mean
        var = (n * n).mean(dims, True)
        s = (var + eps).rsqrt_()
        n *= s
        statistics += mean, var
        ctx.save_for_backward(x, weight, bias, n, s)
        ctx.dims, ctx.eps = dims, eps
        return n.clone() if weight is None else torch.addcmul(bias, n, weight)

    @staticmethod
    def backward(ctx: Any, dy: Tensor) -> tuple[Tensor | None, ...]:
        if torch.is_grad_enabled() or are_transforms_active():
            return _by_the_chain_rule(ctx, dy)
        _, weight, _, n, s = ctx.saved_tensors
        dims, dweight, dbias = ctx.dims, None, None
        one_over_m = s.numel() / n.numel()
        g, gn = dy, dy * n
        if weight is None or weight.shape == s.shape[-weight.ndim :]:
            # A weight that all values pooled have in common stands outside of the sums.
            sum_g, sum_gn = g.sum(dims, True), gn.sum(dims, True)
            if weight is not None:
                s = s * weight
                dweight, dbias = _sum_like(weight, sum_gn), _sum_like(weight, sum_g)
        else:
            dweight, dbias = _sum_like(weight, gn), _sum_like(weight, g)
            g, gn = g * weight, gn.mul_(weight)
            sum_g, sum_gn = g.sum(dims, True), gn.sum(dims, True)
        dx = torch.sub(g, sum_g, alpha=one_over_m).addcmul_(n, sum_gn, value=-one_over_m)
        return dx.mul_(s), dweight, dbias, None, None, None


class _Large(Function):
    """Computes in few passes over memory: what belongs to single samples goes block by block.

    A block stays in the processor's cache from its first operation to its last.
    """

    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        weight: Tensor | None,
        bias: Tensor | None,
        dims: Sequence[int],
        eps: float,
        statistics: list[Tensor],
    ) -> Tensor:
        def block(x: Tensor) -> tuple[Tensor, ...]:
            y, mean, var = functional.moments(x, dims)
            s = (var + eps).rsqrt_()
            y = y.mul_(s) if weight is None else y.mul_(s * weight).add_(bias)
            return y, mean, var, s

        y, mean, var, s = _by_blocks(block, dims, x)
        statistics += mean, var
        ctx.save_for_backward(x, weight, bias, mean, s)
        ctx.dims, ctx.eps = dims, eps
        return y

    @staticmethod
    def backward(ctx: Any, dy: Tensor) -> tuple[Tensor | None, ...]:
        if torch.is_grad_enabled() or are_transforms_active():
            return _by_the_chain_rule(ctx, dy)
        x, weight, _, mean, s = ctx.saved_tensors
        dims, one_over_m = ctx.dims, s.numel() / x.numel()
        # Summed over the axes along which the weight is repeated, all but u, dy and dx is small.
        repeated = _repeated(x, dims, weight)

        def block(dy: Tensor, x: Tensor, mean: Tensor, s: Tensor) -> tuple[Tensor, ...]:
            u = x - mean
            gu, g = ((v.sum(repeated, True) if repeated else v) for v in (dy * u, dy))
            gn = gu * s
            g_, gn_ = (g, gn) if weight is None else (g * weight, gn * weight)
            factor = s * -one_over_m
            # In place only what comes from dy, of which vmap may bring many at once.
            dx = dy * (s if weight is None else s * weight)
            dx.addcmul_(u, gn_.sum(dims, True) * s * factor).add_(g_.sum(dims, True) * factor)
            return dx, gn, g

        dx, gn, g = _by_blocks(block, dims, dy, x, mean, s)
        dweight, dbias = (weight if weight is None else _sum_like(weight, v) for v in (gn, g))
        return dx, dweight, dbias, None, None, None


def _by_blocks(
    compute: Callable[..., tuple[Tensor, ...]], dims: Sequence[int], *tensors: Tensor
) -> tuple[Tensor, ...]:
    """Call ``compute(*tensors)``, block by block along axis 0 unless that is pooled over.

    ``compute`` gives a tensor shaped as its first one, and others with as many samples. Blocks
    are for the cache of a processor: another device gets all samples at once.
    """
    first, samples = tensors[0], tensors[0].shape[0]
    size = max(1, BLOCK * samples // first.numel())
    if 0 in dims or size >= samples or not first.is_cpu:
        return compute(*tensors)
    whole, others = torch.empty_like(first), []
    for start in range(0, samples, size):
        rows = slice(start, start + size)
        whole[rows], *rest = compute(*(v[rows] for v in tensors))
        others.append(rest)
    return whole, *(torch.cat(v) for v in zip(*others, strict=True))


def _repeated(x: Tensor, dims: Sequence[int], weight: Tensor | None) -> Sequence[int]:
    """The axes among ``dims`` along which the weight is repeated when it broadcasts to x."""
    if weight is None:
        return dims
    ahead = x.ndim - weight.ndim
    return [d for d in dims if d < ahead or weight.shape[d - ahead] == 1]


def _sum_like(weight: Tensor, v: Tensor) -> Tensor:
    # Nearly always the sum over one axis, which alone is faster than sum_to_size.
    return v.sum(0) if v.shape[1:] == weight.shape else v.sum_to_size(weight.shape)


def _by_the_chain_rule(ctx: Any, dy: Tensor) -> tuple[Tensor | None, ...]:
    # The same gradients, with a graph behind them that begins at the inputs.
    inputs, needs = ctx.saved_tensors[:3], ctx.needs_input_grad[:3]
    wanted = [v for v, needed in zip(inputs, needs, strict=True) if needed]
    with torch.enable_grad():
        y, _, _ = functional.normalize(inputs[0], ctx.dims, ctx.eps, *inputs[1:])
        grads = iter(torch.autograd.grad(y, wanted, dy, create_graph=True))
    return *(next(grads) if needed else None for needed in needs), None, None, None
