"""EvoNorm: normalization and activation in one formula, found by evolutionary search."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor, nn

from bnlab.norms.base import Normalizer
from bnlab.norms.functional import moments, per_channel, scale_shift
from bnlab.norms.groups import (
    GroupNormalizer,
    by_group,
    channels_by_group,
    within_group,
)
from bnlab.norms.running import RunningNormalizer


class EvoNormB0(RunningNormalizer):
    r"""EvoNorm-B0: divides by the larger of a batch deviation and a function of the sample itself.

        y = weight * x / max(sqrt(var_b + eps), v * x + sqrt(var_i + eps)) + bias,

    var_b over (N, H, W), var_i over (H, W) of each sample and channel, both *biased*. v, one value
    a channel, is learned and starts at 1. No other nonlinearity follows (``activates``). In
    evaluation mode ``running_var`` takes the place of var_b; it follows the *biased* variance,
    unlike BatchNorm's. On (N, C) var_i is 0.

    Source: Liu et al. 2020, arXiv 2004.02967, table 1 and appendix; biased variances as in their
    TensorFlow code. The code of Lubana et al. 2021 takes the unbiased var_i, and 0 for the NaN that
    this gives at H*W = 1. Where both arguments of max are equal, the gradient is shared evenly.

    Args:
        num_features: C.
        eps: added to both variances.
        momentum: weight of the newest batch in the running variance.
        affine: learn weight and bias; v is learned in any case.
        track_running_stats: keep a running variance; see ``BatchNorm``.
        native: accepted as by all normalizers; torch has no such kernel.

    Shape:
        (N, C) or (N, C, H, W), in and out. ``running_var``: (C,).

    Raises:
        ValueError: in training mode with one value a channel (N*H*W = 1).

    Example:
        >>> EvoNormB0(1, eps=0.0)(torch.tensor([[1.0], [-7.0]])).tolist()
        [[0.25], [-1.75]]
    """

    starts: ClassVar[dict[str, float]] = {"running_var": 1.0}
    activates: ClassVar[bool] = True
    learned: ClassVar[dict[str, float]] = {**Normalizer.learned, "v": 1.0}

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        *,
        native: bool = False,
    ) -> None:
        super().__init__(num_features, eps, momentum, affine, track_running_stats, native=native)
        self.v = nn.Parameter(torch.ones(num_features))

    def _normalize(self, x: Tensor) -> Tensor:
        mean, var = self._of_instances(x)
        if self.from_batch:
            # The total variance is the variance within the samples plus that of their means.
            of_batch = (var + (mean - mean.mean(0)).square()).mean(0, keepdim=True)
            self._follow(running_var=of_batch)
        else:
            of_batch = per_channel(self.running_var, x)
        of_sample = torch.addcmul((var + self.eps).sqrt(), x, per_channel(self.v, x))
        divisor = torch.maximum((of_batch + self.eps).sqrt(), of_sample)
        return scale_shift(x, divisor.reciprocal(), *self._affine_for(x))

    def _of_instances(self, x: Tensor) -> tuple[Tensor, Tensor]:
        # Mean and biased variance of each sample and channel, over its positions.
        if x.ndim == 2:
            return x, x.new_zeros(1, 1)
        _, mean, var = moments(x, (2, 3))
        return mean, var


class EvoNormS0(GroupNormalizer):
    r"""EvoNorm-S0: swish in the numerator, the deviation of a group of channels below.

        y = weight * x * sigmoid(v * x) / sqrt(var_g + eps) + bias,

    with the *biased* variance over ``group_size`` neighbouring channels and all positions of one
    sample. v, one value a channel, is learned and starts at 1. No other nonlinearity follows
    (``activates``). Training and evaluation are the same function.

    Source: Liu et al. 2020, arXiv 2004.02967, table 1 and appendix; biased variances as in their
    TensorFlow code, which takes 32 groups. The code of Lubana et al. 2021 takes 32 groups too,
    whatever the width, and the unbiased variance.

    Args:
        num_features: C.
        group_size: channels a group.
        num_groups: number of groups. Give one of both; the paper's is ``num_groups=32``.
        eps: added to the variance.
        affine: learn weight and bias; v is learned in any case.
        native: accepted as by all normalizers; torch has no such kernel.

    Shape:
        (N, C) or (N, C, H, W), in and out.

    Raises:
        ValueError: as ``GroupNorm``, for groups that do not fit or hold a single value.

    Example:
        >>> EvoNormS0(2, group_size=2, eps=0.0)(torch.tensor([[0.0, 40.0]])).tolist()
        [[0.0, 2.0]]
    """

    activates: ClassVar[bool] = True
    learned: ClassVar[dict[str, float]] = {**Normalizer.learned, "v": 1.0}

    def __init__(
        self,
        num_features: int,
        group_size: int | None = None,
        num_groups: int | None = None,
        eps: float = 1e-5,
        affine: bool = True,
        *,
        native: bool = False,
    ) -> None:
        super().__init__(num_features, group_size, num_groups, eps, affine, native=native)
        self.v = nn.Parameter(torch.ones(num_features))

    def _normalize(self, x: Tensor) -> Tensor:
        vectors = (self.v, self.weight, self.bias)
        v, weight, bias = (channels_by_group(one, x, self.num_groups) for one in vectors)
        groups = by_group(x, self.num_groups)
        _, _, var = moments(groups, within_group(x))
        swish = groups * (groups * v).sigmoid()
        return scale_shift(swish, (var + self.eps).rsqrt(), weight, bias).reshape(x.shape)
