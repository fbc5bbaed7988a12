"""The losses that a Run can name: functions of logits (N, K) and labels (N,)."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor
from torch.nn.functional import cross_entropy, one_hot


def squared_error(logits: Tensor, y: Tensor, reduction: str = "mean") -> Tensor:
    """Mean over the classes of (logit - one-hot label)^2; and over samples, or (N,) for "none"."""
    error = logits - one_hot(y, logits.shape[1]).to(logits.dtype)
    per_sample = (error * error).mean(1)
    return per_sample if reduction == "none" else per_sample.mean()


LOSSES: dict[str, Callable[..., Tensor]] = {
    "cross_entropy": cross_entropy,
    "squared_error": squared_error,
}
