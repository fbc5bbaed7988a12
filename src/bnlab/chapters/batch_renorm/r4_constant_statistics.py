"""A control of R4: Batch Renormalization whose statistics count as constants.

The numbers of the forward pass are the same. The gradient of a group's inputs does not sum to zero
any more, so that a group of one class can move its class. Nothing else is changed. The rate is
chosen from the same grid, with the same tuning seeds.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence

import numpy as np
import torch
from torch import Tensor

from bnlab.chapters.batch_renorm.methods import LRS, MEASURED, TUNING_SEEDS, Method
from bnlab.chapters.batch_renorm.microbatches import GroupRenorm, train_groups
from bnlab.norms.functional import moments

METHODS = {
    "pure": Method("batch_renorm", batch_size=80, samples=8, arrangement="pure"),
    "two": Method("batch_renorm", samples=2),
}
COLUMNS = ("what", "lr", "seed", *MEASURED)

Progress = Callable[[Iterable], Iterable]


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


def measure(seeds: Sequence[int], progress: Progress, tuning: list[list] | None = None) -> list:
    """Rows of the grid with the tuning seeds, then of the best rate with the seeds that count.

    Args:
        seeds: that count.
        progress: wraps the loop over what is trained.
        tuning: rows of an earlier measurement, whose rates are taken over.

    Returns:
        Rows of ``COLUMNS``; ``what`` is ``pure`` (groups of one class) or ``two`` (groups of two
        independent samples).
    """
    found = []
    for what in progress(METHODS):
        grid = _rows(what, LRS, TUNING_SEEDS) if tuning is None else _tuned(tuning, what)
        found += [*grid, *_rows(what, [best_lr(grid, what)], seeds)]
    return found


def _rows(what: str, lrs: Sequence[float], seeds: Sequence[int]) -> list[list]:
    method, places = METHODS[what], list(itertools.product(lrs, seeds))
    runs = [method.run(lr, seed) for lr, seed in places]
    found = train_groups(runs, method.setting, ConstantRenorm)
    return [
        [what, lr, seed, float(f"{one['loss']:.5g}"), *(one[name] for name in MEASURED[1:])]
        for (lr, seed), one in zip(places, found, strict=True)
    ]


def _tuned(rows: list[list], what: str) -> list[list]:
    return [row for row in rows if row[0] == what and row[2] in TUNING_SEEDS]


def _column(rows: list[list], name: str) -> np.ndarray:
    return np.array([row[COLUMNS.index(name)] for row in rows])


def best_lr(rows: list[list], what: str) -> float:
    """The rate with the highest mean validation accuracy over the tuning seeds."""
    grid = _tuned(rows, what)
    scores = [_column([r for r in grid if r[1] == lr], "val_running").mean() for lr in LRS]
    return LRS[int(np.argmax(scores))]


def facts(rows: list[list]) -> dict[str, float]:
    """Numbers for sentences; accuracies in per cent, and how many trainings diverged."""
    found: dict[str, float] = {}
    for what in METHODS:
        grid = _tuned(rows, what)
        counted = [row for row in rows if row[0] == what and row[2] not in TUNING_SEEDS]
        found[f"constant_lr_{what}"] = best_lr(rows, what)
        for name in ("train", "val_running", "test_running"):
            found[f"constant_{name}_{what}"] = 100 * _column(counted, name).mean()
        found[f"constant_grid_{what}"] = len(grid)
        broken = [row for row in grid if row[COLUMNS.index("diverged_at")] is not None]
        found[f"constant_broken_{what}"] = len(broken)
    return found
