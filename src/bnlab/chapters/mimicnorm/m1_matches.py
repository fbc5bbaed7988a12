"""M1 of Fei 2020: does MimicNorm end as accurate as BatchNorm in every layer?

Two nets decide, a residual and a plain one. A third, plain and 30 layers deep, shows where the
method fails; it does not count for the verdict, since the paper trains no such net. Each net takes
its best rate with each method, chosen with other seeds on validation images.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from bnlab.chapters.mimicnorm.trainings import (
    BASE,
    COLUMNS,
    NETS,
    accuracies,
    completed,
    tuned_rate,
)
from bnlab.data import load
from bnlab.train import Run
from bnlab.verdicts.table import Table
from bnlab.verdicts.tuning import check_seeds
from bnlab.verdicts.work import HERE, Work

SEEDS = tuple(range(820, 828))
TUNING_SEEDS = (0, 1)
METHODS = ("batch", "mimic")
DECIDE = ("residual", "plain")
LRS = {
    "residual": (0.03, 0.1, 0.3, 1.0, 3.0),
    "plain": (0.03, 0.1, 0.3, 1.0, 3.0),
    "deep": (0.003, 0.01, 0.03, 0.1, 0.3),
}
MARKS = (50, 100, 200)  # the last one decides


def measure(
    seeds: Sequence[int] = SEEDS,
    work: Work = HERE,
    tuning: dict | None = None,
    earlier: dict | None = None,
    base: Run = BASE,
) -> dict:
    """Choose each method's rate in each net, and train with it.

    Args:
        seeds: that count.
        work: does the trainings.
        tuning: an earlier measurement, whose trainings with tuning seeds are taken over.
        earlier: a measurement whose trainings are all taken over, as far as they are the same.
        base: what all trainings share.
    """
    check_seeds(seeds, TUNING_SEEDS)
    pairs = list(itertools.product(NETS, METHODS))
    tried = [(*pair, lr) for pair in pairs for lr in LRS[pair[0]]]
    cases = [(*one, seed) for one in tried for seed in TUNING_SEEDS]
    rows = completed(work, base, cases, MARKS, tuning or earlier)
    data = {
        "base": base.to_dict(),
        "seeds": list(seeds),
        "tuning_seeds": list(TUNING_SEEDS),
        "columns": list(COLUMNS),
        "rows": rows,
    }
    cases = [(*pair, best_lr(data, *pair), seed) for pair in pairs for seed in seeds]
    return {**data, "rows": [*rows, *completed(work, base, cases, MARKS, earlier)]}


def repeat(data: dict, seeds: Sequence[int]) -> dict:
    """The same trainings for some seeds."""
    return measure(seeds, tuning=data, base=Run.from_dict(data["base"]))


def at(data: dict, net: str, method: str, mark: int = MARKS[-1]) -> Table:
    """The rows of a net and method at a mark."""
    return Table.of(data).where(net=net, method=method, steps=mark)


def best_lr(data: dict, net: str, method: str) -> float:
    """The best rate at the last mark, by validation on the tuning seeds."""
    return tuned_rate(at(data, net, method), LRS[net], data["tuning_seeds"])


def tuned(data: dict, net: str, method: str) -> np.ndarray:
    """Validation accuracy at the last mark, (rates, tuning seeds)."""
    return accuracies(at(data, net, method), LRS[net], data["tuning_seeds"], "val")


def at_best(data: dict, net: str, method: str, mark: int = MARKS[-1]) -> np.ndarray:
    """Test accuracy at a mark with the best rate, (seeds,)."""
    rates = [best_lr(data, net, method)]
    return accuracies(at(data, net, method, mark), rates, data["seeds"])[0]


def values(data: dict) -> dict[str, np.ndarray]:
    """The effects of M1, one number a seed."""
    return {net: at_best(data, net, "batch") - at_best(data, net, "mimic") for net in DECIDE}


def facts(data: dict) -> dict[str, object]:
    """Numbers for sentences: accuracies in per cent, by method and net, and by number of steps.

    ``wrong_...`` is the mean number of test images, of ``images``, that are classified wrong;
    ``at_batch_rate_...`` MimicNorm's validation accuracy at BatchNorm's best rate (tuning seeds).
    """
    images = len(load(data["base"]["data"], data["base"]["split_seed"]).test_y)
    found: dict[str, object] = {
        "images": images,
        "seeds": len(data["seeds"]),
        "steps": MARKS[-1],
        "batch_size": data["base"]["batch_size"],
    }
    for net in NETS:
        for method in METHODS:
            end = f"{method}_{net}"
            score = 100 * at_best(data, net, method)
            found |= {
                f"lr_{end}": best_lr(data, net, method),
                f"test_{end}": score.mean(),
                f"median_{end}": float(np.median(score)),
                f"worst_{end}": score.min(),
                f"top_{end}": score.max(),
                f"wrong_{end}": images * (1 - score.mean() / 100),
            }
            for mark in MARKS[:-1]:
                found[f"test_{end}_{mark}"] = 100 * at_best(data, net, method, mark).mean()
        for mark in MARKS:
            ends = [at_best(data, net, method, mark).mean() for method in METHODS]
            found[f"lead_{net}_{mark}"] = 100 * (ends[0] - ends[1])
        found[f"lead_{net}"] = found[f"lead_{net}_{MARKS[-1]}"]
        place = LRS[net].index(best_lr(data, net, "batch"))
        found[f"at_batch_rate_{net}"] = 100 * tuned(data, net, "mimic")[place].mean()
    return found
