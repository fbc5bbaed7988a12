"""Nets at their best rates: each arm of a comparison takes its own, by validation on tuning seeds.

An arm is a ``Setup`` with the learning rates that it may choose from.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from bnlab.chapters.binary_nets.trainings import Setup, trained
from bnlab.train import Run
from bnlab.verdicts.interval import interval
from bnlab.verdicts.table import Table
from bnlab.verdicts.tuning import best_rate, check_same_run, check_seeds, scores
from bnlab.verdicts.work import Work

TUNING_SEEDS = (0, 1)
COLUMNS = (
    *("arm", "lr", "seed", "val_accuracy", "test_accuracy"),
    *("inside_first", "inside", "diverged_at"),
)


@dataclass(frozen=True)
class Arm:
    """A set-up and its learning rates, in rising order."""

    setup: Setup
    lrs: tuple[float, ...]


def measured(
    arms: Mapping[str, Arm],
    seeds: Sequence[int],
    work: Work,
    tuning: dict | None,
    base: Run,
    borrowed: Sequence[tuple[str, str]] = (),
) -> dict:
    """Train each arm at all its rates with the tuning seeds, and at the best one with ``seeds``.

    Args:
        arms: what is trained.
        seeds: that count.
        work: does the trainings.
        tuning: an earlier measurement, whose trainings with tuning seeds are taken over.
        base: what all trainings share.
        borrowed: pairs of arms; the first is trained at the best rate of the second too.
    """
    check_seeds(seeds, TUNING_SEEDS)
    tried = [
        (name, lr, seed) for name, arm in arms.items() for lr in arm.lrs for seed in TUNING_SEEDS
    ]
    there = {} if tuning is None else _rows(tuning, base)
    rows = [there[case] for case in tried if case in there]
    rows += _trained(arms, [case for case in tried if case not in there], work, base)
    data = {
        "base": base.to_dict(),
        "seeds": list(seeds),
        "tuning_seeds": list(TUNING_SEEDS),
        "lrs": {name: list(arm.lrs) for name, arm in arms.items()},
        "columns": list(COLUMNS),
        "rows": rows,
    }
    pairs = dict.fromkeys(
        (name, best_lr(data, other)) for name, other in [*zip(arms, arms, strict=True), *borrowed]
    )
    counted = [(*pair, seed) for pair in pairs for seed in seeds]
    return {**data, "rows": rows + _trained(arms, counted, work, base)}


def _rows(tuning: dict, base: Run) -> dict[tuple, list]:
    check_same_run(tuning, base)
    return {tuple(row[:3]): row for row in tuning["rows"]}


def _trained(
    arms: Mapping[str, Arm], cases: Iterable[tuple[str, float, int]], work: Work, base: Run
) -> list[list]:
    cases = list(cases)
    found = work.starmap(trained, [(base, arms[name].setup, *rest) for name, *rest in cases])
    return [[*case, *numbers] for case, numbers in zip(cases, found, strict=True)]


def of_arm(data: dict, arm: str) -> Table:
    """The trainings of an arm."""
    return Table.of(data).where(arm=arm)


def tuned(data: dict, arm: str) -> np.ndarray:
    """Validation accuracy, (rates, tuning seeds); a net that diverged: chance."""
    along = {"lr": data["lrs"][arm], "seed": data["tuning_seeds"]}
    return scores(of_arm(data, arm), "val_accuracy", **along)


def best_lr(data: dict, arm: str) -> float:
    """The best rate, by validation on the tuning seeds."""
    return best_rate(data["lrs"][arm], tuned(data, arm))


def at_best(data: dict, arm: str, rate_of: str = "") -> np.ndarray:
    """Test accuracy at the arm's best rate, or at that of another arm, (seeds,)."""
    rates = [best_lr(data, rate_of or arm)]
    return scores(of_arm(data, arm), "test_accuracy", lr=rates, seed=data["seeds"])[0]


def lead(data: dict, arm: str, other: str) -> np.ndarray:
    """Test accuracy of one arm minus that of another, each at its best rate, (seeds,)."""
    return at_best(data, arm) - at_best(data, other)


def share_inside(data: dict, arm: str, when: str = "inside_first") -> float:
    """Mean share of the numbers before the signs that lie in the window, over the counted seeds."""
    found = of_arm(data, arm).where(lr=best_lr(data, arm), seed=data["seeds"]).entries(when)
    reached = [one for one in found if one is not None]
    return float(np.mean(reached)) if reached else float("nan")


def arm_facts(data: dict) -> dict[str, object]:
    """For each arm, names end in its own: accuracies in per cent, rate, window, divergence."""
    found: dict[str, object] = {
        "seeds": len(data["seeds"]),
        "steps": data["base"]["steps"],
        "depth": data["base"]["depth"],
    }
    for arm in data["lrs"]:
        score, rows = 100 * at_best(data, arm), of_arm(data, arm)
        counted = rows.where(lr=best_lr(data, arm), seed=data["seeds"])
        found |= {
            f"test_{arm}": score.mean(),
            f"worst_{arm}": score.min(),
            f"best_{arm}": score.max(),
            f"lr_{arm}": best_lr(data, arm),
            f"inside_first_{arm}": 100 * share_inside(data, arm),
            f"inside_{arm}": 100 * share_inside(data, arm, "inside"),
            f"diverged_{arm}": sum(one is not None for one in counted.entries("diverged_at")),
        }
    return found


def effect_facts(values: Mapping[str, np.ndarray]) -> dict[str, float]:
    """For each effect, in points: ``points_``, the mean, and ``power_``, half of its interval.

    A mean that is nearer to a margin than that stays undecided. One seed alone has no interval.
    """
    found = {f"points_{name}": 100 * numbers.mean() for name, numbers in values.items()}
    for name, numbers in values.items():
        if len(numbers) > 1:
            low, high = interval(numbers)
            found[f"power_{name}"] = 50 * (high - low)
    return found
