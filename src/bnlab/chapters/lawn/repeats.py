"""The trainings behind the gains of LW3, each method at its best place, row by row."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from bnlab.chapters.lawn import lw3_optimizers
from bnlab.chapters.lawn.gains import OPTIMIZERS
from bnlab.chapters.lawn.methods import ALONE, COLUMNS, LAWN, Method, best
from bnlab.chapters.lawn.watch import ENDS, ended
from bnlab.train import Run, make_trainer
from bnlab.verdicts.again import ENGINE, Kind, Training, weights_of
from bnlab.verdicts.table import Table

BEHIND = COLUMNS.index("seed") + 1


def arm_name(optimizer: str, how: str) -> str:
    """Such as ``adam_lawn``."""
    return f"{optimizer}_{how}"


def lw3_trainings(data: dict) -> list[Training]:
    """Both optimizers alone and with LAWN, each at its best place."""
    base, rows, found = Run.from_dict(data["base"]), Table.of(data), []
    for optimizer in OPTIMIZERS:
        for how in (ALONE, LAWN):
            method = Method(optimizer, how, lw3_optimizers.BATCH)
            place = best(data, method)
            for row in rows.where(**place.wanted(), seed=data["seeds"]).rows:
                run = method.run(base, place.lr, place.amount, row[BEHIND - 1])
                arm = arm_name(optimizer, how)
                found.append(Training(arm, run.seed, run, row[BEHIND:], kind=ENDED))
    return found


def _ended(training: Training) -> tuple[list, np.ndarray]:
    trainer = make_trainer(training.run, ENGINE, "cpu")
    return ended(trainer), weights_of(trainer)


ENDED = Kind("ended", ENDS, _ended)

REPEATS: dict[str, Callable[[dict], list[Training]]] = {"LW3": lw3_trainings}
