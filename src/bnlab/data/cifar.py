"""CIFAR-10 and CIFAR-100: 60,000 real images of 32 x 32 pixels each, from their binary archives.

They can be halved to 16 x 16 pixels, at which a small residual net trains in a minute of one core.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bnlab import random
from bnlab.arguments import checked
from bnlab.data.archive import Archive, given_folder
from bnlab.data.dataset import Dataset

SHAPE = (3, 32, 32)  # the red, green and blue planes
SIZES = (32, 16)
"""Height and width that the images can have: their own, or half of it."""

NEAR = 5e-8
"""Channel means of the official training pixels are known to eight digits; a copy's differ."""
SERVER = "https://www.cs.toronto.edu/~kriz"


@dataclass(frozen=True)
class Layout:
    """What tells the two data sets apart.

    Attributes:
        name: what it is called.
        archive: where its files are.
        train: names of the files with training images.
        test: name of the file with test images.
        classes: how many values each label of an image has. A record is one byte a label, then
            the pixels; the last label is the one that a net learns.
        mean: of the training pixels, scaled to 0 .. 1, of each channel.
        std: their standard deviation.
        means: the same as ``mean``, to eight digits: of another copy they differ.
    """

    name: str
    archive: Archive
    train: tuple[str, ...]
    test: str
    classes: tuple[int, ...]
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    means: tuple[float, float, float] | None = None

    @property
    def record(self) -> int:
        """Bytes of an image with its labels."""
        return len(self.classes) + 3 * 32 * 32


def _layout(title: str, md5: str, folder: str, train: tuple[str, ...], test: str, **rest) -> Layout:
    url = f"{SERVER}/{title.lower()}-binary.tar.gz"
    archive = Archive(title, url, md5, folder, (*train, test))
    return Layout(title.lower().replace("-", ""), archive, train, test, **rest)


CIFAR10 = _layout(
    "CIFAR-10",
    "c32a1d4ab5d03f1284b67883e8d87530",
    "cifar-10-batches-bin",
    tuple(f"data_batch_{number}.bin" for number in range(1, 6)),
    "test_batch.bin",
    classes=(10,),
    mean=(0.4914, 0.4822, 0.4465),
    std=(0.2470, 0.2435, 0.2616),
    means=(0.49139968, 0.48215841, 0.44653091),
)
CIFAR100 = _layout(
    "CIFAR-100",
    "03b5dce01913d631647c71ecec9e9cb8",
    "cifar-100-binary",
    ("train.bin",),
    "test.bin",
    classes=(20, 100),  # the coarse label, the fine label
    mean=(0.5071, 0.4865, 0.4409),
    std=(0.2673, 0.2564, 0.2762),
)


@checked
def cifar10(split_seed: int = 0, image_size: int = 32) -> Dataset:
    """CIFAR-10: 45,000 training and 5,000 validation images, split at random; 10,000 for the test.

    The validation images are a tenth of the official training images; the official test images
    stay the test part. Pixel p of 0 to 255 becomes (p / 255 - mean) / std with the usual constants
    of each channel, the same for every split. Images of 16 x 16 pixels are means over 2 x 2 pixels,
    with the same constants.

    The first call downloads 170 MB into the user's cache, unless the environment variable
    ``BNLAB_DATA`` names a folder that has the archive, or the folder unpacked from it. A download
    that breaks off is started again by the next call. Files of the same layout with fewer images
    work too. ``Dataset.source`` says whether the pixels are the official ones.

    Source: A. Krizhevsky 2009, Learning Multiple Layers of Features from Tiny Images.

    Args:
        split_seed: which split.
        image_size: 32, or 16.

    Raises:
        OSError: if the archive cannot be downloaded, or ``BNLAB_DATA`` does not have the data.
        ValueError: for another size; for a file that is truncated, damaged or none of CIFAR-10.
    """
    return _load(CIFAR10, split_seed, image_size, given_folder())


@checked
def cifar100(split_seed: int = 0, image_size: int = 32) -> Dataset:
    """CIFAR-100: split as ``cifar10``, with 100 classes (the fine labels) of 600 images each."""
    return _load(CIFAR100, split_seed, image_size, given_folder())


# Training asks for its data more than once, and reading takes seconds; but one split fills 737 MB,
# so only the last one is kept. BNLAB_DATA is part of the key: another folder is other data.
@functools.lru_cache(maxsize=1)
def _load(layout: Layout, split_seed: int, image_size: int, given: str) -> Dataset:
    check_image_size(layout.name, image_size)
    source = layout.archive.find(given)
    files = layout.archive.read(source)
    decoded = functools.partial(_decode, layout, source)
    test_x, test_y = decoded(layout.test, files.pop(layout.test))
    parts = [decoded(name, files.pop(name)) for name in layout.train]
    train_x, train_y = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    del parts  # with it go the files, before the larger arrays are made
    origin = _origin(layout, train_x)
    order = random.permutation(split_seed, random.SPLIT, len(train_y))
    train, val = np.split(order, [len(order) - len(order) // 10])
    standardized = functools.partial(_standardized, layout, image_size)
    return Dataset(
        layout.name,
        layout.classes[-1],
        standardized(train_x[train]),
        train_y[train],
        standardized(train_x[val]),
        train_y[val],
        standardized(test_x),
        test_y,
        origin,
    )


def _origin(layout: Layout, pixels: np.ndarray) -> str:
    """What the data set is called, with a word if the training pixels are not the official ones."""
    title = layout.archive.title
    if layout.means is None:
        return title
    found = pixels.mean((0, 2, 3), dtype=np.float64) / 255
    is_official = np.abs(found - layout.means).max() < NEAR
    return title if is_official else f"{title} (a copy: not the official pixels)"


def _standardized(layout: Layout, image_size: int, pixels: np.ndarray) -> np.ndarray:
    """Compute (p / 255 - mean) / std, float32, with one array of that size."""
    mean, std = (np.float32(c)[:, None, None] for c in (layout.mean, layout.std))
    x = _halved(pixels) if image_size < pixels.shape[-1] else pixels.astype(np.float32)
    x -= 255 * mean
    x /= 255 * std
    return x


def _halved(pixels: np.ndarray) -> np.ndarray:
    """Means over 2 x 2 pixels: uint8 (n, C, H, W) to float32 (n, C, H / 2, W / 2), exactly."""
    rows = pixels[:, :, ::2].astype(np.uint16) + pixels[:, :, 1::2]
    return (rows[..., ::2] + rows[..., 1::2]).astype(np.float32) / 4


def check_image_size(name: str, image_size: int) -> None:
    """Raise a clear error for a size that these images cannot have."""
    if image_size not in SIZES:
        raise ValueError(
            f"image_size={image_size!r} is not for data={name!r}: its images have 32 x 32 pixels. "
            "Use 32, or 16 (means over 2 x 2 pixels)."
        )


def _decode(
    layout: Layout, source: Path, name: str, content: bytes
) -> tuple[np.ndarray, np.ndarray]:
    """Pixels, uint8 (n, 3, 32, 32), and labels, int64 (n,), of one file, checked."""
    again = f"delete it and get it again from {layout.archive.url}."
    record, count = layout.record, len(layout.classes)
    if not content or len(content) % record:
        raise ValueError(
            f"{name} in {source} is truncated: it has {len(content):,} bytes, not a positive "
            f"multiple of {record:,} (an image with its labels); {again}"
        )
    records = np.frombuffer(content, dtype=np.uint8).reshape(-1, record)
    for place, classes in enumerate(layout.classes):
        wrong = np.flatnonzero(records[:, place] >= classes)
        if len(wrong):
            raise ValueError(
                f"{name} in {source} is damaged or no file of {layout.archive.title}: image "
                f"{wrong[0]:,} has label {records[wrong[0], place]}, labels are 0 to "
                f"{classes - 1}; {again}"
            )
    labels = records[:, count - 1].astype(np.int64)
    return records[:, count:].reshape(-1, *SHAPE), labels
