"""Trainings behind claims of the clinic whose rows tell more than a race: how they are done again.

Where the row is about running statistics, the digest is that of weights and statistics.
"""

from __future__ import annotations

import copy
import math

import numpy as np
import torch
from torch import nn

from bnlab.chapters.clinic import (
    t1_modes,
    t3_frozen,
    t4_accumulation,
    t5_decay,
    t7_dropout,
    t8_penalty,
)
from bnlab.chapters.clinic.setting import (
    ENGINE,
    accuracy,
    recomputed,
    start_from,
    tensors,
    trained,
)
from bnlab.engines.engine import Engine
from bnlab.train import History, make_trainer
from bnlab.verdicts.again import Kind, Training, raced
from bnlab.verdicts.tuning import CHANCE

RACED = ("loss", "end", "val_accuracy", "test_accuracy", "diverged_at")
"""What ``bnlab.verdicts.race.outcome`` gives."""


def untold(_history: History) -> list:
    """For rows of which the evidence has nothing that a race tells."""
    return []


def vector_of(net: nn.Module) -> np.ndarray:
    """Weights and running statistics of a net, each in the order of the engine."""
    parts = [*net.parameters(), *(one for one in net.buffers() if one.is_floating_point())]
    return torch.cat([part.detach().flatten() for part in parts]).numpy()


def _modes(training: Training) -> tuple[list, np.ndarray]:
    """T1: test accuracy in both modes, and with statistics computed anew."""
    net, trainer = _net_with_cause(training)
    (train_x, _), test = tensors(trainer, "train"), tensors(trainer, "test")
    modes = accuracy(net, *test, batch_statistics=True), accuracy(net, *test)
    return [*modes, accuracy(recomputed(net, train_x), *test)], vector_of(net)


def _net_with_cause(training: Training) -> tuple[nn.Module, Engine]:
    if training.arm == "averaged":
        return t1_modes.averaged(training.run)
    trainer = trained(training.run)
    if training.arm == "one_class":
        t1_modes.see_one_class(trainer)
    return trainer.net, trainer


def _repaired(training: Training) -> tuple[list, np.ndarray]:
    """T2: the test accuracy with statistics computed anew, too."""
    row, trainer = raced(training)
    return [*row, CHANCE if row[-1] is not None else _anew(trainer)], _weights(trainer.net)


def _tuned(training: Training) -> tuple[list, np.ndarray]:
    """T3: a net that learns the old digits, then the new ones in one of the ways."""
    run = training.run
    usual = {"optimizer_options": {}, "net_options": {}}
    once = run.replace(**usual, lr=t3_frozen.BASE.lr, batch_size=t3_frozen.BASE.batch_size)
    first = t3_frozen.trained_on(make_trainer(once, ENGINE, "cpu"), t3_frozen.OLD, run.seed)
    net = copy.deepcopy(first.net)
    second = make_trainer(run, ENGINE, "cpu")
    start_from(second, net.state_dict())
    tuned = t3_frozen.trained_on(second, t3_frozen.NEW, run.seed).net
    old, new, val = (
        t3_frozen.of_classes(second, *what)
        for what in (("test", t3_frozen.OLD), ("test", t3_frozen.NEW), ("val", t3_frozen.NEW))
    )
    kept = accuracy(t3_frozen.with_head_of(tuned, net), *old)
    row = [accuracy(net, *old), kept, accuracy(tuned, *new), accuracy(tuned, *val)]
    return [*row, round(t3_frozen.movement(net, tuned), 4)], vector_of(tuned)


def _length(training: Training) -> tuple[list, np.ndarray]:
    """T5: length of the weights and mean gamma at the end, too."""
    row, trainer = raced(training)
    return [*row, *_length_and_gamma(trainer.net)], _weights(trainer.net)


def _length_and_gamma(net: nn.Module) -> list[float]:
    hidden, gammas = [], []
    for name, parameter in net.named_parameters():
        if parameter.ndim >= 2 and not name.startswith("head"):
            hidden.append(math.log(parameter.norm().item()))
        if parameter.ndim == 1 and name.endswith("weight"):
            gammas.append(parameter.mean().item())
    return [float(f"{one:.5g}") for one in (math.exp(np.mean(hidden)), float(np.mean(gammas)))]


def _shifts(training: Training) -> tuple[list, np.ndarray]:
    """T7: variances remembered over variances met, and accuracies with and without a repair."""
    row, trainer = raced(training)
    net, (train_x, _) = trainer.net, tensors(trainer, "train")
    found = t7_dropout.shifts(net, train_x)
    scores = accuracy(net, *tensors(trainer, "test")), _anew(trainer)
    return [*row, found, *scores], vector_of(net)


def _gradients(training: Training) -> tuple[list, np.ndarray]:
    """T4: distances between gradients, before and after the trainings."""
    run = training.run
    (_, *before), (_, *after) = t4_accumulation.differences(run)
    nets = (trained(one).net for one in (run, run.replace(norm="layer", norm_options={})))
    return before + after, np.concatenate([_weights(net) for net in nets])


def _influence(training: Training) -> tuple[list, np.ndarray]:
    """T8: leaks and penalties, before and after the training, in batches of each size."""
    run = training.run
    found = [
        number for *_, leak, penalty in t8_penalty.rows(run.norm, run) for number in (leak, penalty)
    ]
    return found, vector_of(trained(run).net)


def _anew(trainer: Engine) -> float:
    """Test accuracy with statistics computed anew."""
    net = recomputed(trainer.net, tensors(trainer, "train")[0])
    return accuracy(net, *tensors(trainer, "test"))


def _weights(net: nn.Module) -> np.ndarray:
    return torch.cat([one.detach().flatten() for one in net.parameters()]).numpy()


MODES = Kind("modes", t1_modes.COLUMNS[2:], _modes)
REPAIRED = Kind("repaired", (*RACED, "repaired"), _repaired)
TUNED = Kind("tuned", t3_frozen.COLUMNS[3:], _tuned)
GRADIENTS = Kind(
    "gradients",
    tuple(f"{name}{when}" for when in ("_start", "") for name in t4_accumulation.GRADIENTS),
    _gradients,
)
LENGTH = Kind("length", (*RACED, *t5_decay.COLUMNS[2:]), _length)
SHIFTS = Kind("shifts", (*RACED, *t7_dropout.COLUMNS[2:]), _shifts)
INFLUENCE = Kind(
    "influence",
    tuple(
        f"{name}_{size}{when}"
        for when in ("_start", "")
        for size in t8_penalty.SIZES
        for name in t8_penalty.COLUMNS[4:]
    ),
    _influence,
)
