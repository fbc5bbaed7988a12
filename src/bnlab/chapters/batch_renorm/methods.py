"""Methods, grids and tables that R2 to R5 of Ioffe 2017 share.

Settings were fixed before the seeds of ``SEEDS`` were run; they were chosen knowing trial runs
with the tuning seeds. Each method takes its own best learning rate, by the validation accuracy in
evaluation mode of the tuning seeds, over one grid for all. The whole grid is part of the evidence.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import asdict, astuple, dataclass, fields

import numpy as np

from bnlab.chapters.batch_renorm.microbatches import STATISTICS, Setting, train_groups
from bnlab.train import Run
from bnlab.verdicts.table import Table
from bnlab.verdicts.tuning import best_rate, check_same_run, check_seeds
from bnlab.verdicts.work import Work

SEEDS = tuple(range(540, 556))
TUNING_SEEDS = tuple(range(3))
LRS = (0.003, 0.01, 0.03, 0.1, 0.3, 1.0)
MOMENTUM = 0.01  # of running statistics: the paper's; others are a control of R3
STEPS = 400
BASE = Run(net="mlp", depth=4, width=64, batch_size=32, steps=STEPS, eval_every=STEPS)
PAPER = STEPS / 130_000  # the paper's best net takes about 130,000 steps (from memory)
GROUP_SIZE = 8  # channels a group of group norm

_LIMITS = {"r_max": 3.0, "d_max": 5.0}
SCHEDULES = {
    "paper": {
        "warmup": round(5000 * PAPER),
        "d_end": round(25000 * PAPER),
        "r_end": round(40000 * PAPER),
        **_LIMITS,
    },
    "at once": {"warmup": 0, "d_end": 1, "r_end": 1, **_LIMITS},
    "unlimited": {"warmup": 0, "d_end": 1, "r_end": 1, "r_max": 1e6, "d_max": 1e6},
    "too late": {"warmup": 5000, "d_end": 25000, "r_end": 40000, **_LIMITS},
}
"""Schedules of the limits of Batch Renormalization: the paper's, shortened as the training is; the
largest limits from the first step; practically none; and the paper's numbers as they are."""

MEASURED = (
    "loss",
    "train",
    *(f"{part}_{how}" for part in ("val", "test") for how in STATISTICS),
    "diverged_at",
)


@dataclass(frozen=True)
class Method:
    """What is trained, but for learning rate and seed.

    Attributes:
        norm: ``none``, ``batch``, ``batch_renorm`` or ``group``.
        batch_size: images over which the gradient is taken.
        samples: of these, how many share statistics; equal to ``batch_size`` for the whole batch.
        arrangement: see ``Setting``.
        scale: factor of the initial weights.
        schedule: a key of ``SCHEDULES``, for ``batch_renorm``.
        momentum: of the running statistics.
    """

    norm: str
    batch_size: int = 32
    samples: int = 32
    arrangement: str = "iid"
    scale: float = 1.0
    schedule: str = "paper"
    momentum: float = MOMENTUM

    def run(self, lr: float, seed: int, base: Run = BASE) -> Run:
        """The Run with this learning rate and seed; all else is that of ``base``."""
        options: dict[str, object] = {}
        if self.norm == "group":
            options = {"group_size": GROUP_SIZE}
        elif self.norm != "none":
            options = {"momentum": self.momentum}
        if self.norm == "batch_renorm":
            options["schedule"] = SCHEDULES[self.schedule]
        own = {"norm": self.norm, "norm_options": options, "batch_size": self.batch_size}
        return base.replace(**own, lr=lr, seed=seed)

    @property
    def setting(self) -> Setting:
        """What a Run does not say."""
        return Setting(self.samples, self.arrangement, self.scale)


COLUMNS = (*(field.name for field in fields(Method)), "lr", "seed", *MEASURED)


def rows(
    method: Method, lrs: Sequence[float], seeds: Sequence[int], base: Run = BASE
) -> list[list]:
    """Train a method at each rate with each seed, all side by side; a row a training."""
    places = list(itertools.product(lrs, seeds))
    found = train_groups([method.run(lr, seed, base) for lr, seed in places], method.setting)
    return [
        [*astuple(method), lr, seed, float(f"{one['loss']:.5g}"), *(one[n] for n in MEASURED[1:])]
        for (lr, seed), one in zip(places, found, strict=True)
    ]


def measured(
    seeds: Sequence[int],
    tuned: Sequence[Method],
    work: Work,
    tuning: dict | None = None,
    fixed: Callable[[dict], Sequence[tuple[Method, float]]] | None = None,
    base: Run = BASE,
    lrs: Sequence[float] = LRS,
) -> dict:
    """Choose rates with the tuning seeds, then train with the seeds that count.

    The nets of a method lie side by side, and their sums depend on how many there are: a method
    with its rates and seeds is one part of the work.

    Args:
        seeds: that count.
        tuned: methods that take their own best rate.
        work: does the trainings, a method at a time.
        tuning: an earlier measurement, whose rates are taken over.
        fixed: given the table of the tuning, further methods with a rate, such as controls.
        base: what all trainings share.
        lrs: the grid.

    Returns:
        ``base``, ``seeds``, ``tuning_seeds``, ``columns`` and ``rows``.

    Raises:
        ValueError: for seeds that chose the rates, or rates that were chosen for another Run.
    """
    check_seeds(seeds, TUNING_SEEDS)
    if tuning:
        check_same_run(tuning, base)
        grid = Table.of(tuning).where(seed=TUNING_SEEDS).rows
    else:
        grid = _joined(work.starmap(rows, [(one, lrs, TUNING_SEEDS, base) for one in tuned]))
    data = {
        "engine": "stack",
        "base": base.to_dict(),
        "seeds": list(seeds),
        "tuning_seeds": list(TUNING_SEEDS),
        "columns": list(COLUMNS),
        "rows": grid,
    }
    plan = dict.fromkeys(
        [*((method, best_lr(data, method)) for method in tuned), *(fixed or _none)(data)]
    )
    counted = work.starmap(rows, [(method, [lr], seeds, base) for method, lr in plan])
    return {**data, "rows": grid + _joined(counted)}


def _joined(found: list[list[list]]) -> list[list]:
    return [row for each in found for row in each]


def _none(_data: dict) -> list:
    return []


def select(
    data: dict, method: Method, lr: float, name: str, seeds: Sequence[int] | None = None
) -> np.ndarray:
    """One column of a method at a rate, seed by seed: (seeds,).

    Raises:
        KeyError: if that was not measured.
    """
    table = Table.of(data).where(**asdict(method), lr=lr)
    return table.column(name, seed=data["seeds"] if seeds is None else seeds)


def rates(data: dict, method: Method) -> list[float]:
    """The learning rates among which a method has chosen, in rising order."""
    table = Table.of(data).where(**asdict(method), seed=data["tuning_seeds"])
    return sorted(lr for (lr,) in table.distinct("lr"))


def best_lr(data: dict, method: Method) -> float:
    """The best learning rate of a method, by its validation accuracy; see ``best_rate``.

    Raises:
        KeyError: if the method has no grid.
    """
    lrs, seeds = rates(data, method), data["tuning_seeds"]
    if not lrs:
        raise KeyError(method)
    table = Table.of(data).where(**asdict(method))
    return best_rate(lrs, table.column("val_running", lr=lrs, seed=seeds))


def at_best(data: dict, method: Method, name: str) -> np.ndarray:
    """One column of a method at its best rate, (seeds,)."""
    return select(data, method, best_lr(data, method), name)


def describe(data: dict, found: dict, label: str, method: Method) -> None:
    """Add to ``found`` what sentences may say of a method at its best: rate, loss, accuracies."""
    found[f"lr_{label}"] = best_lr(data, method)
    found[f"loss_{label}"] = at_best(data, method, "loss").mean()
    for name in MEASURED[1:-1]:
        found[f"{name}_{label}"] = 100 * at_best(data, method, name).mean()
