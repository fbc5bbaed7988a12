"""Root Mean Square Normalization."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor, nn

from bnlab.norms.base import Normalizer
from bnlab.norms.functional import mean_square, scale_shift

KERNEL = getattr(nn.functional, "rms_norm", None)  # torch 2.4 brought it


class RMSNorm(Normalizer):
    r"""RMS Normalization: Layer Normalization without the mean, and without a bias.

        y = weight * x / sqrt(mean(x^2) + eps),

    with the mean of squares over all channels and positions of one sample: (C,) or (C, H, W), as
    ``LayerNorm``. Training and evaluation are the same function. On (N, C) this is
    ``torch.nn.RMSNorm(C)``, whose eps is the machine's by default.

    Source: Zhang and Sennrich 2019, arXiv 1910.07467, equation 4; eps is from their code.

    Args:
        num_features: C.
        eps: added to the mean of squares.
        affine: learn a weight, one value a channel. There is no bias.
        native: use ``torch.nn.functional.rms_norm`` on (N, C), in torch 2.4 and newer. On images,
            where its weight would not be one value a channel, the primitive operations are faster.

    Shape:
        (N, C) or (N, C, H, W), in and out. Every size is defined, H = W = 1 and C = 1 included.

    Example:
        >>> RMSNorm(2, eps=0.0)(torch.tensor([[1.0, 7.0]])).tolist()
        [[0.20000000298023224, 1.399999976158142]]
    """

    has_kernel: ClassVar[bool] = KERNEL is not None

    def __init__(
        self, num_features: int, eps: float = 1e-5, affine: bool = True, *, native: bool = False
    ) -> None:
        super().__init__(num_features, eps, affine, native=native, bias=False)

    def _normalize(self, x: Tensor) -> Tensor:
        weight, _ = self._affine_for(x)
        if KERNEL is not None and x.ndim == 2 and self._use_kernel(x):
            return KERNEL(x, x.shape[1:], weight, self.eps)
        scale = (mean_square(x, tuple(range(1, x.ndim))) + self.eps).rsqrt()
        return scale_shift(x, scale, weight, None)
