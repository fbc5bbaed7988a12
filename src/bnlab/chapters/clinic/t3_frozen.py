"""T3: a net is frozen with ``requires_grad=False`` and fine-tuned; its statistics go on moving.

A net learns the digits 0 to 4. Then its last layer learns 5 to 9, on batches of four, in one of
three ways:

    free     all of the net is trained
    head     the last layer alone is trained, the net stays in training mode: what
             ``requires_grad=False`` for all the rest comes to
    frozen   the same, and the normalizers stay in evaluation mode

*Old* is the test accuracy on 0 to 4 of the net after that with the last layer that it had before:
what is left of a body that other heads use. *New* is the test accuracy on 5 to 9, in evaluation
mode. The last layer has ten outputs, and all ten count for both. Each way has its own best rate for
the second training, by validation accuracy on 5 to 9 of the tuning seeds.
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
    TUNING_SEEDS,
    accuracy,
    batches_of,
    start_from,
    tensors,
    updated,
)
from bnlab.engines.engine import Engine
from bnlab.norms import BatchNorm
from bnlab.train import Run, make_trainer, threads
from bnlab.verdicts.table import Table
from bnlab.verdicts.tuning import best_rate, check_same_run, check_seeds
from bnlab.verdicts.work import HERE, Work

SEEDS = tuple(range(1273, 1289))
OLD, NEW = (0, 1, 2, 3, 4), (5, 6, 7, 8, 9)
BATCH = 4
"""Images a batch of the second training."""
RATES = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0)
"""Of the second training; the first has that of ``BASE``."""
WAYS: dict[str, dict[str, object]] = {
    "free": {},
    "head": {"optimizer_options": {"trained": "head"}},
    "frozen": {
        "optimizer_options": {"trained": "head"},
        "net_options": {"frozen_statistics": True},
    },
}
COLUMNS = ("way", "lr", "seed", "before", "old", "new", "val_new", "moved")


def measure(
    seeds: Sequence[int] = SEEDS,
    work: Work = HERE,
    tuning: dict | None = None,
    base: Run = BASE,
    rates: Sequence[float] = RATES,
) -> dict:
    """Train on the old digits, then in each way on the new ones.

    Returns:
        ``base``, ``columns`` and ``rows``, one a way, rate and seed: the accuracy on the old digits
        before and after, those on the new ones, and how far the running means moved, as a mean over
        channels and layers, in standard deviations of the channel before.
    """
    check_seeds(seeds, TUNING_SEEDS)
    if tuning:
        check_same_run(tuning, base)
        rows = Table.of(tuning).where(seed=TUNING_SEEDS).rows
    else:
        rows = work.starmap(row, _plan(itertools.product(WAYS, rates), TUNING_SEEDS, base))
    data = {
        "engine": ENGINE,
        "base": base.to_dict(),
        "seeds": list(seeds),
        "tuning_seeds": list(TUNING_SEEDS),
        "columns": list(COLUMNS),
        "rows": rows,
    }
    chosen = [(way, best_lr(data, way)) for way in WAYS]
    return {**data, "rows": rows + work.starmap(row, _plan(chosen, seeds, base))}


def _plan(
    ways: Sequence[tuple[str, float]], seeds: Sequence[int], base: Run
) -> list[tuple[str, float, int, Run]]:
    return [(way, lr, seed, base) for way, lr in ways for seed in seeds]


def repeat(data: dict, seeds: Sequence[int]) -> dict:
    """The same trainings for some seeds, at the rates that were chosen."""
    return measure(seeds, tuning=data, base=Run.from_dict(data["base"]))


@threads(1)
def row(way: str, lr: float, seed: int, base: Run) -> list:
    """One training on the old digits and one on the new ones, ``COLUMNS``."""
    run = base.replace(seed=seed)
    net = copy.deepcopy(trained_on(make_trainer(run, ENGINE, "cpu"), OLD, seed).net)
    second = make_trainer(run.replace(**WAYS[way], lr=lr, batch_size=BATCH), ENGINE, "cpu")
    start_from(second, net.state_dict())
    tuned = trained_on(second, NEW, seed).net
    old, new, val = (
        of_classes(second, *what) for what in (("test", OLD), ("test", NEW), ("val", NEW))
    )
    kept = accuracy(with_head_of(tuned, net), *old)
    scores = accuracy(net, *old), kept, accuracy(tuned, *new), accuracy(tuned, *val)
    return [way, lr, seed, *scores, round(movement(net, tuned), 4)]


def trained_on(trainer: Engine, classes: Sequence[int], seed: int) -> Engine:
    """The engine after all steps of its Run on images of these classes."""
    run, labels = trainer.run, trainer.data.train_y
    trainer.net.train()
    *_, last = updated(trainer, batches_of(labels, classes, seed, run.batch_size, run.steps))
    return last


def of_classes(
    trainer: Engine, part: str, classes: Sequence[int]
) -> tuple[torch.Tensor, torch.Tensor]:
    """The images of these classes in a part of the data."""
    x, y = tensors(trainer, part)
    wanted = torch.isin(y, torch.tensor(classes))
    return x[wanted], y[wanted]


def with_head_of(net: nn.Module, other: nn.Module) -> nn.Module:
    """A copy of a net with the last layer of another one."""
    net = copy.deepcopy(net)
    net.head.load_state_dict(other.head.state_dict())
    return net


def movement(before: nn.Module, after: nn.Module) -> float:
    """How far the running means moved: mean of |difference| / standard deviation before."""
    pairs = zip(*(_norms(net) for net in (before, after)), strict=True)
    steps = [(b.running_mean - a.running_mean).abs() / a.running_var.sqrt() for a, b in pairs]
    return torch.cat(steps).mean().item()


def _norms(net: nn.Module) -> list[BatchNorm]:
    return [module for module in net.modules() if isinstance(module, BatchNorm)]


def best_lr(data: dict, way: str) -> float:
    """The rate of the second training with the best validation accuracy on the new digits."""
    table = Table.of(data).where(way=way, seed=data["tuning_seeds"])
    rates = sorted(lr for (lr,) in table.distinct("lr"))
    return best_rate(rates, table.column("val_new", lr=rates, seed=data["tuning_seeds"]))


def column(data: dict, way: str, name: str) -> np.ndarray:
    """A column of a way at its best rate, (seeds,)."""
    table = Table.of(data).where(way=way, lr=best_lr(data, way))
    return table.column(name, seed=data["seeds"])


def values(data: dict) -> dict[str, np.ndarray]:
    """The effects of T3, one number a seed; what is kept, to nine digits."""
    forgotten = {way: column(data, way, "before") - column(data, way, "old") for way in WAYS}
    kept = np.maximum(np.abs(forgotten["frozen"]), column(data, "frozen", "moved"))
    return {
        "drift": forgotten["head"],
        "kept": kept.round(9),
        "new": column(data, "frozen", "new") - column(data, "head", "new"),
        "free": column(data, "free", "new") - column(data, "frozen", "new"),
    }


def facts(data: dict) -> dict[str, object]:
    """Numbers for sentences about T3: accuracies in per cent, movements as they are."""
    found: dict[str, object] = {"seeds": len(data["seeds"]), "steps": data["base"]["steps"]}
    for way in WAYS:
        found[f"lr_{way}"] = best_lr(data, way)
        for name in ("before", "old", "new"):
            found[f"{way}_{name}"] = 100 * column(data, way, name).mean()
        found[f"{way}_moved"] = column(data, way, "moved").mean()
    return found
