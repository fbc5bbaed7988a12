"""Trainings as parts of a measurement."""

from __future__ import annotations

from collections.abc import Iterable

from bnlab.train import History, Run, train
from bnlab.verdicts.work import Work


def train_all(
    work: Work, runs: Iterable[Run], engine: str = "torch", device: str = "cpu"
) -> list[History]:
    """The History of each Run, in their order; see ``bnlab.train.train``."""
    found = work.starmap(train_one, [(run, engine, device) for run in runs])
    return [History.from_dict(one) for one in found]


def train_one(run: Run, engine: str, device: str) -> dict:
    """The fields of the History of a Run."""
    return train(run, engine, device).to_dict()
