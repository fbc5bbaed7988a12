"""What the benchmarks share: a row of the table of limits, clocks, and the command."""

from __future__ import annotations

import argparse
import os
import platform
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class Row:
    """One line of the table: what was measured, its limit, the number, its unit."""

    what: str
    limit: float
    measured: float
    unit: str = ""

    @property
    def holds(self) -> bool:
        """Whether the number is at most the limit. A NaN does not hold."""
        return self.measured <= self.limit


Measurement = Callable[[int], Iterator[Row]]  # takes the number of rounds


def seconds(work: Callable[[], object]) -> float:
    """Wall-clock time of one call."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def cpu_seconds(work: Callable[[], object]) -> float:
    """Processor time of one call: on one thread, other programs disturb it less."""
    start = time.process_time()
    work()
    return time.process_time() - start


def main(
    about: str,
    measurement: Callable[[int], Iterable[Row]],
    rounds: int,
    arguments: list[str] | None,
    say: Callable[[Row], str] | None = None,
) -> int:
    """The command of a benchmark that has no option but ``--rounds``.

    Args:
        about: the docstring of its module.
        measurement: gives the rows for a number of rounds.
        rounds: how many unless told otherwise.
        arguments: those of the command line; None for the real ones.
        say: as in ``report``.

    Returns:
        0 if every limit holds, else 1.
    """
    chosen = parsed(command(about, rounds), arguments)
    return report(measurement(chosen.rounds), say)


def command(about: str, rounds: int) -> argparse.ArgumentParser:
    """A parser that knows ``--rounds``; the first line of ``about`` says what the command does."""
    parser = argparse.ArgumentParser(description=about.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=rounds, help="repetitions, at least 1")
    return parser


def parsed(
    parser: argparse.ArgumentParser, arguments: list[str] | None = None
) -> argparse.Namespace:
    """The arguments, with one thread for torch; the command ends if there is no round."""
    chosen = parser.parse_args(arguments)
    if chosen.rounds < 1:
        parser.error(f"--rounds must be at least 1, got {chosen.rounds}.")
    torch.set_num_threads(1)
    return chosen


def report(rows: Iterable[Row], say: Callable[[Row], str] | None = None) -> int:
    """Measure, print, and return 0 if every limit holds, else 1.

    Args:
        rows: a generator, which measures while it is gone through.
        say: a line that is printed as soon as a row is measured.
    """
    print(f"Before: {machine()}")
    found = []
    for row in rows:
        found.append(row)
        if say is not None:
            print(say(row), flush=True)
    print(f"\n{table(found)}\n")
    print(f"After:  {machine()}")
    broken = [row.what for row in found if not row.holds]
    print(f"Broken: {'; '.join(broken)}." if broken else f"All {len(found)} limits hold.")
    return 1 if broken else 0


def machine() -> str:
    """A sentence about what the numbers were measured on."""
    load = ", ".join(f"{value:.2f}" for value in os.getloadavg())
    return (
        f"{os.cpu_count()} cores ({platform.machine()}), load {load} over 1, 5 and 15 minutes; "
        f"Python {platform.python_version()}, torch {torch.__version__}, "
        f"{torch.get_num_threads()} thread."
    )


def table(rows: list[Row]) -> str:
    """The rows as aligned text: what, limit, measured, holds."""
    cells = [("what", "limit", "measured", "holds")]
    for row in rows:
        limit, measured = (f"{value:.3g} {row.unit}".strip() for value in (row.limit, row.measured))
        cells.append((row.what, limit, measured, "yes" if row.holds else "NO"))
    widths = [max(len(line[i]) for line in cells) for i in range(4)]
    lines = ["  ".join(c.ljust(w) for c, w in zip(line, widths, strict=True)) for line in cells]
    return "\n".join(line.rstrip() for line in lines)
