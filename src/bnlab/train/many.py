"""Many trainings at once: the same Histories as ``train``, by the fastest way for each group."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence

from bnlab.arguments import require
from bnlab.engines.engine import history_of
from bnlab.engines.stack import StackTrainer, common, is_stackable
from bnlab.errors import check_name
from bnlab.runs.build import threads
from bnlab.runs.history import History, Step
from bnlab.runs.run import Run
from bnlab.train.single import ENGINES, FASTEST, train
from bnlab.train.ways import fastest

WAYS = (FASTEST, *ENGINES, "stack")
LARGEST_STACK = 64
"""Nets trained side by side: with more of them a CPU gains nothing more."""


def train_many(
    runs: Sequence[Run],
    engine: str = "fastest",
    device: str = "auto",
    on_history: Callable[[int, History], None] | None = None,
) -> list[History]:
    """Train the net of each Run, in this process.

    Three ways lead to the same Histories up to rounding; ``History.engine`` says which one it was:

    - ``compiled``, one net after the other, see ``train``;
    - ``stack``, nets of one structure side by side in one vectorised PyTorch step. The Runs of a
      stack differ in learning rate, seed, start of gamma and label noise alone;
    - ``torch``, one net after the other in plain PyTorch.

    ``fastest`` takes for each group of Runs the way that was the fastest one when it was measured
    (``bnlab.train.ways``), and on a GPU a stack wherever it can. A net that diverges does not touch
    the others.

    Args:
        runs: what to train.
        engine: one of ``WAYS``.
        device: see ``train``; ``compiled`` is for the CPU.
        on_history: called with the number of a Run and its History as soon as it is there.

    Returns:
        The Histories, in the order of the Runs.

    Raises:
        ValueError: as ``train``; and for ``engine="stack"`` with a Run that cannot be stacked.
    """
    check_name("engine", engine, WAYS)
    require(isinstance(runs, Sequence), f"runs must be a list of Runs, got {runs!r}.")
    for run in runs:
        if not isinstance(run, Run):
            raise ValueError(f"train_many takes Runs, got {run!r}. Use Run.from_dict for a dict.")
    histories: list[History | None] = [None] * len(runs)

    def keep(number: int, history: History) -> None:
        histories[number] = history
        if on_history is not None:
            on_history(number, history)

    for numbers in groups(runs):
        way = _way(runs[numbers[0]], len(numbers), engine, device)
        if way == "stack":
            _stacked(runs, numbers, device, keep)
        else:
            for number in numbers:
                keep(number, train(runs[number], engine=way, device=device))
    return histories


def groups(runs: Sequence[Run]) -> list[list[int]]:
    """Numbers of the Runs that can be trained together, at most ``LARGEST_STACK`` in a group."""
    by_kind: dict[Run, list[int]] = {}
    for number, run in enumerate(runs):
        by_kind.setdefault(common(run), []).append(number)
    return [
        numbers[first : first + LARGEST_STACK]
        for numbers in by_kind.values()
        for first in range(0, len(numbers), LARGEST_STACK)
    ]


def _way(run: Run, count: int, engine: str, device: str) -> str:
    if engine == "stack" and not is_stackable(run):
        raise ValueError(
            f"{run.net} with {run.norm} and optimizer {run.optimizer} cannot be stacked: it has "
            "noise of its own, computed weights, a number for a whole layer, LAWN or clipping. "
            "Use engine='fastest'."
        )
    return fastest(run, count, device) if engine == FASTEST else engine


def _stacked(
    runs: Sequence[Run], numbers: list[int], device: str, keep: Callable[[int, History], None]
) -> None:
    start = time.perf_counter()
    trainer = StackTrainer([runs[number] for number in numbers], device)
    small = max(trainer.data[0].image_shape) <= 8
    with threads(1 if small else None):  # as ``train``
        columns = list(zip(*trainer.steps(), strict=True))
        _, accuracies = trainer.evaluate("test")
    seconds = (time.perf_counter() - start) / len(numbers)
    for number, column, accuracy in zip(numbers, columns, accuracies.tolist(), strict=True):
        records = _until_divergence(column)
        end = math.nan if records[-1].diverged else accuracy
        keep(number, history_of(runs[number], records, end, seconds, trainer))


def _until_divergence(records: Sequence[Step | None]) -> list[Step]:
    kept: list[Step] = []
    for record in records:
        if record is None:
            break
        kept.append(record)
        if record.diverged:
            break
    return kept
