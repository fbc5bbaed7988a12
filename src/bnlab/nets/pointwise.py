"""1x1 convolutions with a stride, where oneDNN would write beyond its memory."""

from __future__ import annotations

from torch import Tensor, nn

THIN = 8  # input channels that a register of AVX2 holds


def pointwise(fan_in: int, width: int, stride: int, *, bias: bool = True) -> tuple[nn.Conv2d, int]:
    """A 1x1 convolution and the step in which ``every`` picks positions of its input.

    Together they are the convolution with that stride. Thin inputs are picked first and convolved
    without a stride: on processors with AVX2 and without AVX-512, the weights' gradient of a
    strided 1x1 convolution of fewer than 8 channels is written beyond its memory, and the process
    dies (oneDNN in torch 2.13.0). Wider ones keep the stride, and with it their last bits.
    """
    if fan_in < THIN:
        return nn.Conv2d(fan_in, width, 1, bias=bias), stride
    return nn.Conv2d(fan_in, width, 1, stride, bias=bias), 1


def every(x: Tensor, step: int) -> Tensor:
    """Every ``step``-th row and column: (N, C, H, W) -> (N, C, ceil(H / step), ceil(W / step))."""
    return x if step == 1 else x[..., ::step, ::step]
