"""Wrong labels, on purpose: what a net can learn only by heart."""

from __future__ import annotations

import numpy as np

from bnlab import random
from bnlab.arguments import checked, require


@checked
def with_wrong_labels(labels: np.ndarray, share: float, classes: int, seed: int) -> np.ndarray:
    """A copy of ``labels`` in which each is wrong with probability ``share``.

    A wrong label is uniform among the other classes. Which are wrong depends on the seed alone, and
    with a larger share the same ones and more.

    Args:
        labels: int64, (N,).
        share: 0 to 1.
        classes: number of classes.
        seed: which labels, and what they become.
    """
    require(classes >= 2, f"classes must be 2 or more, got {classes}: no other label is wrong.")
    require(0 <= share <= 1, f"share must be from 0 to 1, got {share}.")
    is_wrong = random.uniform(seed, random.IS_WRONG, len(labels)) < share
    shift = 1 + random.integers(seed, random.WRONG_LABEL, classes - 1, len(labels))
    return np.where(is_wrong, (labels + shift) % classes, labels)
