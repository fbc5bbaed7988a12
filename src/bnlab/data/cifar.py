"""CIFAR-10: 60,000 real images of 32 x 32 pixels, from their official binary archive."""

from __future__ import annotations

import functools
import gzip
import os
import tarfile
import zlib
from pathlib import Path, PurePosixPath

import numpy as np

from bnlab import random
from bnlab.data.dataset import Dataset

ARCHIVE, FOLDER = "cifar-10-binary.tar.gz", "cifar-10-batches-bin"
URL = f"https://www.cs.toronto.edu/~kriz/{ARCHIVE}"
HASH = "md5:c32a1d4ab5d03f1284b67883e8d87530"  # as published beside the archive
TRAIN = tuple(f"data_batch_{number}.bin" for number in range(1, 6))
TEST = "test_batch.bin"
NUM_CLASSES, SHAPE = 10, (3, 32, 32)
RECORD = 1 + 3 * 32 * 32  # bytes of an image: its label, then the red, green and blue planes

# Mean and standard deviation of the training pixels, scaled to 0 .. 1, of each channel.
MEAN = np.array([0.4914, 0.4822, 0.4465], dtype=np.float32)[:, None, None]
STD = np.array([0.2470, 0.2435, 0.2616], dtype=np.float32)[:, None, None]


def cifar10(split_seed: int = 0) -> Dataset:
    """CIFAR-10: 45,000 training and 5,000 validation images, split at random; 10,000 for the test.

    The validation images are a tenth of the official training images; the official test images
    stay the test part. Pixel p of 0 to 255 becomes (p / 255 - mean) / std with the usual constants
    of each channel, the same for every split.

    The first call downloads 170 MB into the user's cache, unless the environment variable
    ``BNLAB_DATA`` names a folder that has the archive, or the folder unpacked from it. Files of the
    same layout with fewer images work too.

    Source: A. Krizhevsky 2009, Learning Multiple Layers of Features from Tiny Images.

    Args:
        split_seed: which split.

    Raises:
        OSError: if the archive cannot be downloaded, or ``BNLAB_DATA`` does not have the data.
        ValueError: for a file that is truncated, damaged or none of CIFAR-10.
    """
    return _cifar10(split_seed, os.environ.get("BNLAB_DATA", ""))


# Training asks for its data more than once, and reading takes seconds; but one split fills 737 MB,
# so only the last one is kept. BNLAB_DATA is part of the key: another folder is other data.
@functools.lru_cache(maxsize=1)
def _cifar10(split_seed: int, given: str) -> Dataset:
    source = _given(Path(given).expanduser()) if given else _downloaded()
    files = _read(source)
    test_x, test_y = _decode(files.pop(TEST), TEST, source)
    parts = [_decode(files.pop(name), name, source) for name in TRAIN]
    train_x, train_y = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    del parts  # with it go the files, before the larger arrays are made
    order = random.permutation(split_seed, random.SPLIT, len(train_y))
    train, val = np.split(order, [len(order) - len(order) // 10])
    return Dataset(
        "cifar10",
        NUM_CLASSES,
        _standardized(train_x[train]),
        train_y[train],
        _standardized(train_x[val]),
        train_y[val],
        _standardized(test_x),
        test_y,
    )


def _standardized(pixels: np.ndarray) -> np.ndarray:
    """(p / 255 - mean) / std, float32, with one array of that size."""
    x = pixels.astype(np.float32)
    x -= 255 * MEAN
    x /= 255 * STD
    return x


def _given(folder: Path) -> Path:
    """The unpacked folder or the archive in the folder that BNLAB_DATA names."""
    if not folder.is_dir():
        raise NotADirectoryError(
            f"BNLAB_DATA names {folder}, which is not a folder; set it to a folder that has "
            f"{ARCHIVE} or {FOLDER}, or unset it to download the archive."
        )
    for source in (folder / FOLDER, folder / ARCHIVE):
        if source.exists():
            return source
    raise FileNotFoundError(
        f"BNLAB_DATA names {folder}, which has neither {ARCHIVE} nor the folder {FOLDER}; "
        f"put one of them there (from {URL}), or unset BNLAB_DATA to download the archive."
    )


def _downloaded() -> Path:
    """The archive in the user's cache, downloaded if it is not there.

    pooch downloads to a temporary file, which takes its place when it is whole and its hash fits.
    """
    import pooch  # needed here alone

    try:
        path = pooch.retrieve(
            URL,
            known_hash=HASH,
            fname=ARCHIVE,
            path=pooch.os_cache("bnlab"),
            downloader=pooch.HTTPDownloader(progressbar=True),
        )
    except OSError as error:  # requests' errors are OSErrors too
        raise OSError(
            f"CIFAR-10 could not be downloaded ({type(error).__name__}: {error}). Try again, or "
            f"get {URL} with a browser, put {ARCHIVE} into a folder and set the environment "
            "variable BNLAB_DATA to that folder."
        ) from error
    except ValueError as error:  # the hash
        raise ValueError(
            f"What came from {URL} is not the CIFAR-10 archive: its checksum differs, and it was "
            f"not kept. Try again, or put {ARCHIVE} into a folder and set the environment variable "
            "BNLAB_DATA to that folder."
        ) from error
    return Path(path)


def _read(source: Path) -> dict[str, bytes]:
    """Content of the six files, by name, from the unpacked folder or straight from the archive."""
    files = _unpacked(source) if source.is_dir() else _packed(source)
    missing = [name for name in (*TRAIN, TEST) if name not in files]
    if missing:
        raise FileNotFoundError(
            f"{source} does not have {', '.join(missing)}; replace it by the one from {URL}."
        )
    return files


def _unpacked(folder: Path) -> dict[str, bytes]:
    paths = (folder / name for name in (*TRAIN, TEST))
    return {path.name: path.read_bytes() for path in paths if path.is_file()}


def _packed(archive: Path) -> dict[str, bytes]:
    files = {}
    try:
        with gzip.open(archive) as plain:
            with tarfile.open(fileobj=plain, mode="r|") as tar:
                for member in tar:
                    name = PurePosixPath(member.name).name
                    if member.isfile() and name in (*TRAIN, TEST):
                        files[name] = tar.extractfile(member).read()
            while plain.read(2**20):  # to the end, where gzip compares its checksum
                pass
    except (tarfile.TarError, EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise ValueError(
            f"{archive} is truncated or damaged ({error}); delete it and get it again from {URL}."
        ) from error
    return files


def _decode(content: bytes, name: str, source: Path) -> tuple[np.ndarray, np.ndarray]:
    """Pixels, uint8 (n, 3, 32, 32), and labels, int64 (n,), of one file, checked."""
    again = f"delete it and get it again from {URL}."
    if not content or len(content) % RECORD:
        raise ValueError(
            f"{name} in {source} is truncated: it has {len(content):,} bytes, not a positive "
            f"multiple of {RECORD:,} (a label and an image); {again}"
        )
    records = np.frombuffer(content, dtype=np.uint8).reshape(-1, RECORD)
    labels = records[:, 0].astype(np.int64)
    wrong = np.flatnonzero(labels >= NUM_CLASSES)
    if len(wrong):
        raise ValueError(
            f"{name} in {source} is damaged or no file of CIFAR-10: image {wrong[0]:,} has label "
            f"{labels[wrong[0]]}, labels are 0 to {NUM_CLASSES - 1}; {again}"
        )
    return records[:, 1:].reshape(-1, *SHAPE), labels
