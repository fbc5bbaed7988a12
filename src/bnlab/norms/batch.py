"""Batch Normalization."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from bnlab.errors import check_number
from bnlab.norms.base import Normalizer
from bnlab.norms.functional import affine, normalize, per_channel, standardize


class BatchNorm(Normalizer):
    r"""Batch Normalization: one mean and variance a channel, over the batch and all positions.

    In training mode

        y = weight * (x - mean) / sqrt(var + eps) + bias,

    with mean and *biased* variance over (N,) or (N, H, W), and the running statistics follow,

        running_mean <- (1 - momentum) * running_mean + momentum * mean
        running_var  <- (1 - momentum) * running_var  + momentum * var * m / (m - 1),

    m = N*H*W: the running variance is *unbiased*, as in ``torch.nn.BatchNorm2d``. In evaluation
    mode the running statistics take the place of mean and variance, so that a sample's output does
    not depend on the other samples.

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

    uses_batch = True

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
        super().__init__(num_features, eps, affine, native=native)
        check_number("momentum", momentum, 0, 1)
        self.momentum = momentum
        self.track_running_stats = track_running_stats
        mean = torch.zeros(num_features) if track_running_stats else None
        var = torch.ones(num_features) if track_running_stats else None
        self.register_buffer("running_mean", mean)
        self.register_buffer("running_var", var)

    def forward(self, x: Tensor) -> Tensor:
        """Normalize ``x``; in training mode, move the running statistics."""
        self.check(x)
        from_batch = self.training or not self.track_running_stats
        if from_batch and x.numel() == self.num_features:
            raise ValueError(
                "BatchNorm in training mode needs more than one value a channel, got shape "
                f"{tuple(x.shape)}. Use a larger batch, or call model.eval() first."
            )
        if self.native and self.eps > 0:
            return self._native(x, from_batch)
        if from_batch:
            y, mean, var = normalize(x, (0, *range(2, x.ndim)), self.eps)
            if self.training and self.track_running_stats:
                self._track(mean.detach(), var.detach(), x.numel() // self.num_features)
        else:
            mean, var = per_channel(self.running_mean, x), per_channel(self.running_var, x)
            y = standardize(x, mean, var, self.eps)
        return affine(y, self.weight, self.bias)

    def _track(self, mean: Tensor, var: Tensor, m: int) -> None:
        # Assigned rather than changed in place: torch.func and the compiled step see an assignment.
        a = self.momentum
        self.running_mean = (1 - a) * self.running_mean + a * mean.flatten()
        self.running_var = (1 - a) * self.running_var + a * m / (m - 1) * var.flatten()

    def _native(self, x: Tensor, from_batch: bool) -> Tensor:
        return nn.functional.batch_norm(
            x,
            self.running_mean,
            self.running_var,
            self.weight,
            self.bias,
            from_batch,
            self.momentum,
            self.eps,
        )

    def extra_repr(self) -> str:
        """The arguments, as torch's own layers print them."""
        return f"{super().extra_repr()}, momentum={self.momentum}"
