"""Gains of test accuracy by LAWN, for LW3 and LW4: optimizers and batch sizes, each tuned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from bnlab.chapters.lawn.methods import (
    ALONE,
    DECAY,
    LAWN,
    Method,
    best,
    column,
    describe,
    trained,
    tuned,
)
from bnlab.train import Run
from bnlab.verdicts.work import Work

OPTIMIZERS = ("adam", "sgd")


def measured(
    seeds: Sequence[int], methods: Sequence[Method], work: Work, tuning: dict | None, base: Run
) -> dict:
    """Choose a rate and an amount for each method, then train the seeds that count.

    Returns:
        ``base``, ``seeds``, ``columns`` and ``rows``, one a training.
    """
    data = tuned(work, base, methods, tuning, seeds)
    counted = trained(work, base, [best(data, method) for method in methods], seeds)
    return {**data, "rows": [*data["rows"], *counted]}


def gain(
    data: dict, optimizer: str, batch_size: int, over: str = ALONE, name: str = "test"
) -> np.ndarray:
    """Test accuracy with LAWN minus that without, each at its own best place, (seeds,).

    Args:
        data: of the measurement.
        optimizer: in both.
        batch_size: in both.
        over: the optimizer ``alone``, or with ``decay``.
        name: of the column.
    """
    with_it, without = (
        column(data, best(data, method), name)
        for method in (Method(optimizer, how, batch_size) for how in (LAWN, over))
    )
    return with_it - without


def lead(data: dict, first: Method, second: Method, name: str = "test") -> np.ndarray:
    """A column of one method minus that of another, each at its own best place, (seeds,)."""
    return column(data, best(data, first), name) - column(data, best(data, second), name)


def told(data: dict, found: dict, label: str, methods: Mapping[str, Method]) -> None:
    """Add to ``found`` what sentences may say of an optimizer: alone, with LAWN, with decay."""
    for how, method in methods.items():
        describe(data, found, f"{label}_{how}", best(data, method))
    found[f"{label}_gain"] = 100 * lead(data, methods[LAWN], methods[ALONE]).mean()
    early = found[f"{label}_{ALONE}_stopped_test"]  # the same trainings, stopped at their best
    found[f"{label}_gain_over_stopped"] = found[f"{label}_{LAWN}_test"] - early
    if DECAY in methods:
        over = lead(data, methods[LAWN], methods[DECAY])
        found[f"{label}_gain_over_decay"] = 100 * over.mean()
