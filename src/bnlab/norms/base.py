"""What all normalizers of activations have in common: parameters, input checks, their repr."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor, nn

from bnlab.errors import check_number
from bnlab.norms.functional import per_channel

HALF = (torch.bfloat16, torch.float16)


class Normalizer(nn.Module):
    """Base of the normalizers: ``num_features`` channels on axis 1, ``weight`` and ``bias``.

    Numbers of 16 bits are normalized in float32 and given back in their own type: a mean of many
    bfloat16 numbers, of 8 bits each, would be worth little.

    Args:
        num_features: C, the size of axis 1.
        eps: keeps the divisor away from zero; as a rule it is added to the variance.
        affine: learn a ``weight`` (starts at 1) and a ``bias`` (starts at 0), one value a channel.
        native: use torch's fused kernel, which is faster; its second derivatives are not exact
            (pytorch#196699). The primitive operations are exact in every derivative. Where torch
            has no kernel (``has_kernel`` is False), the primitive operations are used anyway.
        bias: False for a normalizer that has no bias.

    Shape:
        (N, C) or (N, C, H, W), in and out.

    Raises:
        ValueError: for another number of axes, another C, no samples, or options out of range.
        TypeError: for a tensor that does not hold floating-point numbers.
    """

    uses_batch: ClassVar[bool] = False
    """Whether a sample's output depends on the other samples, in training mode."""

    has_kernel: ClassVar[bool] = False
    """Whether ``native=True`` makes a difference."""

    activates: ClassVar[bool] = False
    """Whether it contains a nonlinearity; the nets then have no ReLU after it."""

    learned: ClassVar[dict[str, float]] = {"weight": 1.0, "bias": 0.0}
    """Parameters, and where they start."""

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        affine: bool = True,
        *,
        native: bool = False,
        bias: bool = True,
    ) -> None:
        super().__init__()
        if not isinstance(num_features, int) or isinstance(num_features, bool) or num_features < 1:
            raise ValueError(f"num_features must be a positive integer, got {num_features!r}.")
        check_number("eps", eps, 0)
        if not isinstance(affine, bool):
            raise ValueError(f"affine must be True or False, got {affine!r}.")
        self.num_features = num_features
        self.eps = eps
        self.affine = affine
        self.native = native
        ones = nn.Parameter(torch.ones(num_features)) if affine else None
        self.register_parameter("weight", ones)
        zeros = nn.Parameter(torch.zeros(num_features)) if affine and bias else None
        self.register_parameter("bias", zeros)

    @torch.no_grad()
    def reset_parameters(self) -> None:
        """Set parameters and statistics to where they start, as after ``to_empty``."""
        for name, start in self.learned.items():
            if getattr(self, name) is not None:
                getattr(self, name).fill_(start)

    def forward(self, x: Tensor) -> Tensor:
        """Normalize ``x``."""
        self.check(x)
        if x.dtype in HALF:
            return self._normalize(x.float()).to(x.dtype)
        return self._normalize(x)

    def _normalize(self, x: Tensor) -> Tensor:
        raise NotImplementedError

    def _use_kernel(self, x: Tensor) -> bool:
        # Of mixed types, torch's kernels refuse some and crash on others.
        return self.native and (self.weight is None or self.weight.dtype == x.dtype)

    def _affine_for(self, x: Tensor) -> tuple[Tensor | None, Tensor | None]:
        # weight and bias, shaped to broadcast along axis 1.
        return per_channel(self.weight, x), per_channel(self.bias, x)

    def check(self, x: Tensor) -> None:
        """Raise a clear error unless ``x`` is (N, C) or (N, C, H, W) with this module's C."""
        if x.ndim not in (2, 4):
            raise ValueError(
                f"{type(self).__name__} takes (N, C) or (N, C, H, W), got shape {tuple(x.shape)}."
            )
        if x.shape[1] != self.num_features:
            raise ValueError(
                f"{type(self).__name__} was made for {self.num_features} channels (axis 1), "
                f"got shape {tuple(x.shape)}."
            )
        if x.numel() == 0:
            raise ValueError(f"{type(self).__name__} got an empty input, shape {tuple(x.shape)}.")
        if not x.is_floating_point():
            way = "x.float()"
            if x.is_complex():
                way = "x.real and x.imag, each by itself: x.float() would drop the imaginary part"
            raise TypeError(
                f"{type(self).__name__} takes floating-point numbers, got {x.dtype}; use {way}."
            )

    def extra_repr(self) -> str:
        """The arguments, as torch's own layers print them."""
        return f"{self.num_features}, eps={self.eps}, affine={self.affine}"
