"""Parts of measurements for the tests of Work: other processes import them from here."""

import os
import signal
from pathlib import Path

from bnlab.train import Run


def numbers(log: str, number: int, seed: int) -> list:
    """What JSON rounds if one is careless; who was called stands in the log."""
    with Path(log).open("a") as file:
        file.write(f"{number} {seed}\n")
    return [number / 3, 1e-300 * seed, None, (seed, True), float("inf")]


def dies(log: str, number: int, seed: int) -> list:
    """The same, but the process is killed in the middle of the third part."""
    if number == 2 and not Path(log).with_suffix(".again").exists():
        os.kill(os.getpid(), signal.SIGKILL)
    return numbers(log, number, seed)


def fails_on_odd(number: int) -> int:
    """The number, if it is even."""
    if number % 2:
        raise ZeroDivisionError(f"{number} is odd")
    return number


def steps_of(run: Run) -> int:
    """Of a Run."""
    return run.steps
