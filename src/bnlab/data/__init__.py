"""Data sets in memory, and the samplers that make batches of them."""

import numbers
from collections.abc import Callable

from bnlab.arguments import require
from bnlab.data.cifar import check_image_size, cifar10, cifar100
from bnlab.data.dataset import Dataset
from bnlab.data.digits import digits
from bnlab.data.labels import with_wrong_labels
from bnlab.data.samplers import SAMPLERS, batches, check_sampler
from bnlab.errors import check_name

DATASETS: dict[str, Callable[..., Dataset]] = {
    "digits": digits,
    "cifar10": cifar10,
    "cifar100": cifar100,
}


def check_size(name: str, image_size: int | None) -> None:
    """Raise a clear error for a size that the images of a data set cannot have; None is their own.

    Raises:
        ValueError: with the sizes that there are.
    """
    if image_size is None:
        return
    if name == "digits":
        raise ValueError(
            f"image_size={image_size!r} is not for data='digits': its images have 8 x 8 pixels. "
            "Leave it out, or use data='cifar10' with 32 or 16."
        )
    check_image_size(name, image_size)


def load(name: str, split_seed: int = 0, image_size: int | None = None) -> Dataset:
    """The data set called ``name``, split by ``split_seed``.

    ``digits`` is in scikit-learn's wheel. ``cifar10`` and ``cifar100`` are downloaded once, or
    taken from the folder that the environment variable ``BNLAB_DATA`` names.

    Args:
        name: a key of ``DATASETS``.
        split_seed: which split.
        image_size: height and width: 32 or 16 for CIFAR; None is the data set's own.

    Raises:
        ValueError: for an unknown name or size; the known ones are listed. Also for damaged files.
        OSError: if the files of a data set cannot be had; the message says which to put where.
    """
    check_name("data set", name, DATASETS)
    require(
        isinstance(split_seed, numbers.Integral) and split_seed >= 0,
        f"split_seed must be a whole number of 0 or more, got {split_seed!r}.",
    )
    check_size(name, image_size)
    options = {} if image_size is None else {"image_size": image_size}
    return DATASETS[name](split_seed, **options)


__all__ = [
    "DATASETS",
    "SAMPLERS",
    "Dataset",
    "batches",
    "check_sampler",
    "check_size",
    "cifar10",
    "cifar100",
    "digits",
    "load",
    "with_wrong_labels",
]
