"""A race of nets on CIFAR-10, each at its own best rate: what the claims at that scale share.

An *arm* is what is compared: some fields of a Run, such as its normalizer. Each arm is trained at
several learning rates with the tuning seeds; the search goes on along ``RATES`` until the best rate
has a worse one on each side. Then the counted seeds are trained at it.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from bnlab.train import History, Run, threads, train, train_many
from bnlab.verdicts.table import Table
from bnlab.verdicts.tuning import (
    CHANCE,
    best_rate,
    check_same_run,
    check_seeds,
    mean_loss,
    scores,
    usable_rates,
)
from bnlab.verdicts.work import Work

RATES = (1e-4, 3e-4, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0)
"""Every rate is one of these."""

TUNING_SEEDS = (0,)
"""One training a rate: of two rates that are about as good it may take either."""

LAST = 10
"""The last tenth of the steps says where a training ends."""

COLUMNS = (*("arm", "lr", "seed", "loss", "end", "val_accuracy", "test_accuracy", "diverged_at"),)
STACK = 16
"""Nets of one part of the work on a GPU: what a killed measurement loses at most."""


@dataclass(frozen=True)
class Arm:
    """What is compared.

    Attributes:
        fields: of the Run, in place of those of the base.
        lrs: the rates that are tried first, neighbours in ``RATES``, in rising order.
        also: what a ``train_one`` of the chapter takes behind the Run.
    """

    fields: Mapping[str, object]
    lrs: tuple[float, ...]
    also: tuple[object, ...] = ()


def race(
    arms: Mapping[str, Arm],
    base: Run,
    seeds: Sequence[int],
    work: Work,
    *,
    tuning: dict | None = None,
    everywhere: bool = False,
    borrowed: Sequence[tuple[str, str]] = (),
    device: str = "cpu",
    image_size: int | None = None,
    tuning_seeds: Sequence[int] = TUNING_SEEDS,
    train_one: Callable[..., list] | None = None,
) -> dict:
    """Find the best rate of every arm, and train the counted seeds at it.

    Args:
        arms: by their names.
        base: what all trainings share.
        seeds: that count.
        work: does the trainings.
        tuning: an earlier measurement, whose trainings with the tuning seeds are taken over.
        everywhere: train the counted seeds at all rates of the search, not at the best alone.
        borrowed: pairs of arms: the first is trained at the best rate of the second too.
        device: see ``train``. On a GPU up to ``STACK`` nets are trained in one call.
        image_size: in place of that of the base.
        tuning_seeds: that choose the rates.
        train_one: trains one net where a Run alone does not say all: a function at the top of a
            module of the Run and what the arm has in ``also``, which returns what ``outcome``
            returns. It trains on the device that it is told in ``also``, a net a call.

    Returns:
        ``base``, ``seeds``, ``tuning_seeds``, ``arms`` (their names), ``columns`` and ``rows``, one
        a training, as ``measure`` of a claim returns them.

    Raises:
        ValueError: if a counted seed chose a rate, or ``tuning`` was made with another Run.
    """
    check_seeds(seeds, tuning_seeds)
    base = base if image_size is None else base.replace(image_size=image_size)
    data = {
        "engine": "torch",
        "base": base.to_dict(),
        "arms": list(arms),
        "seeds": list(seeds),
        "tuning_seeds": list(tuning_seeds),
        "columns": list(COLUMNS),
        "rows": _taken_over(tuning, base, tuning_seeds),
    }
    trained = functools.partial(
        _trained, arms=arms, base=base, work=work, device=device, own=train_one
    )
    _search(data, arms, trained)
    pairs = [(arm, lr) for arm in arms for lr in rates_of(data, arm)]
    if not everywhere:
        pairs = [(arm, best_lr(data, arm)) for arm in arms]
    pairs += [(arm, best_lr(data, other)) for arm, other in borrowed]
    plan = [(arm, lr, seed) for arm, lr in dict.fromkeys(pairs) for seed in seeds]
    data["rows"] += trained(plan)
    return data


def _taken_over(tuning: dict | None, base: Run, tuning_seeds: Sequence[int]) -> list[list]:
    if tuning is None:
        return []
    check_same_run(tuning, base)
    return Table.of(tuning).where(seed=list(tuning_seeds)).rows


def _search(data: dict, arms: Mapping[str, Arm], trained: Callable[[list], list[list]]) -> None:
    """Add the trainings of the tuning seeds, until no best rate is an edge."""
    while plan := [
        (arm, lr, seed)
        for arm, one in arms.items()
        for lr in _next_rates(data, arm, one.lrs)
        for seed in data["tuning_seeds"]
    ]:
        data["rows"] += trained(plan)


def _next_rates(data: dict, arm: str, first: Sequence[float]) -> list[float]:
    tried = rates_of(data, arm)
    if not set(first) <= set(tried):
        return [lr for lr in first if lr not in tried]
    at = RATES.index(best_lr(data, arm))
    around = [RATES[i] for i in (at - 1, at + 1) if 0 <= i < len(RATES)]
    return [lr for lr in around if lr not in tried]


def _trained(
    plan: Sequence[tuple[str, float, int]],
    arms: Mapping[str, Arm],
    base: Run,
    work: Work,
    device: str,
    own: Callable[..., list] | None,
) -> list[list]:
    runs = [base.replace(**arms[arm].fields, lr=lr, seed=seed) for arm, lr, seed in plan]
    if own is not None:
        items = [(run, *arms[arm].also) for run, (arm, *_) in zip(runs, plan, strict=True)]
        found = work.starmap(own, items)
    elif device == "cpu":
        found = work.map(train_one, runs)
    else:
        parts = [runs[i : i + STACK] for i in range(0, len(runs), STACK)]
        found = [
            row for part in work.starmap(train_some, [(p, device) for p in parts]) for row in part
        ]
    return [[*case, *numbers] for case, numbers in zip(plan, found, strict=True)]


@threads(1)
def train_one(run: Run) -> list:
    """What became of a training on the CPU: see ``outcome``."""
    return outcome(train(run, "torch", "cpu"))


def train_some(runs: Sequence[Run], device: str) -> list[list]:
    """What became of some trainings, side by side where that can be: see ``outcome``."""
    return [outcome(history) for history in train_many(runs, device=device)]


def outcome(history: History) -> list:
    """The columns of a training behind its seed.

    Mean loss over the run and over its last tenth (a step counts at most as a guess), validation
    accuracy at the end, test accuracy, and the step after which it diverged. A net that diverged
    has the accuracy of chance.
    """
    lost, steps = history.diverged_at is not None, history.run.steps
    losses = history.loss[: history.diverged_at]
    before_last = steps - steps // LAST
    return [
        mean_loss(losses, steps),
        mean_loss(losses[before_last:], steps - before_last),
        CHANCE if lost else round(float(history.val_accuracy[-1]), 4),
        CHANCE if lost else round(history.test_accuracy, 4),
        history.diverged_at,
    ]


def of_arm(data: dict, arm: str) -> Table:
    """The trainings of an arm."""
    return Table.of(data).where(arm=arm)


def rates_of(data: dict, arm: str) -> list[float]:
    """The rates that were tried with the tuning seeds, in rising order."""
    tried = of_arm(data, arm).where(seed=data["tuning_seeds"])
    return sorted({lr for (lr,) in tried.distinct("lr")})


def best_lr(data: dict, arm: str) -> float:
    """The best rate of an arm, by validation accuracy of the tuning seeds."""
    rates = rates_of(data, arm)
    found = scores(of_arm(data, arm), "val_accuracy", lr=rates, seed=data["tuning_seeds"])
    return best_rate(rates, found)


def at_rate(data: dict, arm: str, name: str, lr: float | None = None) -> np.ndarray:
    """A column at a rate, by default the arm's best one, one number a counted seed."""
    found = of_arm(data, arm).where(lr=lr or best_lr(data, arm))
    return found.column(name, seed=data["seeds"])


def lead(data: dict, arm: str, other: str, name: str = "test_accuracy") -> np.ndarray:
    """A column of one arm minus that of another, each at its best rate, (seeds,)."""
    return at_rate(data, arm, name) - at_rate(data, other, name)


def decades(data: dict, above: str, below: str, name: str = "loss") -> np.ndarray:
    """log10 of a column of one arm over that of another, each at its best rate, (seeds,)."""
    return np.log10(at_rate(data, above, name) / at_rate(data, below, name))


def usable(data: dict, arm: str) -> np.ndarray:
    """The largest usable rate of each counted seed, see ``usable_rates``; needs ``everywhere``."""
    rates = rates_of(data, arm)
    found = scores(of_arm(data, arm), "val_accuracy", lr=rates, seed=data["seeds"])
    return usable_rates(rates, found)


def arm_facts(data: dict) -> dict[str, object]:
    """For each arm, names that end in its own: rate, losses, accuracies in per cent, divergence."""
    found: dict[str, object] = {
        "seeds": len(data["seeds"]),
        "steps": data["base"]["steps"],
    }
    if size := data["base"]["image_size"]:
        found["image_size"] = size
    for arm in data["arms"]:
        test = 100 * at_rate(data, arm, "test_accuracy")
        lost = of_arm(data, arm).where(lr=best_lr(data, arm), seed=data["seeds"])
        found |= {
            f"lr_{arm}": best_lr(data, arm),
            f"loss_{arm}": at_rate(data, arm, "loss").mean(),
            f"end_{arm}": at_rate(data, arm, "end").mean(),
            f"test_{arm}": test.mean(),
            f"worst_{arm}": test.min(),
            f"diverged_{arm}": sum(one is not None for one in lost.entries("diverged_at")),
        }
    return found
