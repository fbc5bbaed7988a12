"""Noisy Batch Normalization: BatchNorm with distribution shift put in on purpose."""

from __future__ import annotations

import torch
from torch import Tensor

from bnlab.errors import check_number
from bnlab.norms.batch import BatchNorm
from bnlab.norms.functional import per_channel
from bnlab.norms.noise import key_of, normal, uniform
from bnlab.norms.renew import renew
from bnlab.random import NOISE


class NoisyBatchNorm(BatchNorm):
    r"""BatchNorm whose outputs are scaled and shifted at random, differently at each step.

    In training mode, with a = weight * (x - mean) / sqrt(var + eps) + bias of ``BatchNorm``,

        y = s * a + m,

    where at each step a channel draws mu ~ U(-n_mu, n_mu) and sigma ~ U(1, n_sigma), and then each
    of its values, over samples and positions, draws m ~ U(mu - r_mu, mu + r_mu) and
    s ~ N(sigma, r_sigma^2). So the distribution of a channel moves from step to step. The noise
    carries no gradient, other than the factor s. Evaluation mode is BatchNorm's, without noise.

    The numbers come from ``bnlab.random``: the same seed, layer and step give the same noise on
    every machine and device, and torch's own random state is not used. The uniform numbers are
    exact; the normal ones are made from them by Box and Muller's method in float64.

    Source: Santurkar et al. 2018, arXiv 1805.11604, section 2.2 and appendix. Not said there: that
    r_sigma is a standard deviation, that the noise follows weight and bias, and that evaluation has
    none.

    Args:
        num_features: C.
        eps, momentum, affine, track_running_stats, native: as ``BatchNorm``; without running
            statistics too, evaluation mode has no noise.
        n_mu: range of the shift of a channel.
        n_sigma: largest mean factor of a channel, at least 1.
        r_mu: range of the shift of a value about its channel's.
        r_sigma: standard deviation of the factor of a value.
        noise_seed: which noise. A net from ``make_net`` numbers its layers and adds its own seed;
            layers put together by hand should get seeds that differ.

    Shape:
        (N, C) or (N, C, H, W), in and out. ``noise_step`` counts the steps, ``noise_key`` holds
        what seed and layer come to.

    Raises:
        ValueError: as ``BatchNorm``, and for noise parameters or seeds out of range.

    Example:
        >>> x = torch.tensor([[1.0], [3.0]])
        >>> NoisyBatchNorm(1, eps=0.0, n_mu=0, n_sigma=1, r_mu=0, r_sigma=0)(x).tolist()
        [[-1.0], [1.0]]
    """

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        n_mu: float = 0.5,
        n_sigma: float = 1.25,
        r_mu: float = 0.1,
        r_sigma: float = 0.1,
        noise_seed: int = 0,
        *,
        native: bool = False,
    ) -> None:
        super().__init__(num_features, eps, momentum, affine, track_running_stats, native=native)
        check_number("n_mu", n_mu, 0)
        check_number("n_sigma", n_sigma, 1)
        check_number("r_mu", r_mu, 0)
        check_number("r_sigma", r_sigma, 0)
        self.n_mu, self.n_sigma, self.r_mu, self.r_sigma = n_mu, n_sigma, r_mu, r_sigma
        self.noise_seed = noise_seed
        self.register_buffer("noise_key", key_of(noise_seed, NOISE))
        self.register_buffer("noise_step", torch.tensor(0))

    def place(self, layer: int, seed: int) -> None:
        """Say where this layer is: number ``layer`` of a net with this seed.

        Layers of one net draw from streams of their own, and nets with other seeds other numbers.
        """
        key = key_of((self.noise_seed + seed) % 2**32, NOISE + layer)
        self.noise_key = key.to(self.noise_key.device)

    def reset_parameters(self) -> None:
        """Set all to where it starts; in a net, ``place`` says once more which layer it is."""
        super().reset_parameters()
        renew(self, "noise_key", key_of(self.noise_seed, NOISE).to(self.noise_key.device))

    def _normalize(self, x: Tensor) -> Tensor:
        y = super()._normalize(x)
        if not self.training or self.recomputing:
            return y
        factor, shift = self.draw(x)
        renew(self, "noise_step", self.noise_step + 1, is_read=True)
        return torch.addcmul(shift, y, factor)

    def draw(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Factors and shifts of the coming step, both of the shape of ``x``.

        In the order of the generator: mu and sigma of each channel, the shift of each value, the
        numbers from which the factors are made (one is left over if their count is odd).
        """
        c, n = self.num_features, x.numel()
        u = uniform(self.noise_key, self.noise_step, 2 * c + 2 * n + n % 2)
        mu, sigma, of_shift, of_factor = u.split([c, c, n, n + n % 2])
        mu = per_channel((2 * mu.double() - 1) * self.n_mu, x)
        sigma = per_channel(1 + sigma.double() * (self.n_sigma - 1), x)
        # In place: these are new, large tensors without gradients.
        shift = of_shift.double().mul_(2).sub_(1).mul_(self.r_mu).reshape(x.shape).add_(mu)
        factor = normal(of_factor)[:n].mul_(self.r_sigma).reshape(x.shape).add_(sigma)
        return factor.to(x.dtype), shift.to(x.dtype)
