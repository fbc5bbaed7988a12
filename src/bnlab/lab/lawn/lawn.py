"""Lawn: Adam, and Adam whose weights keep their norms from some step on, on the same batches."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator
from pathlib import Path

import torch

from bnlab.chapters.lawn.looks import LOOKS as CHAPTER
from bnlab.draw.style import STYLE
from bnlab.lab.kit.bundle import bundle, stylesheet
from bnlab.lab.kit.first import First, first_of
from bnlab.lab.kit.points import BLOCK, EVALUATE_EVERY, in_turns
from bnlab.lab.kit.widget import ComputingWidget, Content, check_flag, check_keys, one_of
from bnlab.optim import constrained_weights
from bnlab.train import Engine, Run, make_trainer

FOLDER = Path(__file__).parent
FREES = (0.0, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)  # shares of the training
LRS = (0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0)
WRONGS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5)  # shares of the training labels
SEEDS = (964, 965, 966, 967)
DEPTH, WIDTH, BATCH_SIZE, STEPS = 3, 64, 64, 600
NUMBERS = {"free": FREES, "lr": LRS, "wrong": WRONGS, "seed": SEEDS}
LOOKED_AT = 100
"""Validation images that the size of the logits is a mean over; the first ones."""

LOOKS = {
    "adam": {**STYLE[CHAPTER["alone"]], "short": "Adam", "label": "Adam"},
    "lawn": {**STYLE[CHAPTER["lawn"]], "short": "LAWN", "label": "LAWN-Adam"},
}
"""Names, and the looks of the chapter's figures."""

QUANTITIES = ("loss", "accuracy", "weights", "logits")
"""What is told of a net, [step, value] each: mean training loss of ``BLOCK`` steps, accuracy on the
validation images, norm of all matrices of weights together, and mean size of the logits."""


class Lawn(ComputingWidget):
    """Adam beside LAWN around Adam, from the same weights and on the same batches.

    They train perceptrons of ``DEPTH`` layers without a normalizer; after the free phase LAWN holds
    the norm of each matrix of weights. Labels for validation are right. With a kernel PyTorch
    trains; on the website the page does.

    Args:
        free: length of the free phase, a share of the training, one of ``FREES``.
        lr: learning rate, one of ``LRS``.
        wrong: share of wrong labels among the training images, one of ``WRONGS``.
        seed: initial weights, batches and wrong labels, one of ``SEEDS``.
        predict: hide the outcome until a guess is made.

    Raises:
        ValueError: for a value that the widget does not offer, with those that it does.
    """

    _esm = bundle(FOLDER / "lawn.js")
    _css = stylesheet(FOLDER / "lawn.css")

    def __init__(
        self,
        free: float = 0.05,
        lr: float = 0.003,
        wrong: float = 0.3,
        seed: int = SEEDS[0],
        predict: bool = False,
    ) -> None:
        options = {
            "name": "lawn",
            "job": "lawn",
            "compiled": "lawn",
            "first": True,
            "net": "mlp",
            "width": WIDTH,
            "steps": STEPS,
            "stops": {key: list(values) for key, values in NUMBERS.items()},
            "looks": LOOKS,
        }
        state = {"free": free, "lr": lr, "wrong": wrong, "seed": seed, "predict": predict}
        super().__init__(options, state)

    @staticmethod
    def check(state: object, options: dict) -> dict[str, object]:
        """Check a state as ``Widget.check`` does."""
        state = check_keys(state, [*NUMBERS, "predict"])
        checked = {key: one_of(key, state[key], options["stops"][key]) for key in NUMBERS}
        return checked | {"predict": check_flag("predict", state["predict"])}

    def warm_up(self) -> Iterator[Content]:
        """Load data and torch's optimizers (seconds) before the reader presses Train."""
        return lawn_trainings({key: values[0] for key, values in NUMBERS.items()}, steps=1)

    def begin(self, state: dict[str, object]) -> Iterator[Content]:
        """The two nets of a state, in turn."""
        return lawn_trainings(state)


def lawn_run(name: str, state: dict[str, object], steps: int = STEPS) -> Run:
    """The Run of one net of a state, a key of ``LOOKS``."""
    is_lawn = name == "lawn"
    free_steps = int(state["free"] * steps + 0.5)  # as Math.round
    return Run(
        optimizer="lawn_adam" if is_lawn else "adam",
        optimizer_options={"free_steps": free_steps} if is_lawn else {},
        label_noise=state["wrong"],
        **{key: state[key] for key in ("lr", "seed")},
        **{"depth": DEPTH, "width": WIDTH, "batch_size": BATCH_SIZE},
        **{"steps": steps, "eval_every": EVALUATE_EVERY},
    )


def lawn_trainings(
    state: dict[str, object], engine: str = "torch", steps: int = STEPS
) -> Iterator[Content]:
    """Name of a net and what is new about it, after every 20 steps; else None, after each step.

    New are the points of each of ``QUANTITIES``, ``step``, ``diverged_at`` and ``done``.
    """
    return in_turns({name: _lane(lawn_run(name, state, steps), engine) for name in LOOKS})


def first() -> First:
    """What the page shows where it cannot train."""
    return first_of(Lawn, NUMBERS, functools.partial(lawn_trainings, engine="compiled"))


def _lane(run: Run, engine: str) -> Iterator[dict[str, object] | None]:
    trainer, new, losses = make_trainer(run, engine, "cpu"), _nothing(), []
    for record in trainer.steps():
        new["step"] = record.step
        if record.diverged:
            yield {**new, "diverged_at": record.step, "done": True}
            return
        if record.step:
            losses.append(record.loss)
        if len(losses) == BLOCK:
            new["loss"].append([record.step, sum(losses) / BLOCK])
            losses.clear()
        if record.val_accuracy is None:
            yield None
            continue
        new["accuracy"].append([record.step, record.val_accuracy])
        for key, value in (("weights", norm_of(trainer)), ("logits", size_of_logits(trainer))):
            if math.isfinite(value):
                new[key].append([record.step, value])
        if record.step < run.steps:
            yield new
            new = _nothing()
    yield {**new, "done": True}


def _nothing() -> dict[str, object]:
    lists = {name: [] for name in QUANTITIES}
    return {**lists, "step": 0, "diverged_at": None, "done": False}


@torch.no_grad()
def norm_of(trainer: Engine) -> float:
    """The Euclidean norm of all matrices of weights together."""
    weights = constrained_weights(trainer.net)
    return math.sqrt(sum(weight.double().square().sum().item() for weight in weights))


@torch.no_grad()
def size_of_logits(trainer: Engine) -> float:
    """The mean of the logits' absolute values, over validation images and classes."""
    x = torch.tensor(trainer.data.val_x[:LOOKED_AT])
    return trainer.net(x).abs().mean().item()
