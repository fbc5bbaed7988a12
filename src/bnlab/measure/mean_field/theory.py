"""Mean-field theory of wide random nets: their largest Fisher eigenvalue and learning rate."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import brentq

from bnlab.arguments import checked
from bnlab.errors import check_name, check_number
from bnlab.measure.mean_field.recursions import (
    after,
    backward_factors,
    forward,
    from_the_end,
)

if TYPE_CHECKING:
    from bnlab.draw.figure import Drawing

NORMS = ("none", "batch")
EXPLOSION = math.pi / (math.pi - 1)
r"""1.467: factor of the squared gradient norm from one layer of a BatchNorm and ReLU net to the
layer before it, with random weights and large batches. BatchNorm divides by the deviation of z,
whose square is 1 - 1/pi of its second moment, as the mean of ReLU's outputs is not zero.
Source: Yang et al. 2019, arXiv 1902.08129."""


@dataclass(frozen=True)
class MeanField:
    """Order parameters of a net of random weights, layer by layer, in the limit of large width.

    x and y are independent inputs. Arrays have one number for each of the L layers with weights;
    entry l - 1 is layer l. z are its inputs to the nonlinearity, h its outputs, delta the
    derivatives of one output of the net by z.

    Attributes:
        norm: ``none`` or ``batch``.
        gamma: the normalizers' weight.
        corrected: whether the variance, not the second moment, stands in the gradient's recursion.
        fan_in: N_{l-1}, inputs of a unit of layer l: channels times the size of the kernel.
        sites: |K_l|, positions of the output of layer l; 1 if dense.
        q: E|z^l|^2 a unit; without a normalizer's effect.
        q_xy: E z^l(x) z^l(y).
        q_hat: E|h^{l-1}|^2 a unit: entry 0 is the net's input.
        q_hat_xy: E h^{l-1}(x) h^{l-1}(y).
        q_tilde: E|delta^l|^2, summed over units.
        q_tilde_xy: E <delta^l(x), delta^l(y)>.
        by_layer: f_l, what layer l contributes to ``bound``.
    """

    norm: str
    gamma: float
    corrected: bool
    fan_in: np.ndarray
    sites: np.ndarray
    q: np.ndarray
    q_xy: np.ndarray
    q_hat: np.ndarray
    q_hat_xy: np.ndarray
    q_tilde: np.ndarray
    q_tilde_xy: np.ndarray
    by_layer: np.ndarray

    @property
    def bound(self) -> float:
        """Lower bound on the largest eigenvalue of the expected Fisher matrix, sum of f_l."""
        return float(self.by_layer.sum())

    def fisher_eigenvalue(self, samples: int, outputs: int = 1) -> float:
        r"""What the Fisher matrix of a net of finite size has for its largest eigenvalue.

        F shares its eigenvalues with (1/n) sum_l <delta_k^l(x_i), delta_m^l(x_j)>
        <h^{l-1}(x_i), h^{l-1}(x_j)>, a row for each of the n inputs and each output k. Two terms
        are not in the paper, where samples and width are infinite:

        * Of one output, the mean of that is a on the diagonal and b = bound elsewhere, which gives
          b + (a - b) / n, with a = sum_l N_{l-1} q_hat q_tilde.
        * Gradients of different outputs are random vectors of N entries, so that they overlap:
          f_l is multiplied by the largest eigenvalue of such a random Gram matrix,
          (1 + sqrt(outputs r))^2, r = sum of 1 / N over the widths that the gradient has passed.

        With ``outputs=1`` the second is left out: that is the mean of the eigenvalues that the
        outputs have, one each.

        Raises:
            ValueError: for no sample or output, or the paper's form of a convolution.

        Source: the second term, Marchenko and Pastur 1967.
        """
        check_number("samples", samples, 1)
        check_number("outputs", outputs, 1)
        if (self.sites > 1).any() and not self.corrected:
            raise ValueError(
                "the terms of finite size do not fit the paper's convolutions; use corrected=True."
            )
        diagonal = float((self.fan_in * self.q_hat * self.q_tilde).sum())
        overlap = after(1 / self.fan_in) * outputs if outputs > 1 else np.zeros(len(self.fan_in))
        largest = float((self.by_layer * (1 + np.sqrt(overlap)) ** 2).sum())
        return largest + (diagonal - self.bound) / samples

    def largest_lr(self, momentum: float = 0.0) -> float:
        """Largest learning rate that does not diverge: 2 (1 + momentum) / bound.

        For gradient descent with heavy-ball momentum on the loss (1/2) |f - y|^2, near the start.

        Source: Wei et al. 2019, arXiv 1903.02606, section 2.
        """
        check_number("momentum", momentum, 0, 1)
        return 2 * (1 + momentum) / self.bound

    @property
    def gradient_growth(self) -> np.ndarray:
        """Ratios E|delta^l|^2 / E|delta^{l+1}|^2 for l = 1 ... L-1, (L-1,); see ``EXPLOSION``."""
        return self.q_tilde[:-1] / self.q_tilde[1:]

    def plot(self) -> Drawing:
        """What each layer contributes to the bound."""
        from bnlab.measure.mean_field.figure import contributions

        return contributions(self)


@checked
def mean_field(
    fan_in: Sequence[int],
    norm: str = "batch",
    gamma: float = 1.0,
    *,
    weight_variance: float = 2.0,
    bias_variance: float = 0.5,
    sites: Sequence[int] | None = None,
    corrected: bool = False,
) -> MeanField:
    r"""Mean-field theory of a ReLU net with or without BatchNorm, as Wei et al. have it.

    Weights of layer l are N(0, weight_variance / N_{l-1}), biases N(0, bias_variance), inputs have
    mean 0 and variance 1; no normalizer follows the last layer, which has no ReLU. With
    c = q_xy / q, and D = q for the paper, D = q - q_xy if ``corrected``,

        q = bias_variance + weight_variance q_hat,  q_xy = bias_variance + weight_variance q_hat_xy;
        none:  q_hat' = q / 2,
               q_hat_xy' = (q / 2 pi) (sqrt(1 - c^2) + c pi / 2 + c arcsin c),
               q_tilde = (weight_variance / 2) q_tilde',
               q_tilde_xy = (weight_variance / 2 pi) (pi / 2 + arcsin c) q_tilde_xy';
        batch: q_hat' = gamma^2 / 2,  q_hat_xy' = gamma^2 / 2 pi,
               q_tilde = gamma^2 (weight_variance / 2) q_tilde' / D,
               q_tilde_xy = gamma^2 (weight_variance / 4) q_tilde_xy' / D,

    where a prime is the next layer; they start from q_hat = 1 and q_hat_xy = 0 at the input, and
    q_tilde = q_tilde_xy = 1 at the output. Layer l adds f_l = N_{l-1} q_hat_xy^{l-1} q_tilde_xy^l
    to the bound on the largest Fisher eigenvalue; a convolution, in the paper,

        f_l = N_{l-1} [(K - 1) q_hat_ab,xy + q_hat_xy] [(K - 1) q_tilde_ab,xy + q_tilde_xy],

    K = sites, where the parameters of two different sites a and b follow the same recursions from
    the same start, so that f_l = N_{l-1} K^2 q_hat_xy q_tilde_xy.

    **The correction.** BatchNorm divides by the variance of z, q - q_xy, and the paper puts the
    second moment q in its place. So its q_tilde stays the same from layer to layer where in truth
    it grows by ``EXPLOSION`` = 1.467 (without biases). With ``corrected`` the variance stands
    there. And, for convolutions, q_tilde sums over sites: each output site of a random net sends
    its gradient to sites whose sum of squares keeps the dense recursion, and gradients at different
    sites come by different weights, or all as one behind an average; either way the sites drop out:
    f_l = N_{l-1} q_hat_xy q_tilde_xy.

    Statistics of the batch count as constants in all of it. With ``batch_statistics=
    "backpropagated"`` the mean gradient over a batch is zero before each BatchNorm, and of the
    bound only the last layer's term is left: ``by_layer[-1]``.

    Source: Wei, Stokes and Schwab 2019, arXiv 1903.02606. The bound's dense form is printed there
    with q_tilde_xy^{l-1} in place of q_hat_xy^{l-1}, a misprint; its convolutional form has it as
    here.

    Args:
        fan_in: N_0 ... N_{L-1}.
        norm: ``none`` or ``batch``.
        gamma: the weight of every BatchNorm.
        weight_variance: of a weight, times its layer's fan-in.
        bias_variance: of a bias.
        sites: output positions of each layer; all 1 if left out.
        corrected: see above; without a normalizer it changes convolutions only.

    Raises:
        ValueError: for an unknown norm, or numbers out of range.

    Example:
        >>> [round(mean_field([1000] * 4, norm).bound) for norm in ("none", "batch")]
        [2234, 230]
    """
    check_name("norm of the theory", norm, NORMS)
    check_number("gamma", gamma, 0)
    check_number("bias_variance", bias_variance, 0)
    check_number("weight_variance", weight_variance, 0)
    if weight_variance == 0 or gamma == 0:
        raise ValueError("weight_variance and gamma must be larger than 0.")
    sizes = _positive("fan_in", fan_in)
    places = _positive("sites", [1] * len(sizes) if sites is None else sites)
    if len(places) != len(sizes):
        raise ValueError(f"{len(sizes)} layers in fan_in, but {len(places)} in sites.")
    signals = forward(len(sizes), norm, gamma, weight_variance, bias_variance)
    divided = signals["q"] - signals["q_xy"] if corrected else signals["q"]
    scale = gamma**2 * weight_variance / divided
    factors = backward_factors(signals, norm, scale, weight_variance)
    q_tilde, q_tilde_xy = (from_the_end(each) for each in factors)
    return MeanField(
        norm=norm,
        gamma=gamma,
        corrected=corrected,
        fan_in=sizes,
        sites=places,
        **signals,
        q_tilde=q_tilde,
        q_tilde_xy=q_tilde_xy,
        by_layer=sizes * (1 if corrected else places**2) * signals["q_hat_xy"] * q_tilde_xy,
    )


@checked
def crossing_gamma(fan_in: Sequence[int], **options: object) -> float:
    """The gamma at which BatchNorm's bound is that of the net without it; below, it is lower.

    Args:
        fan_in: as ``mean_field``.
        **options: its other options but ``norm`` and ``gamma``.

    Raises:
        ValueError: as ``mean_field``, or if there is no crossing between 0.001 and 1000.

    Example:
        >>> round(crossing_gamma([1000] * 4), 2)
        2.88
    """
    plain = mean_field(fan_in, "none", **options).bound

    def excess(log_gamma: float) -> float:
        gamma = math.exp(log_gamma)
        return math.log(mean_field(fan_in, "batch", gamma, **options).bound / plain)

    low, high = math.log(1e-3), math.log(1e3)
    if len(fan_in) < 2 or not excess(low) < 0 < excess(high):
        raise ValueError(
            "the bounds with and without BatchNorm do not cross for gamma between 0.001 and 1000."
        )
    return math.exp(brentq(excess, low, high, xtol=1e-12))


def _positive(name: str, values: Sequence[int]) -> np.ndarray:
    array = np.asarray(values)
    if array.ndim != 1 or not len(array) or array.dtype.kind not in "iu" or (array < 1).any():
        raise ValueError(f"{name} must be positive integers, one a layer, got {values!r}.")
    return array
