"""Makes what the website needs to train the nets of a race: ``python -m bnlab.lab.page``.

The file holds the code of the worker, the kernels and programs of the nets that the race offers,
and the digits that they learn. It is made of committed files alone, so that no compiler is needed.
Bytes are written as hexadecimal digits, and a pixel as one digit to the base 36: gzipped, that is
a quarter smaller than base64, whose groups of three bytes hide repetitions.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
import sys
from pathlib import Path

import numpy as np

from bnlab.compiled import artefact
from bnlab.compiled.nets import Net
from bnlab.data import load
from bnlab.lab.bundle import FOLDER, script
from bnlab.lab.points import BLOCK, EVALUATE_EVERY, NORMS, race_run
from bnlab.lab.race import DEPTHS, PAGE_NET, PAGE_WIDTH
from bnlab.store import write_text
from bnlab.train.history import DIVERGED

FORMAT = 1
PRECISION = "float32"
OPTIMIZER = "sgd"
LIMIT = 150_000
"""Bytes of the gzipped file that a page may ask its reader to load."""

RUNNER = Path(artefact.__file__).parent / "js"
SOURCES = (RUNNER / "random.js", RUNNER / "run.js", FOLDER / "page_worker.js")
CREDIT = (
    "Images: E. Alpaydin and C. Kaynak 1998, Optical Recognition of Handwritten Digits, UCI, "
    "CC BY 4.0. Made by python -m bnlab.lab.page."
)
DIGITS = "0123456789abcdefg"


def keys() -> dict[str, dict[int, str]]:
    """The names of the compiled nets that a race offers, by normalizer and depth."""
    names = [name for name in NORMS if name != "instance"]  # it is not defined inside an MLP

    def key(name: str, depth: int) -> str:
        return Net.of(race_run(name, net=PAGE_NET, width=PAGE_WIDTH, depth=depth)).key

    return {name: {depth: key(name, depth) for depth in DEPTHS} for name in names}


def store(wanted: list[str], folder: Path = artefact.FOLDER) -> dict[str, object]:
    """Manifest, programs and kernels of some of the committed nets, for ``open`` of run.js.

    Raises:
        ValueError: for a net that is not among them.
    """
    manifest = artefact.read(folder)
    missing = [key for key in wanted if key not in manifest["nets"]]
    if missing:
        raise ValueError(f"not among the compiled nets: {', '.join(missing)}")
    programs, kernels = (folder / artefact.PROGRAMS), folder / f"kernels.{PRECISION}.wasm"
    data, chosen = programs.read_bytes(), bytearray()

    def moved(start: int, length: int) -> list[int]:
        chosen.extend(data[start : start + length])
        return [len(chosen) - length, length]

    def entry(whole: dict) -> dict:
        places = {which: whole[which] for which in ("gradient", "evaluation")}
        return whole | {name: [*moved(*at[:2]), *at[2:]] for name, at in places.items()}

    nets = {key: entry(manifest["nets"][key]) for key in wanted}
    updates = {OPTIMIZER: moved(*manifest["updates"][OPTIMIZER])}
    hashes = {
        artefact.PROGRAMS: hashlib.sha256(chosen).hexdigest(),
        kernels.name: manifest["sha256"][kernels.name],
    }
    return {
        "manifest": manifest | {"sha256": hashes, "nets": nets, "updates": updates},
        "programs": chosen.hex(),
        "kernels": kernels.read_bytes().hex(),
    }


def images(split_seed: int = 0) -> dict[str, object]:
    """Training and validation images of the digits, in this order, and how many are for training.

    A pixel is 0 to 16; what a net sees is (pixel - 5) / 6 in float32, see ``bnlab.data.digits``.
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
    offered = keys()
    rules = {
        "keys": offered,
        "optimizer": OPTIMIZER,
        "inputs": {"weight_decay": 0.0},
        "block": BLOCK,
        "evaluate": EVALUATE_EVERY,
        "diverged": DIVERGED,
    }
    parts = {
        "format": FORMAT,
        "net": PAGE_NET,
        "width": PAGE_WIDTH,
        "rules": rules,
        **images(),
        **store([key for some in offered.values() for key in some.values()]),
        "worker": script(SOURCES),
    }
    text = json.dumps(parts, separators=(",", ":"))
    return f"// {CREDIT}\n(globalThis.bnlabCompiled ??= {{}}).race = {text};\n"


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
    parser.add_argument("--output", type=Path, help="file (default assets/compiled/race.js)")
    given = parser.parse_args(arguments)
    if given.output is None and not Path("pyproject.toml").is_file():
        parser.error("run this in the root of the repository, or say --output FILE")
    output = given.output or Path("assets/compiled/race.js")
    size = make(output)
    print(f"{output}: {size / 1000:.0f} kB gzipped ({LIMIT / 1000:.0f} kB allowed)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
