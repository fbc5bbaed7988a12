"""The mathematics that all normalizers share, in primitive operations.

Primitive operations keep second derivatives right, and can be traced. A normalizer is a choice of
the axes over which ``standardize`` pools; the modules beside this file add parameters and buffers.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor


def moments(x: Tensor, dims: Sequence[int]) -> tuple[Tensor, Tensor]:
    """Mean and biased variance of ``x`` over ``dims``, which are kept with size 1.

    mean = (1/m) sum x;  var = (1/m) sum (x - mean)^2;  m = number of values pooled.
    Two passes: E[x^2] - mean^2 would cancel catastrophically when the mean is large.
    """
    mean = x.mean(dims, keepdim=True)
    return mean, (x - mean).square().mean(dims, keepdim=True)


def standardize(x: Tensor, mean: Tensor, var: Tensor, eps: float) -> Tensor:
    """(x - mean) / sqrt(var + eps), with ``mean`` and ``var`` broadcast against ``x``."""
    return (x - mean) * (var + eps).rsqrt()


def per_channel(v: Tensor, x: Tensor) -> Tensor:
    """A vector of shape (C,), shaped to broadcast along axis 1 of ``x``: (1, C, 1, ..., 1)."""
    return v.reshape(1, -1, *[1] * (x.ndim - 2))


def affine(x: Tensor, weight: Tensor | None, bias: Tensor | None) -> Tensor:
    """Scale and shift each channel, weight * x + bias; ``None`` leaves a part out."""
    if weight is not None:
        x = x * per_channel(weight, x)
    if bias is not None:
        x = x + per_channel(bias, x)
    return x
