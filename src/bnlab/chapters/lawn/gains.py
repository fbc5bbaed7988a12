"""Gains of test accuracy by LAWN, for LW3 and LW4: optimizers and batch sizes, each tuned."""

from __future__ import annotations

from collections.abc import Sequence

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


def told(data: dict, found: dict, label: str, optimizer: str, batch_size: int) -> None:
    """Add to ``found`` what sentences may say of an optimizer: alone, with LAWN, with decay."""
    for how in (ALONE, LAWN, DECAY):
        method = Method(optimizer, how, batch_size)
        if how != DECAY or data["decay"]:
            describe(data, found, f"{label}_{how}", best(data, method))
    found[f"{label}_gain"] = 100 * gain(data, optimizer, batch_size).mean()
    # Against the same trainings, stopped where the validation accuracy was best.
    behind = column(data, best(data, Method(optimizer, LAWN, batch_size)), "test")
    alone = best(data, Method(optimizer, ALONE, batch_size))
    found[f"{label}_gain_over_stopped"] = 100 * (
        behind.mean() - column(data, alone, "stopped_test").mean()
    )
    if data["decay"]:
        over = gain(data, optimizer, batch_size, DECAY)
        found[f"{label}_gain_over_decay"] = 100 * over.mean()
