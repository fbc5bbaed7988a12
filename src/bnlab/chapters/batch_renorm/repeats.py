"""The trainings behind R2 and R5, to be repeated row by row: those that the effects compare."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from dataclasses import asdict

import numpy as np

from bnlab.chapters.batch_renorm import methods, r2_speed, r5_scale
from bnlab.chapters.batch_renorm.methods import COLUMNS, MEASURED, Method
from bnlab.chapters.batch_renorm.one_by_one import start, train_alone
from bnlab.train import Run
from bnlab.verdicts.again import Kind, Training, weights_of
from bnlab.verdicts.table import Table

BEHIND = COLUMNS.index("seed") + 1
AS_IN_RACES = {"val_running": "val_accuracy", "test_running": "test_accuracy"}
"""Columns that a race has too, by the names that they have there."""


def arm_name(method: Method, lr: float) -> str:
    """Such as ``batch_0.3``, and ``batch_0.3_4`` from weights four times as large."""
    return f"{method.norm}_{lr:g}" + ("" if method.scale == 1 else f"_{method.scale:g}")


def trainings_of_methods(data: dict, places: Iterable[tuple[Method, float]]) -> list[Training]:
    """The counted trainings of methods at rates, an arm each."""
    base, table, found = Run.from_dict(data["base"]), Table.of(data), []
    for method, lr in places:
        kind = kind_of(method)
        for row in table.where(**asdict(method), lr=lr, seed=data["seeds"]).rows:
            run = method.run(lr, row[BEHIND - 1], base)
            found.append(Training(arm_name(method, lr), run.seed, run, row[BEHIND:], kind=kind))
    return found


def kind_of(method: Method) -> Kind:
    """A race with more columns, from weights of some scale."""
    columns = tuple(AS_IN_RACES.get(name, name) for name in MEASURED)
    train = functools.partial(_alone, method=method)
    return Kind("race", columns, train, {"scale": method.scale})


def _alone(training: Training, method: Method) -> tuple[list, np.ndarray]:
    run = training.run
    told = train_alone(run, method.setting)
    # What is told keeps no net: the same training once more, without looks.
    trainer = start(run, method.scale)
    for _ in trainer.steps(looks=False):
        pass
    return [told[name] for name in MEASURED], weights_of(trainer)


def r2_places(data: dict) -> list[tuple[Method, float]]:
    """BatchNorm and Batch Renormalization, each at its best rate."""
    return [(each, methods.best_lr(data, each)) for each in (r2_speed.BATCH, r2_speed.RENORM)]


def r5_places(data: dict, norm: str) -> list[tuple[Method, float]]:
    """A net from weights of each scale, at its best rate for weights as they are."""
    return [r5_scale.at(data, norm, scale) for scale in r5_scale.SCALES]


REPEATS: dict[str, Callable[[dict], list[Training]]] = {
    "R2": lambda data: trainings_of_methods(data, r2_places(data)),
    "R5": lambda data: trainings_of_methods(
        data, [*r5_places(data, "batch_renorm"), *r5_places(data, "none")]
    ),
}
