"""Makes the stored runs that a widget shows on the website: ``python -m bnlab.lab replay race``.

The file holds every run of a grid of settings; the widget says how. Finished runs are kept in
``.cache/replay``; interrupted, the same command goes on.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import gzip
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from bnlab import sweep
from bnlab.store import Results, StoreBusyError, write_text

LIMIT = 400_000
"""Bytes of the gzipped file that a page may ask its reader to load."""


class StoredGrid(Protocol):
    """The settings whose runs are stored for a widget.

    Attributes:
        computes: the parts of bnlab on which the numbers depend, for ``bnlab.digest``.
    """

    computes: tuple[str, ...]

    def runs(self) -> list:
        """All settings in the order of the arrays; each has a ``key``."""

    def work(self, run: object) -> dict:
        """Compute what is kept of one setting, ready for JSON."""

    def pack(self, results: Sequence[dict]) -> dict[str, object]:
        """The content of the file, from the results in the order of ``runs``."""


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


def make(name: str, grid: StoredGrid, output: Path, folder: Path, processes: int = 1) -> int:
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
    code = sweep.Code.of(grid.computes)
    results = compute(grid.runs(), Results(folder, code.digest), code, processes, grid.work)
    content = json.dumps(grid.pack(results), separators=(",", ":"))
    text = f"(globalThis.bnlabReplay ??= {{}}).{name} = {content};\n"
    size = len(gzip.compress(text.encode(), mtime=0))
    if size >= LIMIT:
        raise ValueError(f"the file would have {size} bytes gzipped, {LIMIT} are allowed")
    write_text(output, text)
    return size


def add_command(commands: argparse._SubParsersAction, grids: Mapping[str, StoredGrid]) -> None:
    """Add ``replay`` to a command, with the grids by the names of their widgets."""
    parser = commands.add_parser("replay", description=__doc__, help="stored runs of a widget")
    parser.add_argument("name", choices=sorted(grids), help="the widget whose runs are stored")
    parser.add_argument("--processes", type=int, default=1, help="runs at once (default 1)")
    parser.add_argument("--output", type=Path, help="file (default assets/replay/NAME.js)")

    def run(given: argparse.Namespace) -> int:
        if given.processes < 1:
            parser.error(f"--processes must be 1 or more, got {given.processes}")
        if given.output is None and not Path("pyproject.toml").is_file():
            parser.error("run this in the root of the repository, or say --output FILE")
        output = given.output or Path("assets/replay") / f"{given.name}.js"
        folder = Path(".cache/replay") / given.name
        try:
            size = make(given.name, grids[given.name], output, folder, given.processes)
        except (sweep.SweepStoppedError, StoreBusyError) as error:
            print(f"bnlab: {error}", file=sys.stderr)
            return 1
        except KeyboardInterrupt:
            print(f"\nInterrupted. Finished runs are kept in {folder}; the same command goes on.")
            return 130
        print(f"{output}: {size / 1000:.0f} kB gzipped ({LIMIT / 1000:.0f} kB allowed)")
        return 0

    parser.set_defaults(run=run)
