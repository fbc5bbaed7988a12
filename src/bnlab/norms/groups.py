"""Groups of neighbouring channels: the base of who pools over them, and tensors arranged so."""

from __future__ import annotations

from torch import Tensor

from bnlab.norms.base import Normalizer


class GroupNormalizer(Normalizer):
    """Base of the normalizers that pool over groups of neighbouring channels of one sample.

    Args:
        num_features: C.
        group_size: channels a group.
        num_groups: number of groups. Give one of both.
        eps: added to the variance.
        affine: learn weight and bias.
        native: use torch's fused kernel.
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
        owner = type(self).__name__
        self.group_size = _group_size_of(owner, num_features, group_size, num_groups)
        self.num_groups = num_features // self.group_size

    def check(self, x: Tensor) -> None:
        """Raise a clear error as all normalizers do, and if each group holds a single value."""
        super().check(x)
        if x.numel() == x.shape[0] * self.num_groups:
            raise ValueError(
                f"{type(self).__name__} has one value a group here (shape {tuple(x.shape)}, group "
                f"size {self.group_size}), so every output would be the bias. Use larger groups, "
                "or inputs with positions (H*W > 1)."
            )

    def extra_repr(self) -> str:
        """The arguments, as torch's own layers print them."""
        return f"{super().extra_repr()}, group_size={self.group_size}"


def by_group(x: Tensor, num_groups: int) -> Tensor:
    """Arrange (N, C) as (N, G, C/G), and (N, C, H, W) as (N, G, C/G, H*W)."""
    n, c = x.shape[:2]
    if x.ndim == 2:
        return x.reshape(n, num_groups, c // num_groups)
    return x.reshape(n, num_groups, c // num_groups, -1)


def within_group(x: Tensor) -> tuple[int, ...]:
    """The axes of ``by_group(x)`` that make up one group."""
    return (2,) if x.ndim == 2 else (2, 3)


def channels_by_group(v: Tensor | None, x: Tensor, num_groups: int) -> Tensor | None:
    """A vector of shape (C,), shaped to broadcast with ``by_group(x)``."""
    if v is None:
        return None
    return v.reshape(num_groups, -1) if x.ndim == 2 else v.reshape(num_groups, -1, 1)


def _group_size_of(
    owner: str, num_features: int, group_size: int | None, num_groups: int | None
) -> int:
    """Channels a group, from exactly one of ``group_size`` and ``num_groups``.

    Raises:
        ValueError: for both, none, or one that does not divide ``num_features``.
    """
    if (group_size is None) == (num_groups is None):
        raise ValueError(
            f"{owner} takes group_size (channels a group) or num_groups (number of groups): "
            "give exactly one of them."
        )
    name, value = ("group_size", group_size) if num_groups is None else ("num_groups", num_groups)
    is_integer = isinstance(value, int) and not isinstance(value, bool)
    if not is_integer or value < 1 or num_features % value:
        divisors = [d for d in range(1, num_features + 1) if num_features % d == 0]
        raise ValueError(
            f"{name} must divide num_features={num_features}, got {value!r}. Possible: {divisors}."
        )
    return value if num_groups is None else num_features // value
