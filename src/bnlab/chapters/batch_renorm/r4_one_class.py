"""R4 of Ioffe 2017: groups of one class, against the same images in mixed groups.

A batch has 80 images, ten groups of eight, each group of one class: the gradient sees every class,
the statistics one. Settings and margins were fixed before the seeds that count were run, see
``methods``. Beside the verdict: whole batches of one class, where the gradient sees one class
too; other schedules at the best rate; and statistics that get no gradient, a control that was
added when the first result was known, with the seeds that count.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from bnlab.chapters.batch_renorm import r4_constant_statistics
from bnlab.chapters.batch_renorm.methods import (
    BASE,
    SCHEDULES,
    SEEDS,
    Method,
    at_best,
    best_lr,
    describe,
    measured,
    select,
)
from bnlab.train import Run
from bnlab.verdicts.table import fact_name
from bnlab.verdicts.work import HERE, Work

BATCH_SIZE, SAMPLES = 80, 8
ALONE = 32  # images of a batch of one class
NORMS = ("batch", "batch_renorm", "group")
ARRANGEMENTS = ("mixed", "pure", "alone")


def arranged(norm: str, arrangement: str) -> Method:
    """A method with ``mixed`` or ``pure`` groups, or with batches of one class, ``alone``."""
    if arrangement == "alone":
        return Method(norm, batch_size=ALONE, samples=ALONE, arrangement="pure")
    return Method(norm, batch_size=BATCH_SIZE, samples=SAMPLES, arrangement=arrangement)


def measure(
    seeds: Sequence[int] = SEEDS,
    work: Work = HERE,
    tuning: dict | None = None,
    alone: bool = True,
    controls: bool = True,
    base: Run = BASE,
) -> dict:
    """Train with mixed and with pure groups, each method at its best rate for each of them.

    Args:
        seeds: that count.
        work: does the trainings.
        tuning: an earlier measurement, whose rates are taken over.
        alone: measure batches of one class too.
        controls: measure other schedules and constant statistics too.
        base: what all trainings share.

    Returns:
        See ``measured``; and ``constant``, rows of ``r4_constant_statistics``.
    """
    arrangements = ARRANGEMENTS if alone else ARRANGEMENTS[:2]
    methods = [arranged(norm, one) for one in arrangements for norm in NORMS]
    data = measured(seeds, methods, work, tuning, _controls if controls else None, base)
    constant = []
    if controls:
        earlier = (tuning or {}).get("constant")
        constant = r4_constant_statistics.measure(seeds, work, earlier, base)
    return {**data, "arrangements": list(arrangements), "constant": constant}


def _controls(data: dict) -> list[tuple[Method, float]]:
    return [scheduled(data, name) for name in SCHEDULES]


def scheduled(data: dict, name: str) -> tuple[Method, float]:
    """Batch Renormalization of pure groups at its best rate, with another schedule."""
    method = arranged("batch_renorm", "pure")
    return replace(method, schedule=name), best_lr(data, method)


def repeat(data: dict, seeds: Sequence[int]) -> dict:
    """The trainings that decide, of all seeds: sums depend on how many nets lie side by side."""
    return measure(data["seeds"], tuning=data, alone=False, controls=False)


def losses(data: dict, norm: str) -> np.ndarray:
    """Test accuracy with mixed groups minus that with groups of one class, (seeds,)."""
    mixed, pure = (at_best(data, arranged(norm, one), "test_running") for one in ARRANGEMENTS[:2])
    return mixed - pure


def values(data: dict) -> dict[str, np.ndarray]:
    """The effects of R4, one number a seed."""
    batch, renorm = losses(data, "batch"), losses(data, "batch_renorm")
    return {"loss": batch, "recovered": 1 - renorm / batch}


def facts(data: dict) -> dict[str, object]:
    """Numbers for sentences about R4; accuracies in per cent."""
    found: dict[str, object] = {"seeds": len(data["seeds"])}
    for norm in NORMS:
        for one in data["arrangements"]:
            describe(data, found, f"{norm}_{one}", arranged(norm, one))
        found[f"lost_{norm}"] = 100 * losses(data, norm).mean()
    found["recovered"] = 100 * values(data)["recovered"].mean()
    if data["constant"]:
        found |= r4_constant_statistics.facts(data["constant"])
        for name in SCHEDULES:
            score = select(data, *scheduled(data, name), "test_running").mean()
            found[fact_name("schedule", name)] = 100 * score
    return found
