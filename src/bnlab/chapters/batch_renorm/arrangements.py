"""How the images of a batch are put together from groups that are more or less alike.

``iid``: each image is drawn from all. ``pure``, ``two`` and ``four``: each group holds images of
one, two or four classes, of each the same number. ``mixed``: the images of ``pure``, in a random
order. A batch with as many groups as there are classes holds equally many images of each class,
however it is arranged: the gradient sees the same, the statistics do not.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from bnlab import random

CLASSES = {"pure": 1, "two": 2, "four": 4}  # that a group holds
ARRANGEMENTS = ("iid", "mixed", *CLASSES)


def arranged(
    arrangement: str, labels: np.ndarray, seed: int, batch_size: int, group: int
) -> Iterator[np.ndarray]:
    """Numbers of the images of each batch, in any arrangement but ``iid``."""
    if arrangement == "mixed":
        return mixed_groups(labels, seed, batch_size, group)
    return alike_groups(labels, seed, batch_size, group, CLASSES[arrangement])


def alike_groups(
    labels: np.ndarray, seed: int, batch_size: int, group: int, of_classes: int = 1
) -> Iterator[np.ndarray]:
    """Numbers of the images of each batch; ``group`` neighbours are of few classes, drawn anew.

    The classes are put in a random order, as if around a table; group number i holds those at
    places i, i + 1 and so on, as many as ``of_classes``, of each equally many images.

    Raises:
        ValueError: if a batch would have more groups than there are classes, or a group cannot
            hold its classes equally often.
    """
    classes, sizes = np.unique(labels, return_counts=True)
    count = batch_size // group
    if not 1 <= count <= len(classes):
        raise ValueError(
            f"a batch of {batch_size} has {count} groups of {group}; with one class a group there "
            f"must be 1 to {len(classes)}."
        )
    if group % of_classes:
        raise ValueError(f"{of_classes} classes do not share a group of {group} equally.")
    by_class, starts = np.argsort(labels, kind="stable"), np.cumsum(sizes) - sizes
    places = (np.arange(count)[:, None] + np.arange(of_classes)) % len(classes)
    places = places.repeat(group // of_classes, axis=1).ravel()
    for step in range(2**32 // batch_size):
        keys = random.bits(seed, random.CLASSES, len(classes), step * len(classes))
        chosen = np.argsort(keys, kind="stable")[places]
        member = random.bits(seed, random.MEMBERS, count * group, step * batch_size)
        yield by_class[starts[chosen] + member % sizes[chosen]]


def mixed_groups(
    labels: np.ndarray, seed: int, batch_size: int, group: int
) -> Iterator[np.ndarray]:
    """The batches of ``alike_groups`` of one class, each in a random order."""
    for step, numbers in enumerate(alike_groups(labels, seed, batch_size, group)):
        keys = random.bits(seed, random.WHICH_CLASS, batch_size, step * batch_size)
        yield numbers[np.argsort(keys[: len(numbers)], kind="stable")]


def whole_groups(labels: np.ndarray, size: int, arrangement: str) -> np.ndarray:
    """Numbers of images, ``size`` after ``size`` a group; what does not fill a group is left out.

    Groups are arranged as in training; ``iid`` and ``mixed`` ones are in the order of the data,
    which is random.
    """
    if arrangement not in CLASSES:
        return np.arange(len(labels) // size * size)
    of_classes = CLASSES[arrangement]
    part = size // of_classes  # images of a class in a group
    own = [np.flatnonzero(labels == c) for c in np.unique(labels)]
    rounds = min(len(one) for one in own) // (part * of_classes)
    return np.concatenate(
        [
            own[(first + k) % len(own)][(turn * of_classes + k) * part :][:part]
            for turn in range(rounds)
            for first in range(len(own))
            for k in range(of_classes)
        ]
    )
