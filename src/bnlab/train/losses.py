"""The losses that a Run can name: functions of logits (N, K) and labels (N,), mean over samples."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor
from torch.nn.functional import cross_entropy, mse_loss, one_hot


def squared_error(logits: Tensor, y: Tensor) -> Tensor:
    """Mean over samples and classes of (logit - one-hot label)^2."""
    return mse_loss(logits, one_hot(y, logits.shape[1]).to(logits.dtype))


LOSSES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "cross_entropy": cross_entropy,
    "squared_error": squared_error,
}
