"""Makes what the website needs to train nets in the page: ``python -m bnlab.lab.page``.

The file holds the code of the worker, the committed kernels and programs in float32, and the
digits that the nets learn. No compiler is needed. Bytes are written as hexadecimal digits and a
pixel as one digit to the base 36: gzipped, that is a quarter smaller than base64, whose groups of
three bytes hide repetitions.
"""

from __future__ import annotations

import argparse
import gzip
import json
import sys
from pathlib import Path

import numpy as np

from bnlab.compiled import artefact
from bnlab.compiled.catalogue import catalogue
from bnlab.compiled.step import inputs_of
from bnlab.compiled.update import update_of
from bnlab.data import load
from bnlab.lab.bundle import FOLDER, script
from bnlab.lab.points import BLOCK, EVALUATE_EVERY, race_run
from bnlab.store import write_text
from bnlab.train.history import DIVERGED

FORMAT = 1
PRECISION = "float32"
OUTPUT = Path("assets/compiled/nets.js")
LIMIT = 190_000
"""Bytes of the gzipped file that a page may ask its reader to load: nets, images and worker."""

RUNNER = Path(artefact.__file__).parent / "js"
SOURCES = (
    RUNNER / "random.js",
    RUNNER / "run.js",
    FOLDER / "page_lane.js",
    FOLDER / "page_worker.js",
)
CREDIT = (
    "Images: E. Alpaydin and C. Kaynak 1998, Optical Recognition of Handwritten Digits, UCI, "
    "CC BY 4.0. Made by python -m bnlab.lab.page."
)
DIGITS = "0123456789abcdefg"


def rules() -> dict[str, object]:
    """What a race in the page has to know beside its programs."""
    run = race_run("none")
    optimizer, inputs = update_of(run.optimizer, run.lr, run.optimizer_options)
    inputs.pop("lr")
    nets: dict[str, dict] = {}
    for net in catalogue():
        if net.depth == 1:
            nets[net.norm] = {"inputs": inputs | inputs_of(net.module()), "keys": {}}
        nets[net.norm]["keys"][net.depth] = net.key
    return {
        "nets": nets,
        "optimizer": optimizer,
        "sampler": run.sampler,
        "block": BLOCK,
        "evaluate": EVALUATE_EVERY,
        "diverged": DIVERGED,
    }


def store(folder: Path = artefact.FOLDER) -> dict[str, object]:
    """Manifest, programs and kernels, for ``open`` of run.js.

    Raises:
        Corrupted: if a file is missing or is not what the manifest says.
    """
    artefact.load(folder)
    manifest, kernels = artefact.read(folder), f"kernels.{PRECISION}.wasm"
    hashes = {name: manifest["sha256"][name] for name in (artefact.PROGRAMS, kernels)}
    return {
        "manifest": manifest | {"sha256": hashes},
        "programs": (folder / artefact.PROGRAMS).read_bytes().hex(),
        "kernels": (folder / kernels).read_bytes().hex(),
    }


def images(split_seed: int = 0) -> dict[str, object]:
    """Training and validation images of the digits, in this order, and how many are for training.

    A pixel is 0 to 16; what a net sees is (pixel - 5) / 6 in float32, see ``bnlab.data.digits``.

    Raises:
        RuntimeError: if that does not give the bits of the data any more.
    """
    data = load("digits", split_seed)
    x = np.concatenate([data.train_x, data.val_x])
    pixels = np.rint(6 * x + 5).astype(int)
    if ((pixels - 5) / 6).astype(np.float32).tobytes() != x.tobytes():
        raise RuntimeError("the images are not whole numbers of 16ths any more.")
    labels = np.concatenate([data.train_y, data.val_y])
    return {
        "train": len(data.train_y),
        "images": "".join(DIGITS[pixel] for pixel in pixels.ravel()),
        "labels": "".join(map(str, labels)),
    }


def content() -> str:
    """The text of the file."""
    first = catalogue()[0]
    parts = {
        "format": FORMAT,
        "net": first.net,
        "width": first.width,
        "rules": rules(),
        **images(),
        **store(),
        "worker": script(SOURCES),
    }
    text = json.dumps(parts, separators=(",", ":"))
    return f"// {CREDIT}\n(globalThis.bnlabCompiled ??= {{}}).nets = {text};\n"


def make(output: Path) -> int:
    """Write the file; returns its size in bytes, gzipped.

    Raises:
        ValueError: if a page would have to load more than ``LIMIT`` bytes.
    """
    text = content()
    size = len(gzip.compress(text.encode(), mtime=0))
    if size >= LIMIT:
        raise ValueError(f"the file would have {size} bytes gzipped, {LIMIT} are allowed")
    write_text(output, text)
    return size


def main(arguments: list[str] | None = None) -> int:
    """The command; returns its exit status."""
    parser = argparse.ArgumentParser(prog="python -m bnlab.lab.page", description=__doc__)
    parser.add_argument("--output", type=Path, help=f"file (default {OUTPUT.as_posix()})")
    given = parser.parse_args(arguments)
    if given.output is None and not Path("pyproject.toml").is_file():
        parser.error("run this in the root of the repository, or say --output FILE")
    output = given.output or OUTPUT
    size = make(output)
    print(f"{output}: {size / 1000:.0f} kB gzipped ({LIMIT / 1000:.0f} kB allowed)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
