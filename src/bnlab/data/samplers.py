"""Which training images make up each batch.

A sampler is made for labels, a seed and a batch size; ``sampler(first, count)`` gives the image
numbers of batches ``first`` to ``first + count - 1``, int64 of shape (count, batch_size). All draw
from the counter-based generator, so a batch does not depend on the batches drawn before it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np

from bnlab import random
from bnlab.arguments import checked, require
from bnlab.errors import check_name, unknown

Sampler = Callable[[int, int], np.ndarray]
BLOCK = 64  # batches drawn at a time: one by one, drawing would cost as much as training


def iid(labels: np.ndarray, seed: int, batch_size: int) -> Sampler:
    """Draw each image independently and uniformly from all, with replacement."""

    def sample(first: int, count: int) -> np.ndarray:
        numbers = random.integers(
            seed, random.BATCH, len(labels), count * batch_size, first * batch_size
        )
        return numbers.reshape(count, batch_size)

    return sample


def few_classes(labels: np.ndarray, seed: int, batch_size: int, k: int = 1) -> Sampler:
    """Draw k classes without replacement for each batch, then each image from one of these.

    With k = 1 every batch is class-pure: the hardest case for statistics taken from the batch
    (Ioffe 2017, section 4.3, trains on batches of few classes).
    """
    classes, sizes = np.unique(labels, return_counts=True)
    if not isinstance(k, int) or isinstance(k, bool) or not 1 <= k <= len(classes):
        raise ValueError(
            f"k classes a batch: k must be between 1 and {len(classes)}, the number of classes in "
            f"the training data, got {k!r}."
        )
    by_class = np.argsort(labels, kind="stable")  # image numbers, class after class
    starts = np.cumsum(sizes) - sizes

    def sample(first: int, count: int) -> np.ndarray:
        draw = partial(random.bits, seed)
        keys = draw(random.CLASSES, count * len(classes), first * len(classes))
        chosen = np.argsort(keys.reshape(count, -1), axis=1, kind="stable")[:, :k]
        size, start = count * batch_size, first * batch_size
        which = (draw(random.WHICH_CLASS, size, start) % np.uint32(k)).reshape(count, batch_size)
        c = np.take_along_axis(chosen, which.astype(np.int64), axis=1)
        member = draw(random.MEMBERS, size, start).reshape(count, batch_size)
        return by_class[starts[c] + member % sizes[c]]

    return sample


def one_class_from(labels: np.ndarray, seed: int, batch_size: int, step: int) -> Sampler:
    """Batches of ``iid`` up to ``step`` - 1, and those of ``one_class`` from ``step`` on.

    Steps are counted from 1. So a training can end on batches that are not like the others, as one
    does whose last images are sorted.
    """
    require(
        isinstance(step, int) and not isinstance(step, bool) and step >= 1,
        f"step must be a positive integer, the first one with a batch of one class, got {step!r}.",
    )
    mixed, pure = iid(labels, seed, batch_size), few_classes(labels, seed, batch_size, 1)

    def sample(first: int, count: int) -> np.ndarray:
        is_pure = np.arange(first, first + count)[:, None] >= step - 1
        return np.where(is_pure, pure(first, count), mixed(first, count))

    return sample


SAMPLERS: dict[str, Callable[..., Sampler]] = {
    "iid": iid,
    "one_class": partial(few_classes, k=1),
    "k_classes": few_classes,
    "one_class_from": one_class_from,
}
OPTIONS = {"iid": (), "one_class": (), "k_classes": ("k",), "one_class_from": ("step",)}


@checked
def check_sampler(name: str, options: dict[str, object]) -> None:
    """Raise a clear error for an unknown sampler or option, or if k is missing."""
    check_name("sampler", name, SAMPLERS)
    for option in options:
        if option not in OPTIONS[name]:
            raise ValueError(
                unknown(f"option of sampler {name!r}:", option, OPTIONS[name] or ["none"])
            )
    for option in OPTIONS[name]:
        if option not in options:
            raise ValueError(f"sampler {name!r} needs the option {option!r}.")


@checked
def batches(
    labels: np.ndarray, name: str, seed: int, batch_size: int, steps: int, **options: object
) -> Iterator[np.ndarray]:
    """The image numbers of each of ``steps`` batches, one (batch_size,) array after the other.

    Args:
        labels: labels of the training images, (n,).
        name: a key of ``SAMPLERS``.
        seed: which batches.
        batch_size: images a batch.
        steps: how many batches.
        **options: ``k`` for ``k_classes``, ``step`` for ``one_class_from``.

    Raises:
        ValueError: at once, for an unknown sampler or option, or a batch larger than the data.
    """
    check_sampler(name, options)
    if batch_size < 1:
        raise ValueError(f"batch_size must be a positive integer, got {batch_size!r}.")
    if batch_size > len(labels):
        raise ValueError(
            f"batch_size={batch_size} is larger than the training data ({len(labels)} images); "
            "choose a smaller batch."
        )
    return _drawn(SAMPLERS[name](labels, seed, batch_size, **options), steps)


def _drawn(sample: Sampler, steps: int) -> Iterator[np.ndarray]:
    # Apart from ``batches``: a generator would put its checks off until the first batch is asked.
    for first in range(0, steps, BLOCK):
        yield from sample(first, min(BLOCK, steps - first))
