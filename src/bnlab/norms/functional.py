"""The mathematics that all normalizers share, in primitive operations.

Primitive operations keep second derivatives right, and can be traced. A normalizer is a choice of
the axes over which ``normalize`` pools; the modules beside this file add parameters and buffers.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor


def normalize(x: Tensor, dims: Sequence[int], eps: float) -> tuple[Tensor, Tensor, Tensor]:
    """Subtract the mean over ``dims`` and divide by the root of the variance over ``dims``.

    y = (x - mean) / sqrt(var + eps), with mean = (1/m) sum x and the biased variance
    var = (1/m) sum (x - mean)^2; m is the number of values pooled.
    Two passes: E[x^2] - mean^2 would cancel catastrophically when the mean is large.

    Returns:
        y, and mean and var with ``dims`` kept at size 1.
    """
    mean = x.mean(dims, keepdim=True)
    centred = x - mean
    var = centred.square().mean(dims, keepdim=True)
    return centred * (var + eps).rsqrt(), mean, var


def standardize(x: Tensor, mean: Tensor, var: Tensor, eps: float) -> Tensor:
    """(x - mean) / sqrt(var + eps), with a mean and variance that are given."""
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
