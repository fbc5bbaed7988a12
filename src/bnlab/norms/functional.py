"""The mathematics that all normalizers share, in primitive operations.

Primitive operations keep second derivatives right, and can be traced. ``normalize`` is the formula
of all normalizers that subtract a mean, which choose the axes that it pools; they compute it by
``fused.fused_normalize``, the same numbers in less time.

Speed comes from passing over the large tensors as rarely as possible: what is small (a number for
each mean, weight, bias) is multiplied first, and the large tensor is scaled and shifted once.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


def normalize(
    x: Tensor,
    dims: Sequence[int],
    eps: float,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
) -> tuple[Tensor, Tensor, Tensor]:
    """Subtract the mean over ``dims`` and divide by the root of the variance over ``dims``.

    y = weight * (x - mean) / sqrt(var + eps) + bias, with mean = (1/m) sum x and the biased
    variance var = (1/m) sum (x - mean)^2; m is the number of values pooled.
    Two passes: E[x^2] - mean^2 would cancel catastrophically when the mean is large.

    Args:
        x: any shape.
        dims: the axes to pool over.
        eps: added to the variance.
        weight: factor, of a shape that broadcasts with x; None for 1.
        bias: shift, likewise; None for 0.

    Returns:
        y, and mean and var with ``dims`` kept at size 1.
    """
    mean = x.mean(dims, keepdim=True)
    centred = x - mean
    var = mean_square(centred, dims)
    return scale_shift(centred, (var + eps).rsqrt(), weight, bias), mean, var


def moments(x: Tensor, dims: Sequence[int]) -> tuple[Tensor, Tensor, Tensor]:
    """The centred x - mean, mean and biased variance over ``dims``, which are kept at size 1."""
    mean = x.mean(dims, keepdim=True)
    centred = x - mean
    return centred, mean, mean_square(centred, dims)


def mean_square(x: Tensor, dims: Sequence[int]) -> Tensor:
    """The mean square (1/m) sum x^2 over ``dims``, which are kept at size 1."""
    total = (x * x).sum(dims, keepdim=True)
    # Not .mean(): its backward pass would write one more tensor of the size of x.
    return total / (x.numel() // total.numel())


def scale_shift(x: Tensor, scale: Tensor, weight: Tensor | None, bias: Tensor | None) -> Tensor:
    """Compute (scale * weight) * x + bias; the tensors broadcast, None leaves a part out."""
    if weight is not None:
        scale = scale * weight
    return x * scale if bias is None else torch.addcmul(bias, x, scale)


def per_channel(v: Tensor | None, x: Tensor) -> Tensor | None:
    """A vector of shape (C,), shaped to broadcast along axis 1 of ``x``: (C,) or (C, 1, 1)."""
    return v if v is None or x.ndim == 2 else v.reshape(-1, *[1] * (x.ndim - 2))
