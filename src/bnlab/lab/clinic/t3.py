"""T3: a net is frozen with ``requires_grad=False`` and fine-tuned; its statistics go on moving."""

from __future__ import annotations

import copy
from collections.abc import Iterator

from torch import nn

from bnlab.chapters.clinic import t3_frozen
from bnlab.chapters.clinic.setting import batches_of, start_from, updated
from bnlab.chapters.clinic.t3_frozen import (
    BASE,
    BATCH,
    NEW,
    OLD,
    WAYS,
    movement,
    of_classes,
    trained_on,
    with_head_of,
)
from bnlab.lab.clinic.card import Card, State, look
from bnlab.lab.kit.points import EVALUATE_EVERY, in_turns
from bnlab.lab.kit.widget import Content
from bnlab.train import Engine, make_trainer

SEEDS = t3_frozen.SEEDS[:4]
RATES = {"free": 0.03, "head": 0.1, "frozen": 0.3}
"""Of the second training, each way's best one in the evidence."""


def t3_trainings(state: State, engine: str = "torch") -> Iterator[Content]:
    """What is new about each way to learn the new digits; see ``Card``.

    New are the validation accuracies ``old``, on 0 to 4 with the last layer of before, and ``new``,
    on 5 to 9; and ``moved``, how far the running means are from those of before.
    """
    seed = state["seed"]
    first = trained_on(make_trainer(BASE.replace(seed=seed), engine, "cpu"), OLD, seed)
    before = copy.deepcopy(first.net)
    ways = [way for way in WAYS if way != "frozen" or state["repaired"]]
    yield from in_turns({way: _lane(way, before, seed, engine) for way in ways})


def _lane(way: str, before: nn.Module, seed: int, engine: str) -> Iterator[dict | None]:
    run = BASE.replace(seed=seed, **WAYS[way], lr=RATES[way], batch_size=BATCH)
    trainer, probe = (make_trainer(run, engine, "cpu") for _ in range(2))
    start_from(trainer, before.state_dict())
    numbers = batches_of(trainer.data.train_y, NEW, seed, BATCH, run.steps)
    trainer.net.train()
    yield _look(trainer, probe, before, 0)
    for step, _ in enumerate(updated(trainer, numbers), 1):
        yield _look(trainer, probe, before, step) if step % EVALUATE_EVERY == 0 else None


def _look(trainer: Engine, probe: Engine, before: nn.Module, step: int) -> dict[str, object]:
    """What is told of a net; ``probe`` gets its weights, with the last layer of before."""
    start_from(probe, with_head_of(trainer.net, before).state_dict())
    return {
        "old": [[step, probe.evaluate(*of_classes(trainer, "val", OLD))[1]]],
        "new": [[step, trainer.evaluate(*of_classes(trainer, "val", NEW))[1]]],
        "moved": [[step, movement(before, trainer.net)]],
        "step": step,
        "diverged_at": None,
        "done": step == trainer.run.steps,
    }


CARD = Card(
    id="T3",
    title="Frozen with requires_grad=False, and BatchNorm still changes",
    cause=(
        "requires_grad=False keeps weights from being trained, and gamma and beta with them. The "
        "running mean and variance are no parameters but buffers: each forward pass in training "
        "mode moves them, here from the old digits towards the new ones. In training mode the "
        "frozen net also standardizes with the statistics of four images, from which its last "
        "layer learns badly; in evaluation mode nothing moves."
    ),
    repair="Evaluation mode for what is frozen",
    steps=BASE.steps,
    curves={
        "free": look("layer", "all free", "all of the net free"),
        "head": look("batch", "no grad", "requires_grad=False alone"),
        "frozen": look("group", "eval mode", "evaluation mode too"),
    },
    plots={
        "old": {"title": "accuracy on the old digits, old last layer", "scale": None},
        "new": {"title": "accuracy on the new digits", "scale": "accuracy"},
        "moved": {"title": "movement of the running means, in deviations", "scale": None},
    },
    controls={},
    first={},
    seeds=SEEDS,
    trainings=t3_trainings,
)
