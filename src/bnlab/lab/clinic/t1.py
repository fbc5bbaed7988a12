"""T1: right in training mode, wrong in evaluation mode."""

from __future__ import annotations

import copy
from collections.abc import Iterator

import torch
from torch import Tensor, nn

from bnlab.chapters.clinic.setting import batches_of, recomputed, start_from, stepped, tensors
from bnlab.chapters.clinic.t1_modes import AVERAGED, BASE, CAUSES, LAST, SEEDS, run_of
from bnlab.engines.engine import Engine
from bnlab.lab.clinic.card import Card, State, look
from bnlab.lab.kit.points import EVALUATE_EVERY
from bnlab.lab.kit.widget import Content
from bnlab.train import Run, make_trainer

LAST_EVERY = 5
"""Batches of one class between two looks."""

Looked = Iterator[tuple[int, nn.Module | None]]


def t1_trainings(state: State, engine: str = "torch", base: Run = BASE) -> Iterator[Content]:
    """The accuracies of one net on the validation images, in both modes and after the repair.

    ``train`` is training mode, all images being one batch; ``eval`` is evaluation mode;
    ``repaired``, if the state says so, evaluation mode with statistics computed anew.
    """
    run = run_of(state["cause"], state["seed"], base)
    viewer = make_trainer(run, engine, "cpu")
    images = tensors(viewer, "train")[0] if state["repaired"] else None
    end = run.steps + LAST * (state["cause"] == "one_class")
    for step, net in _nets(run, state["cause"], engine):
        if net is None:
            yield "train", None
            continue
        for name, value in _accuracies(viewer, net, images).items():
            points = {"accuracy": [[step, value]], "step": step, "diverged_at": None}
            yield name, {**points, "done": step == end}


def _nets(run: Run, cause: str, engine: str) -> Looked:
    """Each step, with the net after it if it is looked at."""
    average = None
    for step, trainer in enumerate(stepped(run, engine)):
        if cause == "averaged":
            average = follow(average, trainer.net)
        net = average if cause == "averaged" else trainer.net
        yield step, net if step % EVALUATE_EVERY == 0 else None
    if cause == "one_class":
        yield from _last_batches(trainer)


def follow(average: nn.Module | None, net: nn.Module) -> nn.Module:
    """The average of the weights, which begins as a copy of the net and keeps its statistics."""
    if average is None:
        return copy.deepcopy(net)
    with torch.no_grad():
        for mean, now in zip(average.parameters(), net.parameters(), strict=True):
            mean.lerp_(now, 1 - AVERAGED)
    return average


def _last_batches(trainer: Engine) -> Looked:
    """Batches of the last class alone pass in training mode; the weights stay."""
    run, data = trainer.run, trainer.data
    drawn = batches_of(data.train_y, [data.num_classes - 1], run.seed, run.batch_size, LAST)
    for number, numbers in enumerate(drawn, 1):
        trainer.gradient(*trainer.batch(numbers, number))
        yield run.steps + number, None if number % LAST_EVERY else trainer.net


def _accuracies(viewer: Engine, net: nn.Module, images: Tensor | None) -> dict[str, float]:
    """Of the weights and statistics of a net, by the names of the curves."""
    start_from(viewer, net.state_dict())
    val = viewer.part("val")
    in_training = viewer.evaluate(*val, batch_statistics=True)[1]
    found = {"train": in_training, "eval": viewer.evaluate(*val)[1]}
    if images is not None:
        start_from(viewer, recomputed(net, images).state_dict())
        found["repaired"] = viewer.evaluate(*val)[1]
    return found


CARD = Card(
    id="T1",
    title="Right in training mode, wrong in evaluation mode",
    cause=(
        "In training mode BatchNorm standardizes with the mean and the variance of the batch, in "
        "evaluation mode with running averages that were kept during training. The two agree only "
        "if those averages belong to the weights of now. They lag behind if the momentum is tiny, "
        "they follow the last batches if these are alike, and a copy of the net that holds "
        "averaged weights has never seen a batch."
    ),
    repair="Compute the statistics anew",
    steps=BASE.steps + LAST,
    curves={
        "train": look("batch", "training", "training mode"),
        "eval": look("layer", "evaluation", "evaluation mode"),
        "repaired": look("group", "repaired", "evaluation mode with new statistics"),
    },
    plots={"accuracy": {"title": "accuracy on new images", "scale": "accuracy"}},
    controls={
        "cause": {
            "label": "cause",
            "stops": CAUSES,
            "words": ("momentum of 0.001", "last batches of one class", "averaged weights"),
        }
    },
    first={"cause": "slow"},
    seeds=SEEDS[:4],
    trainings=t1_trainings,
)
