"""Data sets in memory, and the samplers that make batches of them."""

from collections.abc import Callable

from bnlab.data.cifar import cifar10
from bnlab.data.dataset import Dataset
from bnlab.data.digits import digits
from bnlab.data.labels import with_wrong_labels
from bnlab.data.samplers import SAMPLERS, batches, check_sampler
from bnlab.errors import check_name

DATASETS: dict[str, Callable[[int], Dataset]] = {"digits": digits, "cifar10": cifar10}


def load(name: str, split_seed: int = 0) -> Dataset:
    """The data set called ``name``, split by ``split_seed``.

    ``digits`` is in scikit-learn's wheel; ``cifar10`` is downloaded once, or taken from the folder
    that the environment variable ``BNLAB_DATA`` names.

    Raises:
        ValueError: for an unknown name; the known ones are listed. Also for damaged files.
        OSError: if the files of a data set cannot be had; the message says which to put where.
    """
    check_name("data set", name, DATASETS)
    return DATASETS[name](split_seed)


__all__ = [
    "DATASETS",
    "SAMPLERS",
    "Dataset",
    "batches",
    "check_sampler",
    "cifar10",
    "digits",
    "load",
    "with_wrong_labels",
]
