"""Filter Response Normalization with its thresholded linear unit."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor, nn

from bnlab.norms.base import Normalizer
from bnlab.norms.functional import mean_square, per_channel, scale_shift

LEARNED_START = 1e-4


class FilterResponseNorm(Normalizer):
    r"""Filter Response Normalization, and the thresholded linear unit (TLU) that belongs to it.

        y = max(weight * x / sqrt(nu2 + eps) + bias, tau),    nu2 = mean(x^2) over (H, W),

    for each sample and channel alone; the mean is not subtracted, nu2 is not centred. tau, one
    value a channel, is learned and starts at 0, where max(., tau) is ReLU: no other nonlinearity
    follows (``activates``). Where both arguments of max are equal, the gradient is shared evenly.
    Training and evaluation are the same function.

    With ``learnable_eps`` the divisor is sqrt(nu2 + eps + |learned_eps|), one learned number a
    layer, which starts at 1e-4. Inputs with H*W = 1 need it: otherwise x / sqrt(x^2 + eps) is
    little more than the sign of x.

    Source: Singh and Krishnan 2020, arXiv 1911.09737, section 3. The code of Lubana et al. 2021
    always learns eps, as |eps| alone, from 1e-5.

    Args:
        num_features: C.
        eps: added to the mean of squares; the paper's 1e-6.
        affine: learn weight and bias; tau is learned in any case.
        learnable_eps: learn what is added to eps.
        native: accepted as by all normalizers; torch has no such kernel.

    Shape:
        (N, C) or (N, C, H, W), in and out. (N, C) is H*W = 1.

    Raises:
        ValueError: for inputs with H*W = 1 without ``learnable_eps``.

    Example:
        >>> x = torch.tensor([[[[1.0, -7.0]]]])
        >>> FilterResponseNorm(1, eps=0.0)(x).tolist()
        [[[[0.20000000298023224, 0.0]]]]
    """

    activates: ClassVar[bool] = True
    learned: ClassVar[dict[str, float]] = {
        **Normalizer.learned,
        "tau": 0.0,
        "learned_eps": LEARNED_START,
    }

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-6,
        affine: bool = True,
        learnable_eps: bool = False,
        *,
        native: bool = False,
    ) -> None:
        super().__init__(num_features, eps, affine, native=native)
        self.tau = nn.Parameter(torch.zeros(num_features))
        learned = nn.Parameter(torch.tensor(LEARNED_START)) if learnable_eps else None
        self.register_parameter("learned_eps", learned)

    def check(self, x: Tensor) -> None:
        """Raise a clear error as all normalizers do, and for one position without a learned eps."""
        super().check(x)
        if self.learned_eps is None and x.numel() == x.shape[0] * x.shape[1]:
            raise ValueError(
                f"FilterResponseNorm on one position a channel (shape {tuple(x.shape)}) is the "
                "sign of the input. Use learnable_eps=True, or inputs with positions (H*W > 1)."
            )

    def _normalize(self, x: Tensor) -> Tensor:
        eps = self.eps if self.learned_eps is None else self.eps + self.learned_eps.abs()
        nu2 = x * x if x.ndim == 2 else mean_square(x, (2, 3))
        y = scale_shift(x, (nu2 + eps).rsqrt(), *self._affine_for(x))
        return torch.maximum(y, per_channel(self.tau, x))
