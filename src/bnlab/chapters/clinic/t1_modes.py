"""T1: right in training mode, wrong in evaluation mode; three causes, and one repair for all.

    slow        the momentum of the running statistics is 0.001: they have not arrived
    one_class   the last batches hold images of the last class alone, as data in order of class
                have them. The weights do not move any more: the rate has fallen to nothing, or it
                is an evaluation for which training mode was left on
    averaged    the weights are an average over the steps, in a copy of the net that never saw a
                batch: its statistics are those of the start
    usual       none of these, for comparison

The repair computes the statistics anew, from the training images, and leaves the weights alone: so
what it recovers was lost by the statistics.
"""

from __future__ import annotations

import copy
import itertools
from collections.abc import Sequence

import numpy as np
import torch
from torch import nn

from bnlab.chapters.clinic.setting import (
    BASE,
    ENGINE,
    accuracy,
    batches_of,
    recomputed,
    stepped,
    tensors,
    trained,
)
from bnlab.engines.engine import Engine
from bnlab.train import Run, threads
from bnlab.verdicts.table import Table
from bnlab.verdicts.work import HERE, Work

SEEDS = tuple(range(1241, 1257))
BASE = BASE.replace(steps=200, eval_every=200)
CAUSES = ("slow", "one_class", "averaged")
USUAL = "usual"
SLOW = 0.001
LAST = 20
"""Batches of one class at the end."""
AVERAGED = 0.98
"""Share of the old average that a step of the exponential moving average keeps."""
COLUMNS = ("cause", "seed", "train_mode", "eval_mode", "repaired")


def run_of(cause: str, seed: int, base: Run = BASE) -> Run:
    """What is trained."""
    run = base.replace(seed=seed)
    return run.replace(norm_options={"momentum": SLOW}) if cause == "slow" else run


def measure(
    seeds: Sequence[int] = SEEDS,
    work: Work = HERE,
    base: Run = BASE,
    causes: Sequence[str] = (*CAUSES, USUAL),
) -> dict:
    """Train with each cause, and take the test accuracy in both modes and after the repair.

    Returns:
        ``base``, ``columns`` and ``rows``, one a cause and seed.
    """
    plan = [(cause, seed, base) for cause, seed in itertools.product(causes, seeds)]
    return {
        "engine": ENGINE,
        "base": base.to_dict(),
        "causes": list(causes),
        "seeds": list(seeds),
        "columns": list(COLUMNS),
        "rows": work.starmap(row, plan),
    }


def repeat(data: dict, seeds: Sequence[int]) -> dict:
    """The same trainings for some seeds."""
    return measure(seeds, base=Run.from_dict(data["base"]), causes=data["causes"])


@threads(1)
def row(cause: str, seed: int, base: Run) -> list:
    """One training, ``COLUMNS``."""
    run = run_of(cause, seed, base)
    net, trainer = averaged(run) if cause == "averaged" else (None, trained(run))
    if cause == "one_class":
        see_one_class(trainer)
    net = net or trainer.net
    (train_x, _), test = tensors(trainer, "train"), tensors(trainer, "test")
    modes = accuracy(net, *test, batch_statistics=True), accuracy(net, *test)
    return [cause, seed, *modes, accuracy(recomputed(net, train_x), *test)]


def see_one_class(trainer: Engine) -> None:
    """Let the last batches pass in training mode; the statistics move, the weights do not."""
    run, labels = trainer.run, trainer.data.train_y
    last = [trainer.data.num_classes - 1]
    for step, numbers in enumerate(batches_of(labels, last, run.seed, run.batch_size, LAST), 1):
        trainer.gradient(*trainer.batch(numbers, step))


def averaged(run: Run) -> tuple[nn.Module, Engine]:
    """A copy made before the first step, whose weights follow the net's; and the engine."""
    average = None
    for trainer in stepped(run):
        if average is None:
            average = copy.deepcopy(trainer.net)
            continue
        with torch.no_grad():
            for mean, now in zip(average.parameters(), trainer.net.parameters(), strict=True):
                mean.lerp_(now, 1 - AVERAGED)
    return average, trainer


def lost(data: dict, cause: str, name: str = "eval_mode") -> np.ndarray:
    """Test accuracy in training mode minus that in evaluation mode, or after the repair."""
    table = Table.of(data).where(cause=cause)
    return table.column("train_mode", seed=data["seeds"]) - table.column(name, seed=data["seeds"])


def values(data: dict) -> dict[str, np.ndarray]:
    """The effects of T1, one number a seed."""
    found = {f"{cause}_repaired": lost(data, cause, "repaired") for cause in CAUSES}
    found |= {f"{cause}_lost": lost(data, cause) for cause in CAUSES}
    return {**found, "usual": lost(data, USUAL)}


def facts(data: dict) -> dict[str, object]:
    """Numbers for sentences about T1: accuracies in per cent."""
    found: dict[str, object] = {"seeds": len(data["seeds"]), "steps": data["base"]["steps"]}
    for cause in data["causes"]:
        table = Table.of(data).where(cause=cause)
        for name in COLUMNS[2:]:
            column = 100 * table.column(name, seed=data["seeds"])
            found |= {f"{cause}_{name}": column.mean(), f"{cause}_{name}_least": column.min()}
    return found
