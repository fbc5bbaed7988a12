"""Makes what the website needs to train nets in the page: ``python -m bnlab.lab page``.

There is a file for each set of nets (``ALL_SETS`` in ``bnlab.engines.compiled.page_sets``), and a
page loads one of them. It holds the code of the worker, the committed kernels and programs in
float32, and the digits that the nets learn. No compiler is needed. Bytes are written as hexadecimal
digits and a pixel as one digit to the base 36: gzipped, that is a quarter smaller than base64,
whose groups of three bytes hide repetitions.
"""

from __future__ import annotations

import argparse
import gzip
import json
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np

from bnlab.data import load
from bnlab.engines.compiled import artefact
from bnlab.engines.compiled.page_sets import ALL_SETS, FOLDERS, variants
from bnlab.engines.compiled.step import inputs_of
from bnlab.engines.compiled.update import UPDATES, update_of
from bnlab.engines.compiled.watch import UNITS
from bnlab.lab.kit.bundle import FOLDER, script
from bnlab.lab.kit.points import BLOCK, EVALUATE_EVERY
from bnlab.runs.history import DIVERGED
from bnlab.runs.run import Run
from bnlab.store import write_text

FORMAT = 1
PRECISION = "float32"
KERNELS_OF_DOUBLES = "kernels.float64.wasm"
OUTPUT = Path("assets/compiled")
TEST_IMAGES = Path("replay/test_images.js")
DOUBLES = Path("doubles")
"""Beside the folder ``OUTPUT``."""

DOUBLED = ("clinic", "nets")
"""Sets with which a page that repeats a verdict trains in float64, too."""

LIMIT = 190_000
"""Bytes of a gzipped file that a page may ask its reader to load: nets, images and worker."""

OPTIMIZERS = {"squares": "momentum", **dict.fromkeys(("lawn", "lawn_sgd", "binary"), "adam")}
"""What trains the nets of a set, a key of UPDATES; plain gradient descent where none is named.

Momentum is 0 there until a job sets it, which gives the same bits as plain gradient descent. Adam
has the options of torch."""

CREDIT = (
    "Images: E. Alpaydin and C. Kaynak 1998, Optical Recognition of Handwritten Digits, UCI, "
    "CC BY 4.0. Made by python -m bnlab.lab page."
)
DIGITS = "0123456789abcdefg"


def rules(name: str = "nets") -> dict[str, object]:
    """What the worker has to know beside the programs of a set."""
    run, optimizer = Run(), OPTIMIZERS.get(name, "sgd")
    _, usual = update_of("adam" if optimizer == "adam" else "sgd", run.lr, {})
    inputs = {option: usual.get(option, 0.0) for option in UPDATES[optimizer].inputs}
    inputs.pop("lr")
    nets: dict[str, dict] = {}
    for (variant, depth), net in variants(name).items():
        if variant not in nets:
            nets[variant] = {"inputs": inputs | inputs_of(net.module()), "keys": {}}
        nets[variant]["keys"][depth] = net.key
    return {
        "nets": nets,
        "optimizer": optimizer,
        "sampler": run.sampler,
        "block": BLOCK,
        "evaluate": EVALUATE_EVERY,
        "diverged": DIVERGED,
        "units": UNITS if net.watch == "units" else 0,
    }


def store(folder: Path = artefact.FOLDER) -> dict[str, object]:
    """Manifest, programs and kernels, for ``open`` of run.js.

    Raises:
        Corrupted: if a file is missing or is not what the manifest says.
    """
    artefact.load(folder)
    manifest, kernels = artefact.read(folder), f"kernels.{PRECISION}.wasm"
    files = [artefact.PROGRAMS, kernels, *([KERNELS_OF_DOUBLES] if folder.name in DOUBLED else [])]
    hashes = {name: manifest["sha256"][name] for name in files}
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
    x, y = (
        np.concatenate([getattr(data, f"{part}_{n}") for part in ("train", "val")]) for n in "xy"
    )
    return {"train": len(data.train_y), **written(x, y)}


def written(x: np.ndarray, y: np.ndarray) -> dict[str, str]:
    """Images and labels, a digit a pixel and a label.

    Raises:
        RuntimeError: as ``images``.
    """
    pixels = np.rint(6 * x + 5).astype(int)
    if ((pixels - 5) / 6).astype(np.float32).tobytes() != x.tobytes():
        raise RuntimeError("the images are not whole numbers of 16ths any more.")
    digits = "".join(DIGITS[pixel] for pixel in pixels.ravel())
    return {"images": digits, "labels": "".join(map(str, y))}


def image_file() -> str:
    """The text of the file with the test images, which only a page that repeats a verdict loads."""
    data = load("digits")
    text = json.dumps({"version": 1, **written(data.test_x, data.test_y)}, separators=(",", ":"))
    return f"// {CREDIT}\n(globalThis.bnlabReplay ??= {{}}).test_images = {text};\n"


def doubles_file(name: str) -> str:
    """The text of the file with the kernels in float64 of a set, a member of ``DOUBLED``."""
    kernels = (FOLDERS[name] / KERNELS_OF_DOUBLES).read_bytes().hex()
    text = json.dumps({"version": 1, "kernels": kernels}, separators=(",", ":"))
    return f"// {CREDIT}\n(globalThis.bnlabDoubles ??= {{}}).{name} = {text};\n"


def content(name: str, jobs: Iterable[Path] = ()) -> str:
    """The text of the file of a set.

    Args:
        name: one of ``ALL_SETS``.
        jobs: modules of what the worker can do beside training nets side by side.
    """
    first = next(iter(variants(name).values()))
    modules = (FOLDER / "page_side_by_side.js", *jobs, FOLDER / "page_worker.js")
    parts = {
        "format": FORMAT,
        "net": first.net,
        "width": first.width,
        "rules": rules(name),
        **images(),
        **store(FOLDERS[name]),
        "worker": script(modules),
    }
    text = json.dumps(parts, separators=(",", ":"))
    return f"// {CREDIT}\n(globalThis.bnlabCompiled ??= {{}}).{name} = {text};\n"


def make(name: str, output: Path, jobs: Iterable[Path] = ()) -> int:
    """Write the file of a set; returns its size in bytes, gzipped.

    Args:
        name: one of ``ALL_SETS``.
        output: the file.
        jobs: see ``content``.

    Raises:
        ValueError: if a page would have to load more than ``LIMIT`` bytes.
    """
    text = content(name, jobs)
    size = len(gzip.compress(text.encode(), mtime=0))
    if size >= LIMIT:
        raise ValueError(f"{output.name} would have {size} bytes gzipped, {LIMIT} are allowed")
    write_text(output, text)
    return size


def add_command(commands: argparse._SubParsersAction, jobs: Mapping[str, Iterable[Path]]) -> None:
    """Add ``page`` to a command, with the jobs of each set."""
    parser = commands.add_parser("page", description=__doc__, help="nets that train in the page")
    parser.add_argument("--output", type=Path, help=f"folder (default {OUTPUT.as_posix()})")

    def run(given: argparse.Namespace) -> int:
        if given.output is None and not Path("pyproject.toml").is_file():
            parser.error("run this in the root of the repository, or say --output FOLDER")
        for name in ALL_SETS:
            output = (given.output or OUTPUT) / f"{name}.js"
            size = make(name, output, jobs[name])
            print(f"{output}: {size / 1000:.0f} kB gzipped ({LIMIT / 1000:.0f} kB allowed)")
        beside = (given.output or OUTPUT).parent
        write_text(beside / TEST_IMAGES, image_file())
        for name in DOUBLED:
            write_text(beside / DOUBLES / f"{name}.js", doubles_file(name))
        return 0

    parser.set_defaults(run=run)
