"""M5 of Fei 2020: is MimicNorm better than no normalizer, and than Fixup? After how many steps?

All in the residual net. Who is ahead depends on how long is trained, so each method takes its best
rate anew for each number of steps, by validation on other seeds. Fixup's scalars take a tenth of
the rate, as in its official code. Two nets stand for "no normalizer": the one whose normalizers
were just left out, and one that has MimicNorm's scalars at the ends of its branches, but neither of
its two operations; the second says what these operations give, and what the scalars gave already.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from bnlab.chapters.mimicnorm.trainings import (
    BASE,
    COLUMNS,
    accuracies,
    completed,
    trained,
    tuned_rate,
)
from bnlab.train import Run
from bnlab.verdicts.table import Table
from bnlab.verdicts.tuning import check_seeds
from bnlab.verdicts.work import HERE, Work

SEEDS = tuple(range(876, 884))
TUNING_SEEDS = (0, 1, 2, 3)
NET = "residual"
MARKS = (50, 100, 200, 400)
SHORT, LONG = 100, 400  # the numbers of steps of the core
LRS = {
    "mimic": (0.03, 0.1, 0.3, 1.0, 3.0),
    "fixup": (0.03, 0.1, 0.3, 1.0),
    "neither": (0.01, 0.03, 0.1, 0.3),
    "none": (0.001, 0.003, 0.01, 0.03),
}
METHODS = tuple(LRS)


def measure(
    seeds: Sequence[int] = SEEDS, work: Work = HERE, tuning: dict | None = None, base: Run = BASE
) -> dict:
    """Choose each method's rate for each number of steps, and train with it.

    Args:
        seeds: that count.
        work: does the trainings.
        tuning: an earlier measurement, whose trainings with tuning seeds are taken over.
        base: what all trainings share.
    """
    check_seeds(seeds, TUNING_SEEDS)
    tried = [(NET, method, lr) for method, rates in LRS.items() for lr in rates]
    cases = [(*one, seed) for one in tried for seed in TUNING_SEEDS]
    rows = completed(work, base, cases, MARKS, tuning)
    data = {
        "base": base.to_dict(),
        "seeds": list(seeds),
        "tuning_seeds": list(TUNING_SEEDS),
        "columns": list(COLUMNS),
        "rows": rows,
    }
    rows = list(rows)
    for marks, method, lr in _longest(data):
        rows += trained(work, base, [(NET, method, lr, seed) for seed in seeds], marks)
    return {**data, "rows": rows}


def _longest(data: dict) -> list[tuple[tuple[int, ...], str, float]]:
    """For each method and rate the marks up to the last one at which that rate is the best."""
    last: dict[tuple[str, float], int] = {}
    for method, mark in itertools.product(METHODS, MARKS):
        last[method, best_lr(data, method, mark)] = mark
    return [(MARKS[: MARKS.index(mark) + 1], *pair) for pair, mark in last.items()]


def repeat(data: dict, seeds: Sequence[int]) -> dict:
    """The same trainings for some seeds."""
    return measure(seeds, tuning=data, base=Run.from_dict(data["base"]))


def at(data: dict, method: str, mark: int) -> Table:
    """The rows of a method at a mark."""
    return Table.of(data).where(method=method, steps=mark)


def best_lr(data: dict, method: str, mark: int) -> float:
    """The best rate for a number of steps, by validation on the tuning seeds."""
    return tuned_rate(at(data, method, mark), LRS[method], data["tuning_seeds"])


def tuned(data: dict, method: str, mark: int) -> np.ndarray:
    """Validation accuracy at a mark, (rates, tuning seeds)."""
    return accuracies(at(data, method, mark), LRS[method], data["tuning_seeds"], "val")


def at_best(data: dict, method: str, mark: int) -> np.ndarray:
    """Test accuracy at a mark with the best rate for it, (seeds,)."""
    rates = [best_lr(data, method, mark)]
    return accuracies(at(data, method, mark), rates, data["seeds"])[0]


def lead(data: dict, method: str, mark: int) -> np.ndarray:
    """Test accuracy of MimicNorm minus that of another method, (seeds,)."""
    return at_best(data, "mimic", mark) - at_best(data, method, mark)


def values(data: dict) -> dict[str, np.ndarray]:
    """The effects of M5, one number a seed."""
    return {
        "fixup_short": lead(data, "fixup", SHORT),
        "fixup_long": lead(data, "fixup", LONG),
        "none_short": lead(data, "none", SHORT),
        "none_long": lead(data, "none", LONG),
    }


def facts(data: dict) -> dict[str, object]:
    """Numbers for sentences, in per cent and points; names end in the number of steps."""
    found: dict[str, object] = {"seeds": len(data["seeds"]), "short": SHORT, "long": LONG}
    for method, mark in itertools.product(METHODS, MARKS):
        score, end = 100 * at_best(data, method, mark), f"{method}_{mark}"
        found |= {
            f"test_{end}": score.mean(),
            f"worst_{end}": score.min(),
            f"lr_{end}": best_lr(data, method, mark),
        }
        if method != "mimic":
            found[f"lead_{end}"] = 100 * lead(data, method, mark).mean()
    return found
