"""What differs by rounding alone is a tie: the last digit depends on the processor."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

NEAR = 1e-9


def first_best(scores: Sequence[float]) -> int:
    """The place of the highest score; of those within ``NEAR`` of it the first."""
    scores = np.asarray(scores)
    return int(np.argmax(scores >= scores.max() - NEAR))


def largest_usable(rates: Sequence[float], scores: np.ndarray, loss: float) -> np.ndarray:
    """For each seed the largest rate whose score is at most ``loss`` below the best, (seeds,).

    Args:
        rates: in rising order.
        scores: (rates, seeds).
        loss: what a usable rate may lose, itself included.
    """
    usable = scores >= scores.max(0) - loss - NEAR
    return np.array(rates)[len(usable) - 1 - usable[::-1].argmax(0)]
