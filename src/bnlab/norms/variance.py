"""Variance Normalization: Batch Normalization that leaves the mean where it is."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor

from bnlab.norms.functional import moments, per_channel, scale_shift
from bnlab.norms.running import RunningNormalizer, batch_dims, unbiased


class VarianceNorm(RunningNormalizer):
    r"""Variance Normalization: divides each channel by its standard deviation over the batch.

        y = weight * x / sqrt(var + eps) + bias,

    with the *biased*, centred variance over (N,) or (N, H, W) in training mode: the mean is
    subtracted to compute var, but not from x. In evaluation mode ``running_var`` takes its place,
    which follows the *unbiased* variance, as in ``BatchNorm``. There is no ``running_mean``.

    Source: Daneshmand et al. 2020, arXiv 2003.01652; the form compared in Lubana et al. 2021,
    arXiv 2106.05956, whose code tracks the biased variance.

    Args:
        num_features: C.
        eps: added to the variance.
        momentum: weight of the newest batch in the running variance.
        affine: learn weight and bias.
        track_running_stats: keep a running variance; see ``BatchNorm``.
        native: accepted as by all normalizers; torch has no such kernel.

    Shape:
        (N, C) or (N, C, H, W), in and out. ``running_var``: (C,).

    Raises:
        ValueError: in training mode with one value a channel (N*H*W = 1).

    Example:
        >>> VarianceNorm(1, eps=0.0)(torch.tensor([[1.0], [3.0]])).tolist()
        [[1.0], [3.0]]
    """

    starts: ClassVar[dict[str, float]] = {"running_var": 1.0}

    def _normalize(self, x: Tensor) -> Tensor:
        if self.from_batch:
            _, _, var = moments(x, batch_dims(x))
            self._follow(running_var=unbiased(var.detach(), self._values_pooled(x)))
        else:
            var = per_channel(self.running_var, x)
        return scale_shift(x, (var + self.eps).rsqrt(), *self._affine_for(x))
