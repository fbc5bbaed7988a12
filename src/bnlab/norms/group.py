"""Normalizers that look at one sample at a time: Group, Layer and Instance Normalization."""

from __future__ import annotations

from torch import Tensor, nn

from bnlab.norms.base import Normalizer
from bnlab.norms.functional import affine, normalize


class GroupNorm(Normalizer):
    r"""Group Normalization: one mean and variance a sample and group of channels.

        y = weight * (x - mean) / sqrt(var + eps) + bias,

    with mean and *biased* variance over ``group_size`` neighbouring channels and all positions of
    one sample. Training and evaluation are the same function.

    Source: Wu and He 2018, arXiv 1803.08494, equations 1 to 7.

    Args:
        num_features: C.
        group_size: channels a group, the word of the papers.
        num_groups: number of groups, torch's word; num_groups * group_size = C. Give one of both.
        eps: added to the variance.
        affine: learn weight and bias (one value a channel, not a group).
        native: use ``torch.nn.functional.group_norm``.

    Shape:
        (N, C) or (N, C, H, W), in and out.

    Raises:
        ValueError: if the groups do not divide the channels, if both or none of ``group_size`` and
            ``num_groups`` are given, or if a group holds a single value (then the output would be
            ``bias`` whatever the input).

    Example:
        >>> GroupNorm(4, group_size=2, eps=0.0)(torch.tensor([[1.0, 3.0, 10.0, 30.0]])).tolist()
        [[-1.0, 1.0, -1.0, 1.0]]
    """

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
        super().__init__(num_features, eps, affine, native=native)
        if (group_size is None) == (num_groups is None):
            raise ValueError(
                "GroupNorm takes group_size (channels a group) or num_groups (number of groups): "
                "give exactly one of them."
            )
        name, value = (
            ("group_size", group_size) if num_groups is None else ("num_groups", num_groups)
        )
        if (
            not isinstance(value, int)
            or isinstance(value, bool)
            or value < 1
            or num_features % value
        ):
            divisors = [d for d in range(1, num_features + 1) if num_features % d == 0]
            raise ValueError(
                f"{name} must divide num_features={num_features}, got {value!r}. "
                f"Possible: {divisors}."
            )
        self.group_size = value if num_groups is None else num_features // value
        self.num_groups = num_features // self.group_size

    def forward(self, x: Tensor) -> Tensor:
        """Normalize each group of channels of each sample."""
        self.check(x)
        if x.numel() == x.shape[0] * self.num_groups:
            raise ValueError(
                f"{type(self).__name__} has one value a group here (shape {tuple(x.shape)}, group "
                f"size {self.group_size}), so every output would be the bias. Use larger groups, "
                "or inputs with positions (H*W > 1)."
            )
        if self.native:
            return nn.functional.group_norm(x, self.num_groups, self.weight, self.bias, self.eps)
        grouped = x.reshape(x.shape[0], self.num_groups, -1)
        y, _, _ = normalize(grouped, (2,), self.eps)
        return affine(y.reshape(x.shape), self.weight, self.bias)

    def extra_repr(self) -> str:
        """The arguments, as torch's own layers print them."""
        return f"{super().extra_repr()}, group_size={self.group_size}"


class LayerNorm(GroupNorm):
    r"""Layer Normalization: one mean and variance a sample, over all channels and positions.

    Group Normalization with one group of all C channels. ``weight`` and ``bias`` hold one value a
    channel; on (N, C) that is ``torch.nn.LayerNorm(C)``, on (N, C, H, W) it is
    ``torch.nn.GroupNorm(1, C)``.

    Source: Ba, Kiros and Hinton 2016, arXiv 1607.06450, equations 3 and 4.

    Args and shape: as ``GroupNorm``, without ``group_size`` and ``num_groups``.

    Example:
        >>> LayerNorm(2, eps=0.0)(torch.tensor([[1.0, 3.0]])).tolist()
        [[-1.0, 1.0]]
    """

    def __init__(
        self, num_features: int, eps: float = 1e-5, affine: bool = True, *, native: bool = False
    ) -> None:
        super().__init__(num_features, num_groups=1, eps=eps, affine=affine, native=native)


class InstanceNorm(GroupNorm):
    r"""Instance Normalization: one mean and variance a sample and channel, over all positions.

    Group Normalization with groups of one channel. It needs positions: on (N, C) a group holds a
    single value, which is refused.

    Source: Ulyanov, Vedaldi and Lempitsky 2016, arXiv 1607.08022, equation 7.

    Args and shape: as ``GroupNorm``, without ``group_size`` and ``num_groups``. Unlike
    ``torch.nn.InstanceNorm2d`` it learns weight and bias by default.

    Example:
        >>> InstanceNorm(1, eps=0.0)(torch.tensor([[[[1.0, 3.0]]]])).tolist()
        [[[[-1.0, 1.0]]]]
    """

    def __init__(
        self, num_features: int, eps: float = 1e-5, affine: bool = True, *, native: bool = False
    ) -> None:
        super().__init__(num_features, group_size=1, eps=eps, affine=affine, native=native)
