"""The trainings of N1, N2, N3 and N5: nets alone, and supernets with all or some weights trained.

A seed of a measurement is a unit of its own: it draws its architectures, its nets alone have seeds
that no other unit has, and so has its supernet. Units share nothing but the space.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from torch.nn import ModuleList
from torch.optim import SGD

from bnlab.chapters.bn_nas.space import BASE, drawn
from bnlab.nets.architecture import indicator_table, train_only_norms
from bnlab.nets.supernet import Path, Supernet
from bnlab.norms import recompute_statistics
from bnlab.runs.evaluate import evaluate
from bnlab.train import Run, Trainer, threads
from bnlab.verdicts.work import Work

TRAINED = ("all", "norms", "last")
"""What is trained in a supernet: all weights; those of all normalizers; of each operation the last
normalizer's, as in the official code."""

RATES = {"all": 0.1, "norms": 1.0, "last": 0.5}
"""Of each kind the rate at which the paths were most accurate on validation images at the end, in
the search for a set-up (``setups``). With the last normalizers alone they stay near chance at any.
"""

STEPS = 400
MARKS = (40, 100, 200, 400)
"""Steps of a supernet after which it is looked at: a tenth, a quarter, a half, all."""

BATCHES, BATCH = 4, 64
"""Training images with which the statistics of a path are made anew before it is evaluated."""

ALONE = (1, 2)
"""Which of the seeds of a unit train its nets alone: one measures the truth, one its noise."""

WIDEST = 100


def own(seed: int, which: int) -> int:
    """Seed number ``which`` of those that belong to a unit alone."""
    return WIDEST * seed + which


@threads(1)
def alone(base: Run, path: Path, seed: int) -> float:
    """Test accuracy of the net on a path, trained alone."""
    run = base.replace(net_options={**base.net_options, "path": list(path)}, seed=seed)
    trainer = Trainer(run, "cpu")
    for _ in trainer.steps():
        pass
    return round(trainer.test_accuracy(), 4)


def truth(work: Work, base: Run, seeds: Iterable[int]) -> dict[int, list[list[float]]]:
    """For each unit and each of its architectures the accuracies in the seeds of ``ALONE``."""
    wanted = [(seed, path) for seed in seeds for path in drawn(seed)]
    cases = [(base, path, own(seed, which)) for seed, path in wanted for which in ALONE]
    scores = iter(work.starmap(alone, cases))
    found: dict[int, list[list[float]]] = {}
    for seed, _ in wanted:
        found.setdefault(seed, []).append([next(scores) for _ in ALONE])
    return found


@dataclass(frozen=True)
class Search:
    """A supernet in training.

    Attributes:
        trained: one of ``TRAINED``.
        lr: learning rate.
        steps: how many.
        width: channels.
    """

    trained: str = "all"
    lr: float = RATES["all"]
    steps: int = STEPS
    width: int = BASE.width


def trainer_of(base: Run, search: Search, seed: int) -> Trainer:
    """The supernet of a search, ready to train."""
    run = base.replace(
        lr=search.lr, steps=search.steps, eval_every=search.steps, width=search.width, seed=seed
    )
    trainer = Trainer(run, "cpu")
    if search.trained != "all":
        part = "all" if search.trained == "norms" else "last"
        weights = train_only_norms(trainer.net, part)
        trainer.optimizer = SGD(weights, lr=run.lr, **run.optimizer_options)
    return trainer


def calibration(trainer: Trainer) -> list:
    """The batches of training images that recalibrate the statistics of a path."""
    return list(trainer.train_x[: BATCHES * BATCH].split(BATCH))


def accuracy_of(trainer: Trainer, path: Path) -> float:
    """Validation accuracy of a path in a supernet, its statistics made anew: ``recalibrated``."""
    net = lone(trainer.net, path)
    recompute_statistics(net, calibration(trainer))
    return round(evaluate(net, trainer.val_x, trainer.val_y)[1], 4)


def lone(net: Supernet, path: Path) -> Supernet:
    """``net.subnet(path)``, sooner: only what lies on the path is copied."""
    chosen = copy.copy(net)
    chosen._modules = dict(net._modules)
    chosen.names = [(name,) for name in net.named(path)]
    ops = (choice[op] for choice, op in zip(net.choices, path, strict=True))
    chosen.choices = ModuleList(ModuleList([op]) for op in ops)
    return chosen.subnet((0,) * len(path))


@threads(1)
def searched(
    base: Run, search: Search, seed: int, marks: Sequence[int], asked: Sequence[Path]
) -> dict:
    """Train a supernet and look at it at the marks.

    Returns:
        ``tables``: at each mark the scale of each operation, see ``indicator_table``;
        ``accuracies``: at each mark that of each path that is asked for.

    Raises:
        ValueError: if it diverges.
    """
    trainer, tables, accuracies = trainer_of(base, search, seed), [], []
    for record in trainer.steps():
        if record.diverged:
            raise ValueError(f"the supernet of seed {seed} diverged at step {record.step}.")
        if record.step in marks:
            table = indicator_table(trainer.net)
            tables.append([[round(scale, 6) for scale in row] for row in table])
            accuracies.append([accuracy_of(trainer, path) for path in asked])
    return {"tables": tables, "accuracies": accuracies}


def score(table: Sequence[Sequence[float]], path: Path) -> float:
    """The BN indicator of a path: the sum of its entries of the table."""
    return round(sum(row[op] for row, op in zip(table, path, strict=True)), 6)
