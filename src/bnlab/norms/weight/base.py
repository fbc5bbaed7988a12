"""What all normalizers of weights have in common: filters, checks, options."""

from __future__ import annotations

import inspect
import math

import torch
from torch import Tensor, nn

from bnlab.arguments import checked
from bnlab.norms.weight.filters import fan_in, from_filters, is_transposed, to_filters


class WeightNormalizer(nn.Module):
    """Base class that sees the weight of ``layer`` as filters, and checks it when assigned.

    A parametrization of ``torch.nn.utils.parametrize``: ``forward`` computes the weight that the
    layer uses from the trained tensor (``layer.parametrizations.weight.original``) each time it is
    read; ``right_inverse`` says what becomes of a weight that is assigned. Primitive operations
    only, with statistics in at least float32, so that derivatives of every order are exact.

    Args:
        layer: the Linear or Conv, transposed or grouped too, whose weight this will normalize.
    """

    @checked
    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.groups = getattr(layer, "groups", 1)
        self.transposed = is_transposed(layer)
        self.fan_in = fan_in(layer)

    def forward(self, weight: Tensor) -> Tensor:
        """The normalized weight, in the shape and type of ``weight``."""
        filters = to_filters(weight, self.groups, self.transposed)
        if weight.dtype in (torch.float16, torch.bfloat16):  # a mean of many needs more digits
            filters = filters.float()
        filters = self.normalize(filters)
        return from_filters(filters, self.groups, self.transposed).to(weight.dtype)

    def normalize(self, filters: Tensor) -> Tensor:
        """The normalized filters, (outputs, ...)."""
        raise NotImplementedError

    def right_inverse(self, weight: Tensor) -> Tensor:
        """The tensor to train for an assigned weight: the weight itself."""
        self.check(weight)
        return weight

    def check(self, weight: Tensor) -> None:
        """Raise a clear error for a weight that this normalizer cannot take."""
        if not weight.is_floating_point():
            raise TypeError(
                f"{type(self).__name__} takes real floating-point weights, got {weight.dtype}."
            )
        if not weight.is_meta and not torch.isfinite(weight).all():
            raise ValueError(f"{type(self).__name__} got a weight with NaN or infinite values.")

    @classmethod
    def options(cls) -> tuple[str, ...]:
        """Names of the options, all JSON-able."""
        names = inspect.signature(cls.__init__).parameters
        return tuple(n for n in names if n not in ("self", "layer"))


def is_positive(value: object) -> bool:
    """Whether ``value`` is a positive, finite number."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and 0 < value < math.inf


def check_eps(eps: object) -> None:
    """Raise a clear error unless ``eps`` is zero or positive."""
    if isinstance(eps, bool) or not isinstance(eps, int | float) or not 0 <= eps < math.inf:
        raise ValueError(f"eps must be zero or a positive number, got {eps!r}.")


def refuse_single(norm: WeightNormalizer) -> None:
    """Raise a clear error if each filter has one weight: centred, it is 0 whatever it was."""
    if norm.fan_in == 1:
        raise ValueError(
            f"{type(norm).__name__} would make every weight of this layer 0: each filter has one "
            "weight. Leave the layer out (eligible=...)."
        )
