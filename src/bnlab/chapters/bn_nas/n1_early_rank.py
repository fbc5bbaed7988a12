"""N1: how early, and how well, BatchNorm's scales rank nets, beside what costs nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from bnlab.chapters.bn_nas.ranked import (
    QUARTER,
    SIZES,
    ceilings,
    each,
    ranked,
    seen,
    taus,
    taus_beside_size,
    taus_of_size,
    taus_with_size,
)
from bnlab.chapters.bn_nas.space import BASE, PER_SEED
from bnlab.train import Run
from bnlab.verdicts.table import Table
from bnlab.verdicts.work import HERE, Work

SEEDS = tuple(range(1100, 1116))


def measure(
    seeds: Sequence[int] = SEEDS, work: Work = HERE, base: Run = BASE, earlier: dict | None = None
) -> dict:
    """Nets alone, and supernets with all weights trained; see ``ranked``."""
    return ranked(seeds, work, base, ["all"], earlier)


def values(data: dict) -> dict[str, np.ndarray]:
    """The effects of N1, one number a unit."""
    early = taus(data, "scores", QUARTER)
    found = {"early": early, "alike": taus(data, "scores", QUARTER, alike=True)}
    return found | {f"beyond_{size}": early - taus_of_size(data, size) for size in SIZES}


def facts(data: dict) -> dict[str, object]:
    """Numbers for sentences: taus; names end in the number of steps.

    ``deeper`` is a share in per cent: of the pairs of nets that differ in their number of layers,
    those in which the score prefers the deeper net.
    """
    test = 100 * Table.of(data).column("alone")
    numbers = {"ceiling": ceilings(data), "ceiling_alike": ceilings(data, alike=True)}
    for size in SIZES:
        numbers[f"tau_{size}"] = taus_of_size(data, size)
        numbers[f"tau_{size}_alike"] = taus_of_size(data, size, alike=True)
    for mark, steps in enumerate(data["marks"]):
        numbers[f"deeper_{steps}"] = 100 * each(data, _prefers_deeper(mark))
        for name, column in (("score", "scores"), ("accuracy", "accuracies")):
            numbers[f"{name}_{steps}"] = taus(data, column, mark)
            numbers[f"{name}_alike_{steps}"] = taus(data, column, mark, alike=True)
        for size in SIZES:
            numbers[f"score_with_{size}_{steps}"] = taus_with_size(data, size, mark)
            numbers[f"score_beside_{size}_{steps}"] = taus_beside_size(data, size, mark)
    return (
        {name: found.mean() for name, found in numbers.items()}
        | seen(values(data))
        | {
            "seeds": len(data["seeds"]),
            "nets": PER_SEED,
            "test": test.mean(),
            "test_worst": test.min(),
            "test_best": test.max(),
        }
    )


def _prefers_deeper(mark: int) -> Callable[[Table], float]:
    def of(unit: Table) -> float:
        layers, scores = unit.column("layers"), unit.column("scores")[:, mark]
        more = np.subtract.outer(layers, layers) > 0
        return float(np.mean(np.subtract.outer(scores, scores)[more] > 0))

    return of
