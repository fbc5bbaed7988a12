"""Normalizers that look at one sample at a time: Group, Layer and Instance Normalization."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor, nn

from bnlab.norms.fused import fused_normalize
from bnlab.norms.groups import GroupNormalizer, by_group, channels_by_group, within_group


class GroupNorm(GroupNormalizer):
    r"""Group Normalization: one mean and variance a sample and group of channels.

        y = weight * (x - mean) / sqrt(var + eps) + bias,

    with mean and *biased* variance over ``group_size`` neighbouring channels and all positions of
    one sample. Training and evaluation are the same function.

    Source: Wu and He 2018, arXiv 1803.08494, equations 1 to 7.

    Args:
        num_features: C.
        group_size: channels a group, the word of the papers.
        num_groups: number of groups, torch's word; num_groups * group_size = C. Give one of both.
        eps: added to the variance.
        affine: learn weight and bias (one value a channel, not a group).
        native: use ``torch.nn.functional.group_norm``.

    Shape:
        (N, C) or (N, C, H, W), in and out.

    Raises:
        ValueError: if the groups do not divide the channels, if both or none of ``group_size`` and
            ``num_groups`` are given, or if a group holds a single value (then the output would be
            ``bias`` whatever the input).

    Example:
        >>> GroupNorm(4, group_size=2, eps=0.0)(torch.tensor([[1.0, 3.0, 10.0, 30.0]])).tolist()
        [[-1.0, 1.0, -1.0, 1.0]]
    """

    has_kernel: ClassVar[bool] = True

    def _normalize(self, x: Tensor) -> Tensor:
        if self._use_kernel(x):
            if (
                not x.requires_grad
            ):  # torch 2.13 crashes on the backward pass if it is channels-last
                x = x.contiguous()
            return nn.functional.group_norm(x, self.num_groups, self.weight, self.bias, self.eps)
        weight, bias = (channels_by_group(v, x, self.num_groups) for v in (self.weight, self.bias))
        groups = by_group(x, self.num_groups)
        y, _, _ = fused_normalize(groups, within_group(x), self.eps, weight, bias)
        return y.reshape(x.shape)


class LayerNorm(GroupNorm):
    r"""Layer Normalization: one mean and variance a sample, over all channels and positions.

    Group Normalization with one group of all C channels. ``weight`` and ``bias`` hold one value a
    channel; on (N, C) that is ``torch.nn.LayerNorm(C)``, on (N, C, H, W) it is
    ``torch.nn.GroupNorm(1, C)``.

    Source: Ba, Kiros and Hinton 2016, arXiv 1607.06450, equations 3 and 4.

    Args and shape: as ``GroupNorm``, without ``group_size`` and ``num_groups``.

    Example:
        >>> LayerNorm(2, eps=0.0)(torch.tensor([[1.0, 3.0]])).tolist()
        [[-1.0, 1.0]]
    """

    def __init__(
        self, num_features: int, eps: float = 1e-5, affine: bool = True, *, native: bool = False
    ) -> None:
        super().__init__(num_features, num_groups=1, eps=eps, affine=affine, native=native)

    def _normalize(self, x: Tensor) -> Tensor:
        if self._use_kernel(x) and x.ndim == 2:  # twice as fast as the kernel of group norm
            return nn.functional.layer_norm(x, x.shape[1:], self.weight, self.bias, self.eps)
        if x.ndim == 2:
            return fused_normalize(x, (1,), self.eps, self.weight, self.bias)[0]
        return super()._normalize(x)


class InstanceNorm(GroupNorm):
    r"""Instance Normalization: one mean and variance a sample and channel, over all positions.

    Group Normalization with groups of one channel. It needs positions: on (N, C) a group holds a
    single value, which is refused.

    Source: Ulyanov, Vedaldi and Lempitsky 2016, arXiv 1607.08022, equation 7.

    Args and shape: as ``GroupNorm``, without ``group_size`` and ``num_groups``. Unlike
    ``torch.nn.InstanceNorm2d`` it learns weight and bias by default.

    Example:
        >>> InstanceNorm(1, eps=0.0)(torch.tensor([[[[1.0, 3.0]]]])).tolist()
        [[[[-1.0, 1.0]]]]
    """

    def __init__(
        self, num_features: int, eps: float = 1e-5, affine: bool = True, *, native: bool = False
    ) -> None:
        super().__init__(num_features, group_size=1, eps=eps, affine=affine, native=native)
