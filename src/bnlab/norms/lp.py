"""Normalizers that divide by the mean absolute, root mean square or largest value of a channel."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor

from bnlab.norms.functional import mean_square, per_channel, scale_shift
from bnlab.norms.running import RunningNormalizer, batch_dims


class LpBatchNorm(RunningNormalizer):
    r"""Base of the l_p normalizers: subtract the mean, divide by a p-norm of the uncentred input.

        y = weight * (x - mean) / nu_p + bias,

    with mean and nu_p over (N,) or (N, H, W) in training mode. nu_p is a norm of x itself, not of
    x - mean, so that neither the variance nor any other moment of y is fixed: that is the purpose.
    eps is a part of nu_p, which keeps it and its derivative finite. In evaluation mode
    ``running_mean`` and ``running_norm`` take their place: moving averages of mean and nu_p.

    Source: Santurkar et al. 2018, arXiv 1805.11604, section 3.3 and appendix. The text gives the
    norms in words; dividing by the count (a mean instead of a sum) is this package's reading, which
    leaves their sizes independent of the batch size.

    Args:
        num_features: C.
        eps: see the formula of nu_p.
        momentum: weight of the newest batch in the running statistics.
        affine: learn weight and bias.
        track_running_stats: keep running statistics; see ``BatchNorm``.
        native: accepted as by all normalizers; torch has no such kernel.

    Shape:
        (N, C) or (N, C, H, W), in and out. ``running_mean``, ``running_norm``: (C,).

    Raises:
        ValueError: in training mode with one value a channel (N*H*W = 1): x - mean is zero.
    """

    starts: ClassVar[dict[str, float]] = {"running_mean": 0.0, "running_norm": 1.0}

    def _norm(self, x: Tensor, dims: tuple[int, ...]) -> Tensor:
        raise NotImplementedError

    def _normalize(self, x: Tensor) -> Tensor:
        if self.from_batch:
            dims = batch_dims(x)
            mean, norm = x.mean(dims, keepdim=True), self._norm(x, dims)
            self._follow(running_mean=mean, running_norm=norm)
        else:
            mean = per_channel(self.running_mean, x)
            norm = per_channel(self.running_norm, x)
        return scale_shift(x - mean, norm.reciprocal(), *self._affine_for(x))


class L1BatchNorm(LpBatchNorm):
    r"""l_1 normalization: y = weight * (x - mean) / nu_1 + bias, nu_1 = mean|x| + eps.

    Everything else: see ``LpBatchNorm``. The derivative of |x| at 0 is taken as 0.

    Example:
        >>> L1BatchNorm(1, eps=0.0)(torch.tensor([[1.0], [3.0]])).tolist()
        [[-0.5], [0.5]]
    """

    def _norm(self, x: Tensor, dims: tuple[int, ...]) -> Tensor:
        return x.abs().mean(dims, keepdim=True) + self.eps


class L2BatchNorm(LpBatchNorm):
    r"""l_2 normalization: y = weight * (x - mean) / nu_2 + bias, nu_2 = sqrt(mean x^2 + eps).

    Everything else: see ``LpBatchNorm``. With mean 0 this is BatchNorm.

    Example:
        >>> L2BatchNorm(1, eps=0.0)(torch.tensor([[-1.0], [7.0]])).tolist()
        [[-0.800000011920929], [0.800000011920929]]
    """

    def _norm(self, x: Tensor, dims: tuple[int, ...]) -> Tensor:
        return (mean_square(x, dims) + self.eps).sqrt()


class LInfBatchNorm(LpBatchNorm):
    r"""l_inf normalization: y = weight * (x - mean) / nu_inf + bias, nu_inf = max|x| + eps.

    Everything else: see ``LpBatchNorm``. Values that share the maximum share its gradient evenly.

    Example:
        >>> LInfBatchNorm(1, eps=0.0)(torch.tensor([[0.0], [4.0]])).tolist()
        [[-0.5], [0.5]]
    """

    def _norm(self, x: Tensor, dims: tuple[int, ...]) -> Tensor:
        return x.abs().amax(dims, keepdim=True) + self.eps
