"""The weights of a layer as filters: one row an output unit, whatever the kind of layer.

All normalizers of weights pool over the weights that make one output unit. For ``Linear`` and
``Conv`` that is ``weight[o]``. A transposed convolution stores (C_in, C_out / groups, *kernel): its
output o = j * C_out / groups + i reads the inputs of group j alone, so its filter is
``weight[j * C_in / groups : (j + 1) * C_in / groups, i]``.
"""

from __future__ import annotations

import math

from torch import Tensor, nn

from bnlab.arguments import checked

LAYERS = (
    nn.Linear,
    nn.Conv1d,
    nn.Conv2d,
    nn.Conv3d,
    nn.ConvTranspose1d,
    nn.ConvTranspose2d,
    nn.ConvTranspose3d,
)


def is_transposed(layer: nn.Module) -> bool:
    """Whether the layer keeps its inputs on axis 0 of its weight."""
    return getattr(layer, "transposed", False)


@checked
def to_filters(weight: Tensor, groups: int, transposed: bool) -> Tensor:
    """View ``weight`` as filters, (outputs, inputs / groups, *kernel).

    Args:
        weight: of a Linear (out, in), a Conv (out, in / groups, *kernel) or a transposed Conv
            (in, out / groups, *kernel).
        groups: of the layer; 1 for a Linear.
        transposed: whether the layer is a transposed convolution.
    """
    if not transposed:
        return weight
    filters = weight.unflatten(0, (groups, -1)).transpose(1, 2)
    return filters.flatten(0, 1)


@checked
def from_filters(filters: Tensor, groups: int, transposed: bool) -> Tensor:
    """The inverse of ``to_filters``, for the same ``groups`` and ``transposed``."""
    if not transposed:
        return filters
    return filters.unflatten(0, (groups, -1)).transpose(1, 2).flatten(0, 1)


def fan_in(layer: nn.Module) -> int:
    """Weights of one filter: inputs of a Linear; C_in * kernel / groups of a convolution."""
    if isinstance(layer, nn.Linear):
        return layer.in_features
    return layer.in_channels // layer.groups * math.prod(layer.kernel_size)


def over_filter(filters: Tensor) -> tuple[int, ...]:
    """The axes of one filter: all but the first."""
    return tuple(range(1, filters.ndim))
