"""Makes the stored runs that a widget shows on the website: ``python -m bnlab.lab.replay race``.

The file holds every run of a grid of settings. A race's curves have one byte a point:
loss = low * (high / low) ** (q / 254) and accuracy = q / 250, with q = 255 for 'no value';
for the profiles see ``profile_grid``.
Finished runs are kept in ``.cache/replay``; interrupted, the same command goes on.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import dataclasses
import functools
import gzip
import itertools
import json
import math
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from bnlab import sweep
from bnlab.lab.points import BLOCK, EVALUATE_EVERY, Points, race_run
from bnlab.lab.profile_grid import ProfileGrid
from bnlab.lab.race import LRS, SEEDS
from bnlab.store import Results, StoreBusyError, write_text
from bnlab.train import Run, training

LOSS_RANGE = (1e-3, 10.0)
NO_VALUE = 255
LIMIT = 400_000
"""Bytes of the gzipped file that a page may ask its reader to load."""


@dataclass(frozen=True)
class Grid:
    """The settings whose runs are stored; the order of the axes is that of the arrays.

    Attributes:
        computes: the subpackages on which the numbers depend.
        own: and the module beside this one.
    """

    norms: tuple[str, ...] = ("none", "batch", "layer", "group")
    lrs: tuple[float, ...] = LRS
    batch_sizes: tuple[int, ...] = (4, 16, 64, 256)
    depths: tuple[int, ...] = (2, 6, 12)
    seeds: tuple[int, ...] = SEEDS["B1"][:3]
    steps: int = 300
    net: str = "mlp"
    width: int = 64

    computes = ("norms", "nets", "optim", "data", "train", "compiled")
    own = "points.py"

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self)[:5]:
            values = getattr(self, field.name)
            if not values or len(set(values)) < len(values):
                raise ValueError(f"{field.name} of the grid must be different values, got {values}")
        if self.steps < 1 or self.steps % EVALUATE_EVERY:
            raise ValueError(f"steps must be a multiple of {EVALUATE_EVERY}, got {self.steps}")

    @property
    def axes(self) -> dict[str, list]:
        """Values of each axis, slowest first."""
        names = ("norm", "lr", "batch_size", "depth", "seed")
        values = (self.norms, self.lrs, self.batch_sizes, self.depths, self.seeds)
        return {name: list(axis) for name, axis in zip(names, values, strict=True)}

    def runs(self) -> list[Run]:
        """All runs in the order of the arrays (C order)."""
        axes = self.axes
        fixed = {"steps": self.steps, "net": self.net, "width": self.width}
        combinations = itertools.product(*axes.values())
        return [race_run(**dict(zip(axes, one, strict=True)), **fixed) for one in combinations]

    @staticmethod
    def work(run: Run) -> dict[str, object]:
        """What is kept of one run."""
        return curves(run)

    def pack(self, results: Sequence[dict]) -> dict[str, object]:
        """The content of the file."""
        return pack(self, results)


GRIDS = {"race": Grid(), "profiles": ProfileGrid()}


def curves(run: Run) -> dict[str, object]:
    """Train one run on the CPU with one thread; all its points."""
    torch.set_num_threads(1)
    points = Points()
    for record in training(run, "compiled"):
        points.add(record)
    return points.take()


def compute(
    runs: list, kept: Results, code: sweep.Code, processes: int, work: Callable
) -> list[dict]:
    """The result of each run; those that are not kept are computed in several processes."""
    items = {run.key(): run for run in runs}
    pool = sweep.processes(processes) if processes > 1 else None
    with pool or contextlib.nullcontext():
        each = functools.partial(_each, work)
        found, failures = sweep.collect(items, each, code, kept, pool, label="replay")
    if failures:
        raise RuntimeError(f"{failures[0].item} failed:\n{failures[0].traceback}")
    return [found[run.key()] for run in runs]


def _each(work: Callable, runs: list) -> list[dict]:
    return [work(run) for run in runs]


def loss_code(value: float) -> int:
    """One byte for a loss: its logarithm in 254 parts of the range, clipped to it."""
    low, high = LOSS_RANGE
    share = math.log(max(value, low) / low) / math.log(high / low)
    return min(254, round(254 * share))


def accuracy_code(value: float) -> int:
    """One byte for an accuracy: in steps of 0.004."""
    return round(250 * value)


def pack(grid: Grid, results: Sequence[dict]) -> dict[str, object]:
    """The content of the file, from the points of each run in the grid's order."""
    loss_steps = list(range(BLOCK, grid.steps + 1, BLOCK))
    accuracy_steps = list(range(0, grid.steps + 1, EVALUATE_EVERY))
    at = [-1 if one["diverged_at"] is None else one["diverged_at"] for one in results]
    return {
        "version": 1,
        "net": grid.net,
        "width": grid.width,
        "axes": grid.axes,
        "steps": grid.steps,
        "loss_steps": loss_steps,
        "accuracy_steps": accuracy_steps,
        "loss_range": list(LOSS_RANGE),
        "loss": _rows([one["loss"] for one in results], loss_steps, loss_code),
        "accuracy": _rows([one["accuracy"] for one in results], accuracy_steps, accuracy_code),
        "diverged_at": _base64(np.array(at, dtype="<i2")),
    }


def _rows(curves: list[list], steps: list[int], code: object) -> str:
    """Base64 of a uint8 array (runs, steps)."""
    table = np.full((len(curves), len(steps)), NO_VALUE, dtype=np.uint8)
    place = {step: i for i, step in enumerate(steps)}
    for row, curve in zip(table, curves, strict=True):
        for step, value in curve:
            row[place[step]] = code(value)
    return _base64(table)


def _base64(array: np.ndarray) -> str:
    return base64.b64encode(array.tobytes()).decode("ascii")


def make(
    name: str, grid: Grid | ProfileGrid, output: Path, folder: Path, processes: int = 1
) -> int:
    """Compute what is missing of a grid and write its file; returns its size in bytes, gzipped.

    Args:
        name: of the widget.
        grid: its settings.
        output: the file.
        folder: where finished runs are kept.
        processes: how many work.

    Raises:
        ValueError: if a page would have to load more than ``LIMIT`` bytes.
    """
    code = sweep.Code.of((*grid.computes, "random.py", f"lab/{grid.own}"))
    results = compute(grid.runs(), Results(folder, code.digest), code, processes, grid.work)
    content = json.dumps(grid.pack(results), separators=(",", ":"))
    text = f"(globalThis.bnlabReplay ??= {{}}).{name} = {content};\n"
    size = len(gzip.compress(text.encode(), mtime=0))
    if size >= LIMIT:
        raise ValueError(f"the file would have {size} bytes gzipped, {LIMIT} are allowed")
    write_text(output, text)
    return size


def main(arguments: list[str] | None = None) -> int:
    """The command; returns its exit status."""
    parser = argparse.ArgumentParser(prog="python -m bnlab.lab.replay", description=__doc__)
    parser.add_argument("name", choices=sorted(GRIDS), help="the widget whose runs are stored")
    parser.add_argument("--processes", type=int, default=1, help="runs at once (default 1)")
    parser.add_argument("--output", type=Path, help="file (default assets/replay/NAME.js)")
    given = parser.parse_args(arguments)
    if given.processes < 1:
        parser.error(f"--processes must be 1 or more, got {given.processes}")
    if given.output is None and not Path("pyproject.toml").is_file():
        parser.error("run this in the root of the repository, or say --output FILE")
    output = given.output or Path("assets/replay") / f"{given.name}.js"
    folder = Path(".cache/replay") / given.name
    try:
        size = make(given.name, GRIDS[given.name], output, folder, given.processes)
    except (sweep.SweepStoppedError, StoreBusyError) as error:
        print(f"bnlab: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"\nInterrupted. Finished runs are kept in {folder}; the same command goes on.")
        return 130
    print(f"{output}: {size / 1000:.0f} kB gzipped ({LIMIT / 1000:.0f} kB allowed)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
