"""Groups of neighbouring channels: their size, and tensors arranged by them."""

from __future__ import annotations

from torch import Tensor

from bnlab.norms.base import Normalizer


def group_size_of(
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


def check_groups(norm: Normalizer, x: Tensor) -> None:
    """Raise a ValueError if each group of a sample holds a single value."""
    if x.numel() == x.shape[0] * norm.num_groups:
        raise ValueError(
            f"{type(norm).__name__} has one value a group here (shape {tuple(x.shape)}, group "
            f"size {norm.group_size}), so every output would be the bias. Use larger groups, "
            "or inputs with positions (H*W > 1)."
        )


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
