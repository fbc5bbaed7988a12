"""Signs with a gradient: binary activations, binary weights, and the layers made of them.

Each function returns a constant plus (f - f.detach()), which is exactly zero: forward the constant,
backward the derivative of f. So they are plain operations, for every torch.func transform, traced
or compiled.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from bnlab.errors import check_name

SCALES = ("mean_abs", "none")  # what multiplies the signs of a filter


def with_gradient_of(value: Tensor, f: Tensor) -> Tensor:
    """Return ``value`` with the derivatives of ``f`` in every order. NaN in ``f`` stays NaN."""
    return value.detach() + (f - f.detach())


def plus_or_minus(x: Tensor) -> Tensor:
    """1 where x >= 0, else -1; zero counts as positive, unlike in ``torch.sign``. No gradient."""
    return 2 * (x.detach() >= 0).to(x.dtype) - 1


def binary_activation(x: Tensor) -> Tensor:
    r"""sign(x), with the gradient of a piecewise parabola.

    Backward that of F(x) = x (2 - |x|) between -1 and 1, constant outside:
    F'(x) = max(0, 2 - 2 |x|). Second derivative: that of F.

    Source: Liu et al. 2018 (Bi-Real net, arXiv 1808.00278), used in ReActNet and in BNN - BN, whose
    code has sign(0) = 0.

    Example:
        >>> binary_activation(torch.tensor([-0.5, 0.0, 3.0])).tolist()
        [-1.0, 1.0, 1.0]
    """
    c = x.clamp(-1, 1)
    return with_gradient_of(plus_or_minus(x), c * (2 - c.abs()))


def binary_weight(weight: Tensor, scale: str = "mean_abs") -> Tensor:
    r"""s_o * sign(w), s_o = mean |w| over each filter, or 1.

    Backward the identity where |w| < 1, else zero; s_o counts as a constant.

    Source: official code of BNN - BN (arXiv 2104.08215), after XNOR-Net (arXiv 1603.05279). Without
    a scale: Hubara et al. 2016 (arXiv 1602.02830).

    Args:
        weight: w, (outputs, ...).
        scale: ``mean_abs``, or ``none`` for signs alone.

    Raises:
        ValueError: for another scale.

    Example:
        >>> binary_weight(torch.tensor([[0.5, -0.25]])).tolist()
        [[0.375, -0.375]]
        >>> binary_weight(torch.tensor([[0.5, -0.25]]), "none").tolist()
        [[1.0, -1.0]]
    """
    check_name("scale of a binary filter", scale, SCALES)
    value = plus_or_minus(weight)
    if scale == "mean_abs":
        value = weight.detach().abs().mean(_filter(weight), keepdim=True) * value
    return with_gradient_of(value, weight.clamp(-1, 1))


def scaled_standardize(weight: Tensor, eps: float = 1e-5) -> Tensor:
    r"""Scaled weight standardization with gamma = 1: (w - mean) / ((std + eps) sqrt(fan_in)).

    One mean and *biased* standard deviation a filter, differentiated through. ``eps`` is added to
    the standard deviation, not to the variance, as in the official code of BNN - BN, where initial
    weights of size 1e-3 make it count. A filter of equal weights gives zeros.

    Source: Brock, De and Smith 2021, arXiv 2101.08692.

    Example:
        >>> scaled_standardize(torch.tensor([[1.0, 1.0, 5.0, 5.0]]), eps=0.0).tolist()
        [[-0.5, -0.5, 0.5, 0.5]]
    """
    centred = weight - weight.mean(_filter(weight), keepdim=True)
    var = centred.square().mean(_filter(weight), keepdim=True)
    none = (var == 0).to(var.dtype)  # the root of zero has no derivative: 1 - 1 = 0 has one
    std = (var + none).sqrt() - none
    return centred / ((std + eps + (eps == 0) * none) * math.sqrt(weight[0].numel()))


def _filter(weight: Tensor) -> tuple[int, ...]:
    return tuple(range(1, weight.ndim))


class RSign(nn.Module):
    """sign(x + bias), one learnable bias a channel: ``binary_activation`` with thresholds.

    Source: Liu et al. 2020 (ReActNet, arXiv 2003.03488).

    Args:
        channels: C.

    Shape:
        (N, C, H, W), in and out.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        """Return plus or minus one for each number."""
        return binary_activation(x + self.bias.reshape(-1, 1, 1))


class RPReLU(nn.Module):
    """PReLU with its own slope and two shifts a channel: prelu(x + before) + after.

    Source: Liu et al. 2020 (ReActNet, arXiv 2003.03488), whose first shift is
    subtracted; here, as in the official code of BNN - BN, it is added.

    Args:
        channels: C.

    Shape:
        (N, C, H, W), in and out.
    """

    SLOPE = 0.25  # torch's first value of nn.PReLU

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.before = nn.Parameter(torch.zeros(channels))
        self.slope = nn.Parameter(torch.full((channels,), self.SLOPE))
        self.after = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        """Compute prelu(x + before) + after, channel by channel."""
        before, slope, after = (p.reshape(-1, 1, 1) for p in (self.before, self.slope, self.after))
        x = x + before
        return torch.where(x > 0, x, slope * x) + after


class FilterConv(nn.Module):
    r"""A convolution whose filters are binary, standardized, both, or neither. No bias.

    ============= ========= =========================================
    standardized  binary    filters
    ============= ========= =========================================
    no            no        w
    no            yes       binary_weight(w)
    yes           no        gain * scaled_standardize(w)
    yes           yes       gain * binary_weight(scaled_standardize(w))
    ============= ========= =========================================

    ``gain`` is learnable, one a filter, (width, 1, 1, 1), and starts at 1. Padding keeps height and
    width (zeros, also between signs, as in the official code).

    Source: official code of BNN - BN (arXiv 2104.08215).

    Args:
        fan_in: input channels.
        width: output channels.
        kernel: odd size of the kernel.
        stride: of the convolution.
        standardized: standardize each filter before anything else; it needs two weights or more.
        binary: plus or minus one number a filter.
        scale: of binary filters, see ``binary_weight``; ``none`` only if they are not standardized.

    Shape:
        (N, fan_in, H, W) -> (N, width, ceil(H / stride), ceil(W / stride)).
    """

    def __init__(
        self,
        fan_in: int,
        width: int,
        kernel: int,
        stride: int = 1,
        *,
        standardized: bool = False,
        binary: bool = True,
        scale: str = "mean_abs",
    ) -> None:
        super().__init__()
        check_name("scale of a binary filter", scale, SCALES)
        if scale == "none" and (standardized or not binary):
            raise ValueError(
                "scale='none' is for binary filters that are not standardized: take 'mean_abs'."
            )
        if standardized and fan_in * kernel**2 == 1:
            raise ValueError(
                "a filter of one weight has no variance: use a larger kernel or width."
            )
        self.stride, self.padding = stride, kernel // 2
        self.standardized, self.binary, self.scale = standardized, binary, scale
        self.weight = nn.Parameter(torch.empty(width, fan_in, kernel, kernel))
        nn.init.kaiming_uniform_(self.weight, nonlinearity="relu")
        gain = nn.Parameter(torch.ones(width, 1, 1, 1)) if standardized else None
        self.register_parameter("gain", gain)

    def filters(self) -> Tensor:
        """The weights that the convolution uses."""
        weight = self.weight
        if self.standardized:
            weight = scaled_standardize(weight)
        if self.binary:
            weight = binary_weight(weight, self.scale)
        return weight if self.gain is None else weight * self.gain

    def forward(self, x: Tensor) -> Tensor:
        """Convolve ``x`` with ``filters``."""
        return nn.functional.conv2d(x, self.filters(), None, self.stride, self.padding)

    def extra_repr(self) -> str:
        """Sizes and kind of the filters."""
        width, fan_in, kernel, _ = self.weight.shape
        return (
            f"{fan_in}, {width}, kernel={kernel}, stride={self.stride}, "
            f"standardized={self.standardized}, binary={self.binary}, scale={self.scale}"
        )
