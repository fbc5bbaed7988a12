"""scikit-learn's handwritten digits: 1,797 real images of 8 x 8 pixels, in its wheel."""

from __future__ import annotations

import functools

import numpy as np

from bnlab import random
from bnlab.data.dataset import Dataset

TRAIN, VALIDATION = 1197, 300  # the other 300 are the test images


@functools.lru_cache(maxsize=16)
def digits(split_seed: int = 0) -> Dataset:
    """The digits, split at random into train (1,197), validation (300) and test (300).

    Pixels 0 to 16 become (pixel - 5) / 6, close to zero mean and unit variance over the whole set
    (the pixels' mean is 4.9, their standard deviation 6.0); constants that do not depend on the
    split keep test images out of the training inputs.

    Source: E. Alpaydin and C. Kaynak 1998, Optical Recognition of Handwritten Digits, UCI.

    Args:
        split_seed: which split.
    """
    from sklearn.datasets import load_digits  # slow to import, and needed here alone

    raw = load_digits()
    images = ((raw.images - 5) / 6).astype(np.float32)[:, None]
    labels = raw.target.astype(np.int64)
    order = random.permutation(split_seed, random.SPLIT, len(labels))
    parts = np.split(order, [TRAIN, TRAIN + VALIDATION])
    return Dataset("digits", 10, *(part for i in parts for part in (images[i], labels[i])))
