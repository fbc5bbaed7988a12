"""A control of R4: Batch Renormalization whose statistics count as constants.

The paper rejects this: it warns that with moving averages in the place of the batch's statistics
normalization and gradient work against each other, so that weights can grow without end. The
numbers of the forward pass are the same. The gradient of a group's inputs does not sum to zero
any more, so that a group of one class can move its class. Nothing else is changed. The rate is
chosen from the same grid, with the same tuning seeds.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import torch
from torch import Tensor

from bnlab.chapters.batch_renorm.methods import BASE, LRS, MEASURED, TUNING_SEEDS, Method
from bnlab.chapters.batch_renorm.microbatches import GroupRenorm, train_groups
from bnlab.norms.functional import moments
from bnlab.train import Run
from bnlab.verdicts.table import Table
from bnlab.verdicts.tuning import best_rate
from bnlab.verdicts.work import Work

METHODS = {
    "pure": Method("batch_renorm", batch_size=80, samples=8, arrangement="pure"),
    "two": Method("batch_renorm", samples=2),
}
RATES = (0.0001, 0.0003, 0.001, *LRS)
COLUMNS = ("what", "lr", "seed", *MEASURED)


class ConstantRenorm(GroupRenorm):
    """Batch Renormalization of groups; mean and deviation of the group get no gradient."""

    def _normalize(self, x: Tensor) -> Tensor:
        if not self.training:
            return super()._normalize(x)
        groups = x.reshape(-1, self.group, x.shape[1])
        _, mean, var = moments(groups.detach(), (1,))
        of_group = (var + self.eps).sqrt()
        sd = (self.running_var + self.eps).sqrt()
        r, d = self._correction(mean, of_group, self.running_mean, sd)
        self._move(mean.mean((0, 1)), of_group.mean((0, 1)), sd)
        y = (groups - mean) * (r / of_group) + d
        return torch.addcmul(self.bias, y.reshape(x.shape), self.weight)


def measure(
    seeds: Sequence[int], work: Work, tuning: list[list] | None = None, base: Run = BASE
) -> list[list]:
    """Rows of the grid with the tuning seeds, then of the best rate with the seeds that count.

    Args:
        seeds: that count.
        work: does the trainings, a grid at a time.
        tuning: rows of an earlier measurement, whose rates are taken over.
        base: what all trainings share.

    Returns:
        Rows of ``COLUMNS``; ``what`` is ``pure`` (groups of one class) or ``two`` (groups of two
        independent samples).
    """
    if tuning is None:
        grids = work.starmap(_rows, [(what, RATES, TUNING_SEEDS, base) for what in METHODS])
    else:
        grids = [Table(COLUMNS, tuning).where(what=w, seed=TUNING_SEEDS).rows for w in METHODS]
    plan = [
        (what, [best_lr(grid, what)], seeds, base)
        for what, grid in zip(METHODS, grids, strict=True)
    ]
    pairs = zip(grids, work.starmap(_rows, plan), strict=True)
    return [row for grid, counted in pairs for row in (*grid, *counted)]


def _rows(what: str, lrs: Sequence[float], seeds: Sequence[int], base: Run) -> list[list]:
    method, places = METHODS[what], list(itertools.product(lrs, seeds))
    runs = [method.run(lr, seed, base) for lr, seed in places]
    found = train_groups(runs, method.setting, ConstantRenorm)
    return [
        [what, lr, seed, float(f"{one['loss']:.5g}"), *(one[name] for name in MEASURED[1:])]
        for (lr, seed), one in zip(places, found, strict=True)
    ]


def best_lr(rows: list[list], what: str) -> float:
    """The best learning rate, by the validation accuracy; see ``best_rate``."""
    table = Table(COLUMNS, rows).where(what=what)
    return best_rate(RATES, table.column("val_running", lr=RATES, seed=TUNING_SEEDS))


def facts(rows: list[list]) -> dict[str, float]:
    """Numbers for sentences; accuracies in per cent, and how many trainings diverged."""
    found: dict[str, float] = {}
    for what in METHODS:
        table = Table(COLUMNS, rows).where(what=what)
        grid = table.where(seed=TUNING_SEEDS)
        counted = table.where(seed={seed for (seed,) in table.distinct("seed")} - {*TUNING_SEEDS})
        found[f"constant_lr_{what}"] = best_lr(rows, what)
        for name in ("train", "val_running", "test_running"):
            found[f"constant_{name}_{what}"] = 100 * counted.column(name).mean()
        found[f"constant_grid_{what}"] = len(grid)
        found[f"constant_broken_{what}"] = len(grid) - len(grid.where(diverged_at=None))
    return found
