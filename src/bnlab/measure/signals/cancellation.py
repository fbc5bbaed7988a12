"""How far the contributions to the gradient of a weight cancel: Bjorck's two sums."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from bnlab.arguments import checked
from bnlab.measure.kit.coverage import Coverage
from bnlab.measure.kit.layers import Layers, choose
from bnlab.measure.kit.loss import Loss
from bnlab.measure.kit.passes import Call, observe

if TYPE_CHECKING:
    from bnlab.draw.figure import Drawing

KINDS = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d)


@dataclass(frozen=True, eq=False)
class Cancellation(Coverage):
    """Two sums over the contributions d to the gradients of the weights, in each of L layers.

    Attributes:
        names: of the layers.
        absolute: a = mean over the entries of the weight of sum |d|, (L,).
        summed: b = mean over the entries of |sum d|, (L,): the size of the gradient.
        terms: contributions to one entry: samples times positions, (L,).
        mode: in which the net was: ``train``, ``eval``, or ``mixed``.
        covered, left_out: modules with weights, see ``Coverage``.
    """

    names: tuple[str, ...]
    absolute: np.ndarray
    summed: np.ndarray
    terms: np.ndarray
    mode: str

    @property
    def ratio(self) -> np.ndarray:
        """The ratio a / b, (L,): 1 if all contributions have one sign; inf if all cancel."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return self.absolute / self.summed

    def plot(self, norm: str = "none") -> Drawing:
        """The ratio by layer.

        Args:
            norm: the normalizer whose colour and marker the curve has.
        """
        from bnlab.measure.signals.figures import draw_cancellation

        return draw_cancellation(self, norm)


@checked
def measure_cancellation(
    net: nn.Module,
    loss: Loss,
    x: object,
    y: object,
    layers: Layers = None,
    mode: str | None = None,
) -> Cancellation:
    r"""Sum of absolute values against absolute value of the sum, of the parts of weight gradients.

    The gradient of a kernel's entry is a sum over samples n and positions p of the output,

        dL/dK[o, i, u] = sum_{n,p} d[n, p],   d[n, p] = dL/da[n, o, p] * h[n, i, p + u],

    with input h and output a of the convolution; in a linear layer there are no positions unless
    its input has them. So sum |d| is the same sum with |dL/da| and |h|, and costs no more than the
    gradient: no part is ever stored. The net is as before afterwards.

    Source: Bjorck et al. 2018, arXiv 1806.02375, the comparison of sum |d| with |sum d| in the
    convolutions of a ResNet-110, each averaged over the kernel's entries.

    Args:
        net: any module.
        loss: takes output and target, gives a scalar.
        x: a batch, (N, ...).
        y: its target.
        layers: which convolutions and linear layers: kinds, or names. By default all. A layer that
            is called more than once adds up its calls.
        mode: ``train``, ``eval``, or None: each module in the mode that it has.

    Raises:
        ValueError: if there are no such layers, for a loss that is no finite scalar, or sizes that
            do not fit.
    """
    chosen = choose(net, KINDS if layers is None else layers)
    for module, name in chosen.items():
        if not isinstance(module, KINDS):
            raise ValueError(
                f"layer {name!r} is a {type(module).__name__}; the sums are defined for "
                f"{', '.join(kind.__name__ for kind in KINDS)}."
            )
    sums: dict[nn.Module, tuple[Tensor, Tensor, int]] = {}
    names, asked = tuple(chosen.values()), layers is not None
    seen = observe(net, x, names, mode, loss, y, inputs=True, asked=asked)
    for call in seen.calls:
        old = sums.get(call.module, (0, 0, 0))
        sums[call.module] = tuple(a + b for a, b in zip(old, _sums(call), strict=True))
    return Cancellation(
        names=tuple(chosen[module] for module in sums),
        absolute=np.array([float(a.mean()) for a, _, _ in sums.values()]),
        summed=np.array([float(b.abs().mean()) for _, b, _ in sums.values()]),
        terms=np.array([terms for _, _, terms in sums.values()]),
        mode=seen.mode,
        **seen.coverage,
    )


def _sums(call: Call) -> tuple[Tensor, Tensor, int]:
    # sum |d| and sum d, of the shape of the weight, and the number of terms.
    terms = call.gradient.numel() // call.gradient.shape[call.channel_axis]
    absolute = weight_gradient(call.module, call.input.abs(), call.gradient.abs())
    return absolute, weight_gradient(call.module, call.input, call.gradient), terms


def weight_gradient(layer: nn.Module, entered: Tensor, slope: Tensor) -> Tensor:
    """The sum over samples and positions of ``slope`` times ``entered``, of the weight's shape."""
    if isinstance(layer, nn.Linear):
        return slope.flatten(0, -2).T @ entered.flatten(0, -2)
    axes, padding = len(layer.kernel_size), layer.padding
    if layer.padding_mode != "zeros" or isinstance(padding, str):
        mode = "constant" if layer.padding_mode == "zeros" else layer.padding_mode
        entered = pad(entered, layer._reversed_padding_repeated_twice, mode=mode)
        padding = (0,) * axes
    weight = entered.new_empty(
        layer.out_channels, layer.in_channels // layer.groups, *layer.kernel_size
    )
    return torch.ops.aten.convolution_backward(
        slope,
        entered,
        weight,
        None,
        layer.stride,
        padding,
        layer.dilation,
        False,
        (0,) * axes,
        layer.groups,
        (False, True, False),
    )[1]
