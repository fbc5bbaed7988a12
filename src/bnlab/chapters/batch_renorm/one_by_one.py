"""Trainings of whole batches, one by one on the compiled engine, for R2 and R5 of Ioffe 2017.

What is told of them is what ``microbatches`` tells of nets side by side. There sums depend on how
many nets there are; here a training is the same to the last bit wherever and beside whatever it is
done.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import astuple

import numpy as np
import torch
from torch import nn

from bnlab.chapters.batch_renorm import methods
from bnlab.chapters.batch_renorm.arrangements import whole_groups
from bnlab.chapters.batch_renorm.methods import BASE, TUNING_SEEDS, Method
from bnlab.chapters.batch_renorm.microbatches import LATEST, RECOMPUTED, Setting
from bnlab.engines.engine import Engine
from bnlab.errors import check_name
from bnlab.norms import recompute_statistics
from bnlab.norms.kept import kept_buffers
from bnlab.runs.evaluate import evaluate
from bnlab.train import Run, make_trainer, threads
from bnlab.verdicts.table import Table
from bnlab.verdicts.tuning import CHANCE, check_same_run, check_seeds, mean_loss
from bnlab.verdicts.work import Work

ENGINE, STACK = ENGINES = ("compiled", "stack")


def start(run: Run, scale: float = 1.0) -> Engine:
    """The net of a Run before its training, with all weights times ``scale``; biases are 0."""
    trainer = make_trainer(run, ENGINE, "cpu")
    with torch.no_grad():
        for module in trainer.net.modules():
            if isinstance(module, nn.Linear):
                module.weight.mul_(scale)
    trainer.heap.write_state(trainer.net)
    return trainer


def accuracies(trainer: Engine, part: str, size: int) -> dict[str, float]:
    """Accuracies on a part of the data by the statistics that are used, for batches of ``size``.

    As ``GroupTrainer.accuracies``. Only the recomputed statistics take PyTorch: so many images at
    once do not fit into a program.
    """
    x, y = trainer.part(part)
    batches = whole_groups(y, size, "iid").reshape(-1, size)
    seen = [trainer.evaluate(x[one], y[one], batch_statistics=True)[1] for one in batches]
    found = {"batch": float(np.mean(seen)), "running": trainer.evaluate(x, y)[1]}
    net, images = trainer.net, torch.tensor(trainer.data.train_x[:RECOMPUTED])
    with kept_buffers(net):
        recompute_statistics(net, [images])
        found["recomputed"] = evaluate(net, torch.tensor(x), torch.tensor(y))[1]
    return found


@threads(1)
def train_alone(run: Run, setting: Setting) -> dict[str, object]:
    """Train a Run whose batches share statistics; what is told is that of ``train_groups``.

    Raises:
        ValueError: for groups that are not the whole batch, or alike.
    """
    if (setting.group, setting.arrangement) != (run.batch_size, "iid"):
        raise ValueError(
            f"the compiled engine takes whole batches of independent samples, got {setting}: "
            "train with engine='stack'."
        )
    trainer, diverged_at = start(run, setting.scale), None
    losses, right = [], []
    for record in trainer.steps(looks=False):
        if record.diverged:
            diverged_at = record.step
        elif record.step:
            losses.append(record.loss)
            right.append(record.accuracy)
    scores = dict.fromkeys(methods.MEASURED[1:-1], math.nan)
    if diverged_at is None:
        scores["train"] = np.mean(right[-LATEST:])
        for part in ("val", "test"):
            found = accuracies(trainer, part, setting.group)
            scores |= {f"{part}_{how}": score for how, score in found.items()}
    lost = diverged_at is not None
    told = {name: CHANCE if lost else round(float(one), 4) for name, one in scores.items()}
    return {"loss": mean_loss(losses, run.steps), **told, "diverged_at": diverged_at}


def row(method: Method, lr: float, seed: int, base: Run = BASE) -> list:
    """The row of a training with this rate and seed, see ``COLUMNS``."""
    found = train_alone(method.run(lr, seed, base), method.setting)
    return [*astuple(method), lr, seed, *(found[name] for name in methods.MEASURED)]


def measured(
    seeds: Sequence[int],
    tuned: Sequence[Method],
    work: Work,
    tuning: dict | None,
    fixed: Callable[[dict], Sequence[tuple[Method, float]]],
    base: Run,
    engine: str = ENGINE,
) -> dict:
    """As ``methods.measured``, which a stack is left to; here each training is a part of the work.

    Raises:
        ValueError: as there, and for an unknown engine.
    """
    check_name("engine", engine, ENGINES)
    if engine == STACK:
        return methods.measured(seeds, tuned, work, tuning, fixed, base)
    check_seeds(seeds, TUNING_SEEDS)
    if tuning:
        check_same_run(tuning, base)

    def trained(places: Iterable[tuple[Method, float]], some: Sequence[int]) -> list[list]:
        return work.starmap(row, [(*place, seed, base) for place in places for seed in some])

    data = {
        "engine": engine,
        "base": base.to_dict(),
        "seeds": list(seeds),
        "tuning_seeds": list(TUNING_SEEDS),
        "columns": list(methods.COLUMNS),
        "rows": Table.of(tuning).where(seed=TUNING_SEEDS).rows if tuning else [],
    }
    if not tuning:
        data["rows"] = trained(itertools.product(tuned, methods.LRS), TUNING_SEEDS)
    best = [(method, methods.best_lr(data, method)) for method in tuned]
    plan = dict.fromkeys([*best, *fixed(data)])
    return {**data, "rows": data["rows"] + trained(plan, seeds)}


def alone_or_all(data: dict, seeds: Sequence[int]) -> Sequence[int]:
    """Which seeds have to be trained again to get the rows of some seeds again."""
    return seeds if data["engine"] == ENGINE else data["seeds"]
