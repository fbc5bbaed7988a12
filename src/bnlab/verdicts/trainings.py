"""Trainings as parts of a measurement."""

from __future__ import annotations

from collections.abc import Iterable

from bnlab.train import History, Run, threads, train
from bnlab.train.single import ENGINES, FASTEST
from bnlab.verdicts.work import Work


def train_all(
    work: Work, runs: Iterable[Run], engine: str = "torch", device: str = "cpu"
) -> list[History]:
    """The History of each Run, in their order; see ``bnlab.train.train``.

    Raises:
        ValueError: for ``fastest``.
    """
    if engine == FASTEST:
        raise ValueError(
            "a measurement names what trains, as its numbers depend on it to the last bit: use "
            f"one of {', '.join(ENGINES)} in place of 'fastest'."
        )
    found = work.starmap(train_one, [(run, engine, device) for run in runs])
    return [History.from_dict(one) for one in found]


@threads(1)
def train_one(run: Run, engine: str, device: str) -> dict:
    """The fields of the History of a Run; one thread, here and on a worker, gives the same bits."""
    return train(run, engine, device).to_dict()
