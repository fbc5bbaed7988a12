"""Small files in the layout of CIFAR, for every test that needs some images of that kind."""

import io
import tarfile

import numpy as np

from bnlab.data.cifar import CIFAR10

FOLDER, FILES = CIFAR10.archive.folder, CIFAR10.archive.members
PER_FILE = 8


def records(seed, count=PER_FILE, layout=CIFAR10):
    """Random images, their first pixel a serial number: uint8, (count, bytes)."""
    made = np.random.default_rng(seed).integers(0, 256, (count, layout.record), dtype=np.uint8)
    for place, classes in enumerate(layout.classes):
        made[:, place] = np.arange(count) * 7 % classes
    made[:, len(layout.classes)] = seed * count + np.arange(count)
    return made


def packed(files):
    """A gzipped tar of files (name: bytes), as bytes."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, content in files.items():
            info = tarfile.TarInfo(f"{FOLDER}/{name}")
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def write(folder, raw, layout=CIFAR10):
    """The unpacked folder of a layout, inside of ``folder``."""
    (folder / layout.archive.folder).mkdir()
    for name, made in raw.items():
        (folder / layout.archive.folder / name).write_bytes(made.tobytes())
    return folder / layout.archive.folder


def small_cifar(folder, count=PER_FILE):
    """Files of so many random images each, in a folder that BNLAB_DATA can name: that folder."""
    write(folder, {name: records(seed, count) for seed, name in enumerate(FILES)})
    return folder
