"""Trainings that are watched on their way, for LW1 and LW2: tables and sentences."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import astuple

import numpy as np

from bnlab.chapters.lawn.methods import KEYS, LAWN, Place
from bnlab.chapters.lawn.watch import SEEN, watched
from bnlab.train import Run
from bnlab.verdicts.table import Table
from bnlab.verdicts.work import Work

COLUMNS = (*KEYS, "lr", "amount", "seed", *SEEN)


def seen(work: Work, base: Run, places: Iterable[Place], seeds: Sequence[int]) -> dict:
    """Watch a training for each place and seed: a table, see ``watched``."""
    items = [(base, place, seed) for place in dict.fromkeys(places) for seed in seeds]
    return {"seen_columns": list(COLUMNS), "seen": work.starmap(_row, items)}


def _row(base: Run, place: Place, seed: int) -> list:
    found = watched(place.method.trainer(base, place.lr, place.amount, seed))
    return [*astuple(place.method), place.lr, place.amount, seed, *found.values()]


def along(data: dict, place: Place, name: str) -> np.ndarray:
    """Something by seed and look, (seeds, looks); see ``watched``."""
    table = Table(data["seen_columns"], data["seen"]).where(**place.wanted())
    return table.column(name, seed=data["seeds"])


def at_end(data: dict, place: Place, name: str) -> np.ndarray:
    """Something at the end of the training, (seeds,)."""
    return along(data, place, name)[:, -1]


def stopped(data: dict, place: Place, name: str = "test") -> np.ndarray:
    """Something at the look with the best validation accuracy, the first of ties, (seeds,)."""
    numbers, best = along(data, place, name), along(data, place, "val").argmax(1)
    return numbers[np.arange(len(best)), best]


def describe_seen(data: dict, found: dict, label: str, place: Place) -> None:
    """Add to ``found`` what sentences may say of a place; accuracies in per cent.

    ``amount`` is the weight decay, or the free phase in per cent of the training; ``moved`` how far
    the weights go between the last two looks, in per cent of their norm; ``across`` the tangent
    part in per cent of the gradient; ``stopped_at`` the step of the best validation accuracy.
    """
    share = 100 if place.method.how == LAWN else 1
    found[f"{label}_lr"], found[f"{label}_amount"] = place.lr, share * place.amount
    for name in ("val", "test"):
        found[f"{label}_{name}"] = 100 * at_end(data, place, name).mean()
    for name in ("loss", "weights", "logits", "gradient", "tangent"):
        found[f"{label}_{name}"] = 10 ** np.log10(at_end(data, place, name)).mean()
    found[f"{label}_moved"] = 100 * at_end(data, place, "moved").mean()
    across = at_end(data, place, "tangent") / at_end(data, place, "gradient")
    found[f"{label}_across"] = 100 * across.mean()
    found[f"{label}_stopped_test"] = 100 * stopped(data, place).mean()
    found[f"{label}_stopped_at"] = float(stopped(data, place, "step").mean())
