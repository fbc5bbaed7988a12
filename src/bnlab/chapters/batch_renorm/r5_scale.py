"""R5 of Ioffe 2017: initial weights that are four times smaller, as they are, and larger.

All weights are scaled, those of the last layer too; biases start at zero. Each method takes its
best rate for the weights as they are, and keeps it. Beside the verdict: each scale with its own
best rate. Settings and margins were fixed before the seeds that count were run, see
``methods``.
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
    select,
)
from bnlab.chapters.batch_renorm.one_by_one import ENGINE, alone_or_all, measured
from bnlab.train import Run
from bnlab.verdicts.table import fact_name
from bnlab.verdicts.work import HERE, Work

ENGINES = one_by_one.ENGINES
SCALES = (0.25, 1.0, 4.0)
NORMS = ("none", "batch", "batch_renorm")


def measure(
    seeds: Sequence[int] = SEEDS,
    work: Work = HERE,
    tuning: dict | None = None,
    norms: Sequence[str] = NORMS,
    base: Run = BASE,
    engine: str = ENGINE,
) -> dict:
    """Train from weights of three scales, at the best rate for scale 1 and at each one's own.

    Args:
        seeds: that count.
        work: does the trainings.
        tuning: an earlier measurement, whose rates are taken over.
        norms: of the nets; ``none`` and ``batch_renorm`` decide.
        base: what all trainings share.
        engine: one of ``ENGINES`` of ``one_by_one``.

    Returns:
        See ``measured``.

    Raises:
        ValueError: if a net that decides is missing.
    """
    if not {"none", "batch_renorm"} <= set(norms):
        raise ValueError(f"norms must contain 'none' and 'batch_renorm', got {list(norms)}.")
    methods = [Method(norm, scale=scale) for norm in norms for scale in SCALES]

    def kept(data: dict) -> list[tuple[Method, float]]:
        return [at(data, norm, scale) for norm in norms for scale in SCALES]

    found = measured(seeds, methods, work, tuning, kept, base, engine)
    return {**found, "norms": list(norms)}


def at(data: dict, norm: str, scale: float) -> tuple[Method, float]:
    """A method with weights of a scale, at its best rate for scale 1."""
    return Method(norm, scale=scale), best_lr(data, Method(norm))


def repeat(data: dict, seeds: Sequence[int]) -> dict:
    """The nets that decide, for some seeds; in a stack for all, on whose number sums depend."""
    seeds, norms = alone_or_all(data, seeds), ["none", "batch_renorm"]
    return measure(seeds, tuning=data, norms=norms, engine=data["engine"])


def spread(data: dict, norm: str, own: bool = False) -> np.ndarray:
    """Range of the test accuracy over the scales, (seeds,).

    Args:
        data: of the measurement.
        norm: of the net.
        own: each scale at its own best rate, instead of the one for scale 1.
    """
    name = "test_running"
    scores = [
        at_best(data, Method(norm, scale=scale), name)
        if own
        else select(data, *at(data, norm, scale), name)
        for scale in SCALES
    ]
    return np.ptp(scores, axis=0)


def values(data: dict) -> dict[str, np.ndarray]:
    """The effects of R5, one number a seed."""
    renorm, plain = spread(data, "batch_renorm"), spread(data, "none")
    return {"own": renorm, "plain": plain - renorm}


def facts(data: dict) -> dict[str, object]:
    """Numbers for sentences about R5; accuracies in per cent; a scale of 0.25 is ``0_25``."""
    found: dict[str, object] = {"seeds": len(data["seeds"])}
    for norm in data["norms"]:
        found[f"lr_{norm}"] = best_lr(data, Method(norm))
        found[f"range_{norm}"] = 100 * spread(data, norm).mean()
        found[f"range_own_{norm}"] = 100 * spread(data, norm, own=True).mean()
        for scale in SCALES:
            end = fact_name(norm, scale)
            method, lr = at(data, norm, scale)
            found[f"test_{end}"] = 100 * select(data, method, lr, "test_running").mean()
            found[f"diverged_{end}"] = sum(
                row is not None for row in select(data, method, lr, "diverged_at")
            )
            found[f"own_lr_{end}"] = best_lr(data, Method(norm, scale=scale))
    return found
