"""R2 of Ioffe 2017: batches of 32 independent samples, normalized as a whole.

Settings and margins were fixed before the seeds that count were run, see ``methods``.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bnlab.chapters.batch_renorm import one_by_one
from bnlab.chapters.batch_renorm.methods import (
    BASE,
    SEEDS,
    Method,
    at_best,
    best_lr,
    describe,
    select,
)
from bnlab.chapters.batch_renorm.one_by_one import ENGINE, alone_or_all, measured
from bnlab.train import Run
from bnlab.verdicts.work import HERE, Work

ENGINES = one_by_one.ENGINES
METHODS = tuple(Method(norm) for norm in ("batch", "batch_renorm", "group"))
BATCH, RENORM, GROUP = METHODS


def measure(
    seeds: Sequence[int] = SEEDS,
    work: Work = HERE,
    tuning: dict | None = None,
    base: Run = BASE,
    engine: str = ENGINE,
) -> dict:
    """Train BatchNorm, Batch Renormalization and group norm, each at its best rate.

    And, as a control, the first two at the best rate of the other; see ``measured``.
    """
    return measured(seeds, METHODS, work, tuning, _swapped, base, engine)


def _swapped(data: dict) -> list[tuple[Method, float]]:
    return [(BATCH, best_lr(data, RENORM)), (RENORM, best_lr(data, BATCH))]


def repeat(data: dict, seeds: Sequence[int]) -> dict:
    """The same trainings for some seeds; in a stack for all, on whose number sums depend."""
    return measure(alone_or_all(data, seeds), tuning=data, engine=data["engine"])


def values(data: dict) -> dict[str, np.ndarray]:
    """The effects of R2, one number a seed."""
    batch, renorm = (at_best(data, method, "loss") for method in (BATCH, RENORM))
    accuracy = [at_best(data, method, "test_running") for method in (BATCH, RENORM)]
    return {"speed": np.log10(renorm / batch), "accuracy": accuracy[0] - accuracy[1]}


def facts(data: dict) -> dict[str, object]:
    """Numbers for sentences about R2; accuracies in per cent."""
    found: dict[str, object] = {"seeds": len(data["seeds"])}
    for method in METHODS:
        describe(data, found, method.norm, method)
    effect = values(data)
    found["speed"] = 10 ** effect["speed"].mean()
    found["behind"] = 100 * effect["accuracy"].mean()
    for method, lr in _swapped(data):
        found[f"{method.norm}_at_other"] = select(data, method, lr, "loss").mean()
    return found
