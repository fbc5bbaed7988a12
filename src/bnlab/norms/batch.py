"""Batch Normalization, of a whole batch and of ghost batches."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor, nn

from bnlab.norms.functional import per_channel, scale_shift
from bnlab.norms.fused import fused_normalize
from bnlab.norms.running import RunningNormalizer, batch_dims, unbiased


class BatchNorm(RunningNormalizer):
    r"""Batch Normalization: one mean and variance a channel, over the batch and all positions.

    In training mode

        y = weight * (x - mean) / sqrt(var + eps) + bias,

    with mean and *biased* variance over (N,) or (N, H, W), and the running statistics follow,

        running_mean <- (1 - momentum) * running_mean + momentum * mean
        running_var  <- (1 - momentum) * running_var  + momentum * var * m / (m - 1),

    m = N*H*W: the running variance is *unbiased*, as in ``torch.nn.BatchNorm2d``. In evaluation
    mode the running statistics take the place of mean and variance, so that a sample's output does
    not depend on the other samples. ``torch.optim.swa_utils.update_bn`` does not know this class
    and leaves the statistics as they are: use ``recompute_statistics``.

    Source: Ioffe and Szegedy 2015, arXiv 1502.03167, algorithms 1 and 2.

    Args:
        num_features: C.
        eps: added to the variance.
        momentum: weight of the newest batch in the running statistics (torch's convention).
        affine: learn weight and bias.
        track_running_stats: keep running statistics; without them the batch's own are used in
            evaluation mode too.
        native: use ``torch.nn.functional.batch_norm`` (eps = 0, which it refuses, stays primitive).

    Shape:
        (N, C) or (N, C, H, W), in and out. ``running_mean``, ``running_var``: (C,).

    Raises:
        ValueError: in training mode with one value a channel (N*H*W = 1): its variance is zero and
            the output would be ``bias`` whatever the input.

    Example:
        >>> x = torch.tensor([[1.0], [3.0]])
        >>> BatchNorm(1, eps=0.0)(x).tolist()
        [[-1.0], [1.0]]
    """

    has_kernel: ClassVar[bool] = True

    def _normalize(self, x: Tensor) -> Tensor:
        if self._use_kernel(x):
            return self._native(x)
        if not self.from_batch:
            return self._with_running_statistics(x)
        y, mean, var = fused_normalize(x, batch_dims(x), self.eps, *self._affine_for(x))
        self._follow(running_mean=mean, running_var=unbiased(var, self._values_pooled(x)))
        return y

    def _use_kernel(self, x: Tensor) -> bool:
        if not super()._use_kernel(x):
            return False
        running = self.running_mean
        return (running is None or running.dtype == x.dtype) and self.eps > 0

    def _with_running_statistics(self, x: Tensor) -> Tensor:
        # The mean is subtracted first: in float32, folding it into the shift loses a large mean.
        centred = x - per_channel(self.running_mean, x)
        scale = per_channel((self.running_var + self.eps).rsqrt(), x)
        return scale_shift(centred, scale, *self._affine_for(x))

    def _native(self, x: Tensor) -> Tensor:
        return nn.functional.batch_norm(
            x,
            self.running_mean,
            self.running_var,
            self.weight,
            self.bias,
            self.from_batch,
            self.momentum,
            self.eps,
        )


class GhostBatchNorm(BatchNorm):
    r"""Ghost Batch Normalization: BatchNorm on each ``ghost_size`` neighbouring samples alone.

    The batch is cut into groups of ``ghost_size`` samples, in order. In training mode each group is
    normalized with its own mean and *biased* variance,

        y = weight * (x - mean_g) / sqrt(var_g + eps) + bias,

    and weight, bias and the gradient step are shared by all. Evaluation mode is that of BatchNorm.
    The running statistics move once a forward pass, by the averages over the groups of mean_g and
    of the *unbiased* variance var_g * m / (m - 1), m = ghost_size*H*W. With ghost_size = N it is
    BatchNorm.

    Source: Hoffer, Hubara and Soudry 2017, arXiv 1705.08741, algorithm 1. There the running
    statistics move once a group, one after the other; Keras 2 (``virtual_batch_size``) moves them
    once by the average, as here.

    Args:
        num_features: C.
        ghost_size: samples a group; it must divide the batch size, in training mode.
        eps, momentum, affine, track_running_stats: as ``BatchNorm``.
        native: use ``torch.nn.functional.batch_norm``, once a group.

    Shape:
        (N, C) or (N, C, H, W), in and out. ``running_mean``, ``running_var``: (C,).

    Raises:
        ValueError: for a batch with a remainder, or one value a channel and group.

    Example:
        >>> x = torch.tensor([[1.0], [3.0], [10.0], [30.0]])
        >>> GhostBatchNorm(1, ghost_size=2, eps=0.0)(x).flatten().tolist()
        [-1.0, 1.0, -1.0, 1.0]
    """

    def __init__(
        self,
        num_features: int,
        ghost_size: int | None = None,
        eps: float = 1e-5,
        momentum: float = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        *,
        native: bool = False,
    ) -> None:
        super().__init__(num_features, eps, momentum, affine, track_running_stats, native=native)
        if not isinstance(ghost_size, int) or isinstance(ghost_size, bool) or ghost_size < 1:
            raise ValueError(
                "GhostBatchNorm takes ghost_size, the number of samples that share a mean: a "
                f"positive integer, got {ghost_size!r}."
            )
        self.ghost_size = ghost_size

    def _values_pooled(self, x: Tensor) -> int:
        return self.ghost_size * (x.numel() // (x.shape[0] * x.shape[1]))

    def check(self, x: Tensor) -> None:
        """Raise a clear error as BatchNorm does, and for a batch that its groups do not fill."""
        super().check(x)
        if self.from_batch and x.shape[0] % self.ghost_size:
            raise ValueError(
                f"ghost_size={self.ghost_size} does not divide the batch of {x.shape[0]} samples: "
                f"{x.shape[0] % self.ghost_size} would be left over. Use another batch size or "
                "ghost_size (a DataLoader drops the last, smaller batch with drop_last=True)."
            )

    def _normalize(self, x: Tensor) -> Tensor:
        if not self.from_batch:
            return super()._normalize(x)
        if self._use_kernel(x):
            return self._native_groups(x)
        groups = x.reshape(-1, self.ghost_size, *x.shape[1:])
        dims = (1,) if x.ndim == 2 else (1, 3, 4)
        y, mean, var = fused_normalize(groups, dims, self.eps, *self._affine_for(x))
        self._follow_mean_of(mean, unbiased(var, self._values_pooled(x)))
        return y.reshape(x.shape)

    def _follow_mean_of(self, means: Tensor, variances: Tensor) -> None:
        self._follow(running_mean=means.detach().mean(0), running_var=variances.detach().mean(0))

    def _native_groups(self, x: Tensor) -> Tensor:
        groups = x.split(self.ghost_size)
        # With momentum 1 the kernel writes each group's statistics into its row.
        like = x if self.weight is None else self.weight
        means, variances = torch.zeros(
            2, len(groups), x.shape[1], dtype=like.dtype, device=x.device
        )
        rows = zip(groups, means, variances, strict=True)
        y = [
            nn.functional.batch_norm(g, mean, var, self.weight, self.bias, True, 1.0, self.eps)
            for g, mean, var in rows
        ]
        self._follow_mean_of(means, variances)
        return torch.cat(y)
