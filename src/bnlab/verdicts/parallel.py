"""Measurements spread over an executor: by trainings, or by seeds."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor
from functools import partial
from typing import TYPE_CHECKING

from bnlab.train import History, Run, train

if TYPE_CHECKING:
    from bnlab.verdicts.verdict import Claim

Progress = Callable[[Iterable], Iterable]
TrainAll = Callable[[Sequence[Run], str, str], Iterable[History]]


def train_here(runs: Sequence[Run], engine: str, device: str) -> Iterable[History]:
    """One training after the other, in this process."""
    return (train(run, engine, device) for run in runs)


def train_on(executor: Executor) -> TrainAll:
    """Trainings on an executor, in the order of the runs."""
    return lambda runs, engine, device: executor.map(
        partial(train, engine=engine, device=device), runs
    )


def measure_by_seeds(
    claim: Claim, executor: Executor, progress: Progress, seeds: Sequence[int] | None = None
) -> dict:
    """What the claim's measurement returns, each seed measured on its own.

    Only for measurements whose rows belong to one seed each, and where nothing else is measured.
    """
    if seeds is None:
        seeds = inspect.signature(claim.measure).parameters["seeds"].default
    parts = list(progress(executor.map(partial(_measure, claim.id), seeds)))
    rows = [row for part in parts for row in part["rows"]]
    return {**parts[0], "seeds": list(seeds), "rows": rows}


def _measure(name: str, seed: int) -> dict:
    from bnlab.claims import claim

    return claim(name).measure(seeds=[seed])
