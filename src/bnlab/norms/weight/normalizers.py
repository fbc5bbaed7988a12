"""The normalizers of weights, each a parametrization of one layer."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from bnlab.arguments import checked
from bnlab.errors import unknown
from bnlab.norms.weight.base import WeightNormalizer, check_eps, is_positive, refuse_single
from bnlab.norms.weight.filters import from_filters, over_filter, to_filters

# What keeps the variance at 1 after a nonlinearity of a standard normal input: 1 / its std.
# For ReLU: var = 1/2 - 1/(2 pi), so 1.7129 (printed as sqrt(2 / (1 - 1/pi)) in Brock et al.).
GAINS = {"linear": 1.0, "relu": math.sqrt(2 / (1 - 1 / math.pi))}


class WeightMean(WeightNormalizer):
    r"""Weight mean (weight centring): w = v - mean(v), one mean a filter.

    The normalizer of MimicNorm. The official code subtracts the mean after each step of the
    optimizer instead, outside of autograd: ``project_weight_mean``. With SGD (momentum and weight
    decay included) both give the same weights up to rounding; with Adam and others that scale each
    coordinate on its own they do not.

    Source: Fei et al. 2020, arXiv 2010.09278; formula from the official code.

    Raises:
        ValueError: for filters of one weight, which would all become zero.

    Example:
        >>> layer = nn.Linear(2, 1)
        >>> WeightMean(layer)(torch.tensor([[1.0, 3.0]])).tolist()
        [[-1.0, 1.0]]
    """

    @checked
    def __init__(self, layer: nn.Module) -> None:
        super().__init__(layer)
        refuse_single(self)

    def normalize(self, filters: Tensor) -> Tensor:
        """Centre the filters."""
        return filters - filters.mean(over_filter(filters), keepdim=True)


class WeightStandardization(WeightNormalizer):
    r"""Weight standardization: w = (v - mean) / sqrt(var + eps), one mean and variance a filter.

    The variance is *biased*. As a rule a normalizer of activations follows the layer, for the scale
    of w is fixed. Differentiated through mean and variance.

    Source: Qiao et al. 2019, arXiv 1903.10520, section 3. Widespread ports divide by
    (std + 1e-5) with the *unbiased* std instead: weights smaller by sqrt((n - 1) / n), n = fan-in.

    Args:
        layer: whose weight.
        eps: added to the variance.

    Raises:
        ValueError: for filters of one weight; with eps = 0, for a filter of equal weights.

    Example:
        >>> layer = nn.Linear(2, 1)
        >>> WeightStandardization(layer, eps=0.0)(torch.tensor([[1.0, 5.0]])).tolist()
        [[-1.0, 1.0]]
    """

    @checked
    def __init__(self, layer: nn.Module, eps: float = 1e-5) -> None:
        super().__init__(layer)
        check_eps(eps)
        refuse_single(self)
        self.eps = eps

    def normalize(self, filters: Tensor) -> Tensor:
        """Standardize the filters."""
        dims = over_filter(filters)
        centred = filters - filters.mean(dims, keepdim=True)
        return centred * (centred.square().mean(dims, keepdim=True) + self.eps).rsqrt()

    def check(self, weight: Tensor) -> None:
        """Raise a clear error as the base does, and for equal weights without eps."""
        super().check(weight)
        if self.eps == 0 and not weight.is_meta:
            filters = to_filters(weight, self.groups, self.transposed).flatten(1)
            if (filters == filters[:, :1]).all(1).any():
                raise ValueError(
                    f"{type(self).__name__} got a filter whose weights are all equal: its standard "
                    "deviation is 0. Use eps > 0, or another initial weight."
                )

    def extra_repr(self) -> str:
        """The options, as torch prints them."""
        return f"eps={self.eps}"


class ScaledWeightStandardization(WeightStandardization):
    r"""Scaled weight standardization: w = gamma * g * (v - mean) / sqrt(N * (var + eps)).

    One mean and *biased* variance a filter, N = fan-in, g a learnable ``gain`` a filter that starts
    at 1. Inputs gamma * relu(z), with independent standard normal z, give outputs of mean 0 and
    variance 1 over random filters, so that no normalizer of activations is needed.

    Source: Brock, De and Smith 2021, arXiv 2101.08692, equation 1. Their JAX code
    divides by sqrt(max(N * var, 1e-4)); Lubana et al. 2021 by sqrt(N) * (std + 1e-5), with the gain
    of ReLU on every layer.

    Args:
        layer: whose weight.
        eps: added to the variance.
        gain: learn g, ``parametrizations.weight.0.gain``, of shape (outputs, 1, ...); else g = 1.
        gamma: ``relu`` (1.7129 = sqrt(2 / (1 - 1/pi)), for layers that read a ReLU's output),
            ``linear`` (1), or a positive number.

    Raises:
        ValueError: as ``WeightStandardization``; for an unknown gamma or one that is not positive.

    Example:
        >>> layer = nn.Linear(4, 1)
        >>> norm = ScaledWeightStandardization(layer, eps=0.0, gamma="linear", gain=False)
        >>> norm(torch.tensor([[1.0, 1.0, 5.0, 5.0]])).tolist()
        [[-0.5, -0.5, 0.5, 0.5]]
    """

    @checked
    def __init__(
        self,
        layer: nn.Module,
        eps: float = 1e-6,
        gain: bool = True,
        gamma: str | float = "relu",
    ) -> None:
        super().__init__(layer, eps)
        self.gamma = gamma
        self.scale = _gamma(gamma) / math.sqrt(self.fan_in)
        weight = layer.weight
        outputs = to_filters(weight, self.groups, self.transposed).shape[0]
        ones = torch.ones(
            outputs, *[1] * (weight.ndim - 1), dtype=weight.dtype, device=weight.device
        )
        self.register_parameter("gain", nn.Parameter(ones) if gain else None)

    def normalize(self, filters: Tensor) -> Tensor:
        """Standardize and scale the filters."""
        filters = self.scale * super().normalize(filters)
        return filters if self.gain is None else filters * self.gain

    def extra_repr(self) -> str:
        """The options, as torch prints them."""
        return f"eps={self.eps}, gain={self.gain is not None}, gamma={self.gamma!r}"


class WeightNorm(WeightNormalizer):
    r"""Weight normalization: w = g * v / (||v|| + eps), one Euclidean norm and one g a filter.

    Trained are g (``parametrizations.weight.original0``, shape (outputs, 1, ...)) and v
    (``original1``). For Linear and Conv the state dict is that of
    ``torch.nn.utils.parametrizations.weight_norm``; for transposed layers torch's default takes the
    norm over an input unit, this class over an output unit, as the paper does.

    Source: Salimans and Kingma 2016, arXiv 1602.07868, equation 2. Lubana et al. 2021 start from
    g = 1 with eps = 1e-5 and correct each ReLU after Arpit et al. 2016: ``gain=1.0, eps=1e-5`` and
    ``correct_relus``.

    Args:
        layer: whose weight.
        gain: ``keep`` starts from g = ||w|| + eps, so that nothing changes at first; a number
            starts all g from it.
        eps: added to the norm.

    Raises:
        ValueError: for a bad gain; with eps = 0, for a filter of zeros, which has no direction.

    Example:
        >>> layer = nn.Linear(2, 1)
        >>> WeightNorm(layer)(torch.tensor([[10.0]]), torch.tensor([[3.0, 4.0]])).tolist()
        [[6.0, 8.0]]
    """

    @checked
    def __init__(self, layer: nn.Module, gain: str | float = "keep", eps: float = 0.0) -> None:
        super().__init__(layer)
        check_eps(eps)
        if gain != "keep" and not is_positive(gain):
            raise ValueError(f"gain must be 'keep' or a positive number, got {gain!r}.")
        self.gain, self.eps = gain, eps

    def forward(self, g: Tensor, v: Tensor) -> Tensor:
        """The weight with norms ``g`` and directions ``v``."""
        filters = to_filters(v, self.groups, self.transposed)
        if v.dtype in (torch.float16, torch.bfloat16):
            filters, g = filters.float(), g.float()
        filters = filters * (g / (_norm(filters) + self.eps))
        return from_filters(filters, self.groups, self.transposed).to(v.dtype)

    def right_inverse(self, weight: Tensor) -> tuple[Tensor, Tensor]:
        """The pair (g, v) for an assigned weight."""
        self.check(weight)
        norm = _norm(to_filters(weight, self.groups, self.transposed))
        if self.eps == 0 and not weight.is_meta and (norm == 0).any():
            raise ValueError(
                "WeightNorm got a filter of zeros, which has no direction. Use eps > 0, another "
                "initial weight, or leave the layer out (eligible=...)."
            )
        g = norm + self.eps if self.gain == "keep" else torch.full_like(norm, self.gain)
        return g, weight

    def extra_repr(self) -> str:
        """The options, as torch prints them."""
        return f"gain={self.gain!r}, eps={self.eps}"


def _norm(filters: Tensor) -> Tensor:
    return torch.linalg.vector_norm(filters, dim=over_filter(filters), keepdim=True)


def _gamma(gamma: str | float) -> float:
    if isinstance(gamma, str):
        if gamma not in GAINS:
            raise ValueError(unknown("gamma", gamma, [*GAINS, "a positive number"]))
        return GAINS[gamma]
    if not is_positive(gamma):
        raise ValueError(f"gamma must be 'relu', 'linear' or a positive number, got {gamma!r}.")
    return float(gamma)
