"""Methods, grids and tables that LW1 to LW4 of Gupta 2021 share.

An optimizer is taken alone, with weight decay or with LAWN. Each of these has, beside the learning
rate, at most one number of its own, and both are chosen together by the validation accuracy of the
tuning seeds. The whole grid is part of the evidence. Of the training labels some are wrong; those
of validation and test are right. Settings were fixed before the seeds that count were run; they
were chosen knowing trial runs with three tuning seeds.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass, fields, replace

import numpy as np
import torch

from bnlab.chapters.lawn.watch import ENDS, ended
from bnlab.engines.engine import Engine
from bnlab.train import Run, make_trainer
from bnlab.verdicts.table import Table
from bnlab.verdicts.ties import first_best
from bnlab.verdicts.tuning import check_same_run, check_seeds
from bnlab.verdicts.work import Work

TUNING_SEEDS = tuple(range(4))
NOISE = 0.2  # share of wrong training labels
IMAGES = 1197  # a full batch
BASE = Run(
    net="mlp",
    depth=2,
    width=64,
    optimizer="adam",
    label_noise=NOISE,
    batch_size=IMAGES,
    steps=300,
    eval_every=10,
)
RATES = {
    "adam": (0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03),
    "sgd": (0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3),
}
LARGE = 0.1  # a rate for Adam alone, which may be stopped early
MOMENTUM = {"adam": {}, "sgd": {"momentum": 0.9}}
ALONE, DECAY, DECOUPLED, LAWN = "alone", "decay", "decoupled", "lawn"
AMOUNTS = {
    ALONE: (0.0,),
    DECAY: (0.003, 0.01, 0.03, 0.1),
    DECOUPLED: (0.3, 1.0, 3.0, 10.0),
    LAWN: (0.0, 1 / 30, 0.1, 1 / 3),
}
"""What a method has beside the rate: weight decay, or the free phase as a share of the training."""


@dataclass(frozen=True)
class Method:
    """What is trained, but for learning rate and seed.

    Attributes:
        optimizer: ``adam`` or ``sgd``, which has momentum.
        how: ``alone``; with ``decay``, an L2 term in the gradient as torch's Adam and SGD have it;
            with ``decoupled`` weight decay, torch's AdamW; or with ``lawn``.
        batch_size: images a step; the number of epochs is that of the base.
        noise: share of wrong training labels.
    """

    optimizer: str
    how: str = ALONE
    batch_size: int = IMAGES
    noise: float = NOISE

    def run(self, base: Run, lr: float, amount: float, seed: int) -> Run:
        """The Run with this rate, amount and seed; a decoupled decay is not in it."""
        each = round(IMAGES / self.batch_size)  # steps an epoch
        options: dict[str, object] = dict(MOMENTUM[self.optimizer])
        name = self.optimizer
        if self.how == DECAY:
            options["weight_decay"] = amount
        if self.how == LAWN:
            name, options["free_steps"] = f"lawn_{name}", round(amount * base.steps) * each
        return base.replace(
            optimizer=name,
            optimizer_options=options,
            batch_size=self.batch_size,
            label_noise=self.noise,
            steps=base.steps * each,
            eval_every=base.eval_every * each,
            lr=lr,
            seed=seed,
        )

    @property
    def engine(self) -> str:
        """Which engine trains it: the compiled one takes no batches of all images."""
        return "torch" if self.batch_size == IMAGES else "compiled"

    def trainer(self, base: Run, lr: float, amount: float, seed: int) -> Engine:
        """The net in training."""
        trainer = make_trainer(self.run(base, lr, amount, seed), self.engine, "cpu")
        if self.how == DECOUPLED:
            parameters = trainer.net.parameters()
            trainer.optimizer = torch.optim.AdamW(parameters, lr, weight_decay=amount)
        return trainer

    @property
    def grid(self) -> list[tuple[float, float]]:
        """Rates and amounts among which it chooses."""
        more = (LARGE,) if (self.optimizer, self.how) == ("adam", ALONE) else ()
        return list(itertools.product((*RATES[self.optimizer], *more), AMOUNTS[self.how]))


KEYS = tuple(field.name for field in fields(Method))
COLUMNS = (*KEYS, "lr", "amount", "seed", *ENDS)


@dataclass(frozen=True)
class Place:
    """A method with its rate and amount."""

    method: Method
    lr: float
    amount: float = 0.0

    def on(self, noise: float) -> Place:
        """The same with another share of wrong labels."""
        return replace(self, method=replace(self.method, noise=noise))

    def wanted(self) -> dict[str, object]:
        """What its rows have in their columns."""
        values = (*astuple(self.method), self.lr, self.amount)
        return dict(zip((*KEYS, "lr", "amount"), values, strict=True))


def rows(base: Run, place: Place, seeds: Sequence[int]) -> list[list]:
    """Train with each seed; a row a training, see ``COLUMNS``."""
    at = (*astuple(place.method), place.lr, place.amount)
    trainers = (place.method.trainer(base, place.lr, place.amount, seed) for seed in seeds)
    return [[*at, s, *ended(trainer)] for s, trainer in zip(seeds, trainers, strict=True)]


def trained(work: Work, base: Run, places: Iterable[Place], seeds: Sequence[int]) -> list[list]:
    """The rows of all places, each once."""
    found = work.starmap(rows, [(base, place, tuple(seeds)) for place in dict.fromkeys(places)])
    return [row for each in found for row in each]


def tuned(
    work: Work, base: Run, methods: Sequence[Method], tuning: dict | None, seeds: Sequence[int]
) -> dict:
    """The tuning seeds at each place of the grids, or those of an earlier measurement.

    Args:
        work: does the trainings.
        base: what all share.
        methods: that choose.
        tuning: an earlier measurement, whose trainings with the tuning seeds are taken over.
        seeds: that count.

    Raises:
        ValueError: if a seed is to count that has chosen, or for a measurement of another Run.
    """
    check_seeds(seeds, TUNING_SEEDS)
    if tuning:
        check_same_run(tuning, base)
        found = Table.of(tuning).where(seed=TUNING_SEEDS).rows
    else:
        found = []
        for method in methods:
            places = [Place(method, *at) for at in method.grid]
            found += trained(work, base, places, TUNING_SEEDS)
    return {
        "engine": "torch" if any(m.engine == "torch" for m in methods) else "compiled",
        "engines": {str(method.batch_size): method.engine for method in methods},
        "base": base.to_dict(),
        "seeds": list(seeds),
        "tuning_seeds": list(TUNING_SEEDS),
        "columns": list(COLUMNS),
        "rows": found,
    }


def best(data: dict, method: Method, lr: float | None = None, by: str = "val") -> Place:
    """The rate and amount with the best validation accuracy over the tuning seeds.

    Args:
        data: of the measurement.
        method: that chooses, with wrong labels.
        lr: a rate that is given; then the amount alone is chosen.
        by: ``val`` at the end of the training, ``stopped_val`` at its best step.
    """
    places = [Place(method, *at) for at in method.grid if lr is None or at[0] == lr]
    scores = [column(data, place, by, TUNING_SEEDS).mean() for place in places]
    return places[first_best(scores)]


def column(data: dict, place: Place, name: str, seeds: Sequence[int] | None = None) -> np.ndarray:
    """One column of a place, seed by seed: (seeds,).

    Raises:
        KeyError: if that was not measured.
    """
    seeds = data["seeds"] if seeds is None else seeds
    return Table.of(data).where(**place.wanted()).column(name, seed=seeds)


def describe(data: dict, found: dict, label: str, place: Place) -> None:
    """Add to ``found`` what sentences may say of a place; accuracies in per cent."""
    found[f"{label}_lr"] = place.lr
    share = 100 if place.method.how == LAWN else 1  # a free phase in per cent of the training
    found[f"{label}_amount"] = share * place.amount
    for name in ("val", "test", "train", "stopped_test"):
        found[f"{label}_{name}"] = 100 * column(data, place, name).mean()
    for name in ("stopped_at", "loss"):
        found[f"{label}_{name}"] = column(data, place, name).mean()
