"""T2: batches of a few images."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import nn

from bnlab.chapters.clinic.t2_tiny_batches import BASE, IMAGES, POOLING, SEEDS, SIZES, arms
from bnlab.lab.clinic.card import Card, State, look
from bnlab.lab.kit.points import in_turns
from bnlab.lab.kit.widget import Content
from bnlab.train import Run, make_trainer

LOOK = 240
"""Images between two points."""

RATES = {
    "batch": {8: 0.1, 4: 0.03, 2: 0.03},
    "batch_renorm": {8: 0.3, 4: 0.1, 2: 0.01},
    "group": {8: 0.1, 4: 0.03, 2: 0.03, 1: 0.03},
    "layer": {8: 0.03, 4: 0.03, 2: 0.01, 1: 0.01},
}
"""The learning rate of each normalizer and size, as the tuning seeds of T2 chose it."""

INSTEAD = ("group", "layer", "batch_renorm")


def t2_run(norm: str, size: int, seed: int) -> Run:
    """The Run of a normalizer on batches of this size, as T2 counts it, with more looks."""
    fields = arms()[f"{norm}_{size}"].fields
    run = BASE.replace(**fields, lr=RATES[norm][size], seed=seed)
    return run.replace(eval_every=LOOK // size)


def t2_trainings(state: State, engine: str = "torch") -> Iterator[Content]:
    """BatchNorm and, if the state says so, what may replace it, a step each in turn.

    New are ``accuracy`` on the validation images and ``loss``, the mean of the batches since the
    last point, by images seen; and ``refused``, what PyTorch says if a batch is too small.
    """
    names = ["batch", *([state["instead"]] if state["repaired"] else [])]
    size, seed = state["batch_size"], state["seed"]
    return in_turns({name: _lane(name, size, seed, engine) for name in names})


def _lane(norm: str, size: int, seed: int, engine: str) -> Iterator[dict[str, object] | None]:
    new = {"loss": [], "accuracy": [], "step": 0, "diverged_at": None, "done": False}
    if size == 1 and norm in POOLING:
        yield {**new, "refused": refusal(), "done": True}
        return
    run = t2_run(norm, size, seed)
    total = 0.0
    for record in make_trainer(run, engine, "cpu").steps():
        seen = record.step * size
        if record.diverged:
            yield {**new, "step": seen, "diverged_at": seen, "done": True}
            return
        total += record.loss if record.step else 0.0
        if record.val_accuracy is None:
            yield None
            continue
        point = {"accuracy": [[seen, record.val_accuracy]], "step": seen}
        if record.step:
            point["loss"] = [[seen, total / run.eval_every]]
            total = 0.0
        yield {**new, **point, "done": record.step == run.steps}


def refusal() -> str:
    """What PyTorch says to a batch of one vector with BatchNorm."""
    try:
        nn.BatchNorm1d(BASE.width)(torch.zeros(1, BASE.width))
    except ValueError as error:
        return str(error).partition(",")[0]
    raise RuntimeError("PyTorch trains BatchNorm on a batch of one: card T2 is out of date.")


CARD = Card(
    id="T2",
    title="BatchNorm and batches of one or two images",
    cause=(
        "BatchNorm takes the mean and the variance of a channel over the batch. Of two numbers it "
        "leaves plus and minus one, whatever they were, and of one number nothing, so PyTorch "
        "refuses it. What an image gives then depends on its neighbour more than on itself."
    ),
    repair="Replace BatchNorm",
    steps=IMAGES,
    axis="images seen",
    curves={
        "batch": look("batch", "BatchNorm", "BatchNorm"),
        "group": look("group", "group", "group normalization"),
        "layer": look("layer", "layer", "layer normalization"),
        "batch_renorm": look("batch_renorm", "renorm", "Batch Renormalization"),
    },
    plots={
        "accuracy": {"title": "accuracy on new images", "scale": "accuracy"},
        "loss": {"title": "training loss", "scale": "loss"},
    },
    controls={
        "batch_size": {"label": "images a batch", "stops": SIZES[::-1]},
        "instead": {
            "label": "instead of BatchNorm",
            "stops": INSTEAD,
            "words": ("group", "layer", "Batch Renormalization"),
            "after_repair": True,
        },
    },
    first={"batch_size": 2, "instead": "group"},
    seeds=SEEDS[:4],
    trainings=t2_trainings,
)
