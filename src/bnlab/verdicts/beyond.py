"""Largest usable rates that are no lower bounds: trainings at larger rates, as long as needed.

Beside ``race``, for the claims that ask how large a rate a net bears.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bnlab.train import Run
from bnlab.verdicts import race
from bnlab.verdicts.race import STACK, Arm, rates_of, train_one, train_some, usable
from bnlab.verdicts.work import Work


def go_beyond(data: dict, arms: Mapping[str, Arm], work: Work, device: str = "cpu") -> None:
    """Add rows at larger rates, until for no seed the largest rate that was tried is usable.

    Args:
        data: of ``race`` with ``everywhere``; its ``rows`` grow.
        arms: those of the race.
        work: does the trainings.
        device: see ``race``.
    """
    base = Run.from_dict(data["base"])
    while plan := [
        (arm, lr, seed)
        for arm in arms
        for lr in _next_rate(data, arm)
        for seed in (*data["tuning_seeds"], *data["seeds"])
    ]:
        runs = [base.replace(**arms[arm].fields, lr=lr, seed=seed) for arm, lr, seed in plan]
        found = outcomes(runs, work, device)
        data["rows"] += [[*case, *numbers] for case, numbers in zip(plan, found, strict=True)]


def _next_rate(data: dict, arm: str) -> Sequence[float]:
    """The rate above the largest one that was tried, if that is usable for a seed; else none."""
    largest = rates_of(data, arm)[-1]
    at = race.RATES.index(largest) + 1
    return race.RATES[at : at + 1] if largest in usable(data, arm) else ()


def outcomes(runs: Sequence[Run], work: Work, device: str = "cpu") -> list[list]:
    """What became of each training: one part a net, or on a GPU a part for many."""
    if device == "cpu":
        return work.map(train_one, runs)
    parts = [(runs[i : i + STACK], device) for i in range(0, len(runs), STACK)]
    return [row for rows in work.starmap(train_some, parts) for row in rows]
