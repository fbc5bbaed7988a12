"""SmallBatches: which accuracy does one believe when batches are small, or their images alike?"""

from __future__ import annotations

import copy
import functools
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import torch

from bnlab.chapters.batch_renorm import methods
from bnlab.data import batches
from bnlab.lab.kit.bundle import bundle, stylesheet
from bnlab.lab.kit.first import First, first_of
from bnlab.lab.kit.points import BLOCK, EVALUATE_EVERY, GROUP_SIZE
from bnlab.lab.kit.widget import (
    ComputingWidget,
    Content,
    check_flag,
    check_keys,
    check_norms,
    names_of,
    one_of,
)
from bnlab.norms import recompute_statistics
from bnlab.train import Engine, Run, evaluate, make_trainer

FOLDER = Path(__file__).parent
NORMS = ("batch", "batch_renorm", "group")
BATCH_SIZES = (2, 4, 8, 16, 32, 64)
CLASSES = (10, 2, 1)  # of a batch; 10: independent images
R_MAXES = (1.0, 1.2, 1.5, 2.0, 3.0, 10.0)
D_MAXES = (0.0, 0.2, 0.5, 1.0, 5.0, 20.0)
LRS = (0.01, 0.018, 0.03, 0.056, 0.1, 0.18, 0.3, 0.56, 1.0)
SEEDS = methods.SEEDS
DEPTH, WIDTH, STEPS = 6, 64, 300
LOOKED_AT = 75
"""Batches of validation images, at most, that are looked at: from 4 images a batch on, all fit."""

CHUNK, CHUNKS = 299, 4
"""Training images of a batch, and how many batches, that recompute the statistics."""

NUMBERS = {
    "batch_size": BATCH_SIZES,
    "classes": CLASSES,
    "r_max": R_MAXES,
    "d_max": D_MAXES,
    "lr": LRS,
    "seed": SEEDS,
}


class SmallBatches(ComputingWidget):
    """Nets in training on small or alike batches, with three accuracies of each.

    They are perceptrons of ``DEPTH`` layers. The accuracies are those of the training batches; of
    validation images with the statistics of batches like them; and of the same images with
    running statistics, as one uses a net. At the end the statistics are recomputed. With a kernel
    PyTorch trains; on the website the page does.

    Args:
        norms: which nets at first, of ``NORMS``.
        batch_size: images a step, one of ``BATCH_SIZES``.
        classes: of the images of a batch, one of ``CLASSES``; 10 stands for independent images.
        r_max, d_max: limits of Batch Renormalization, from the first step on; of ``R_MAXES`` and
            ``D_MAXES``.
        lr: learning rate, one of ``LRS``.
        seed: initial weights and batches, one of ``SEEDS``.
        predict: hide the outcome until a guess is made.

    Raises:
        ValueError: for a value that the widget does not offer, with those that it does.
    """

    _esm = bundle(FOLDER / "small_batches.js")
    _css = stylesheet(FOLDER / "small_batches.css")

    def __init__(
        self,
        norms: Iterable[str] = ("batch", "batch_renorm"),
        batch_size: int = 4,
        classes: int = 10,
        r_max: float = 3.0,
        d_max: float = 5.0,
        lr: float = 0.1,
        seed: int = SEEDS[0],
        predict: bool = False,
    ) -> None:
        options = {
            "name": "small",
            "job": "small_batches",
            "compiled": "nets",
            "first": True,
            "norms": list(NORMS),
            "depth": DEPTH,
            "steps": STEPS,
            "stops": {key: list(values) for key, values in NUMBERS.items()},
        }
        state = {
            "norms": names_of(norms),
            **{"batch_size": batch_size, "classes": classes, "r_max": r_max, "d_max": d_max},
            **{"lr": lr, "seed": seed, "predict": predict},
        }
        super().__init__(options, state)

    @staticmethod
    def check(state: object, options: dict) -> dict[str, object]:
        """Check a state as ``Widget.check`` does."""
        state = check_keys(state, ["norms", *NUMBERS, "predict"])
        checked: dict[str, object] = {"norms": check_norms(state["norms"], options["norms"])}
        checked |= {key: one_of(key, state[key], options["stops"][key]) for key in NUMBERS}
        return checked | {"predict": check_flag("predict", state["predict"])}

    def warm_up(self) -> Iterator[Content]:
        """Load data and torch's optimizers (seconds) before the reader presses Train."""
        state = {key: values[0] for key, values in NUMBERS.items()}
        return small_trainings({**state, "norms": ["batch"]}, steps=1)

    def begin(self, state: dict[str, object]) -> Iterator[Content]:
        """The nets of a state, in turn."""
        return small_trainings(state)


def small_run(norm: str, state: dict[str, object], steps: int = STEPS) -> Run:
    """The Run of one net of a state."""
    options = {
        "batch_renorm": {"r_max": state["r_max"], "d_max": state["d_max"]},
        "group": {"group_size": GROUP_SIZE},
    }.get(norm, {})
    drawn = {} if state["classes"] == CLASSES[0] else _few(state["classes"])
    numbers = {key: state[key] for key in ("batch_size", "lr", "seed")}
    fixed = {"depth": DEPTH, "width": WIDTH, "steps": steps, "eval_every": EVALUATE_EVERY}
    return Run(norm=norm, norm_options=options, **drawn, **numbers, **fixed)


def _few(classes: object) -> dict[str, object]:
    return {"sampler": "k_classes", "sampler_options": {"k": classes}}


def small_trainings(
    state: dict[str, object], engine: str = "torch", steps: int = STEPS
) -> Iterator[Content]:
    """Name of a net and what is new about it, after every 20 steps; else None, after each step.

    New are ``loss`` ([step, mean of ``BLOCK`` losses], ...), the accuracies ``train``, ``batch``
    and ``accuracy`` (running statistics) as [step, share] each, ``recomputed`` (a number, at the
    end), ``step``, ``diverged_at`` and ``done``. All but ``train`` are of the same images: a net
    without statistics of the batch has one number for the three.
    """
    lanes = {norm: _lane(small_run(norm, state, steps), engine) for norm in state["norms"]}
    while lanes:
        for norm, lane in list(lanes.items()):
            content = next(lane)
            yield norm, content
            if content and content["done"]:
                del lanes[norm]


def first() -> First:
    """What the page shows where it cannot train."""
    keys = ("norms", *NUMBERS)
    train = functools.partial(small_trainings, engine="compiled")
    return first_of(SmallBatches, keys, train, norms=NORMS)


def _lane(run: Run, engine: str) -> Iterator[dict[str, object] | None]:
    trainer, new = make_trainer(run, engine, "cpu"), _nothing()
    chosen = looked_at(run, trainer.data.val_y)
    losses, right = [], []
    for record in trainer.steps():  # which stops at its looks, where ours are taken
        if record.diverged:
            yield {**new, "step": record.step, "diverged_at": record.step, "done": True}
            return
        new["step"] = record.step
        if record.step:
            losses.append(record.loss)
            right.append(record.accuracy)
        if len(losses) == BLOCK:
            new["loss"].append([record.step, sum(losses) / BLOCK])
            losses.clear()
        if record.val_accuracy is None:
            yield None
            continue
        if right:
            new["train"].append([record.step, sum(right) / len(right)])
            right.clear()
        new["batch"].append([record.step, batch_accuracy(trainer, chosen)])
        new["accuracy"].append([record.step, running_accuracy(trainer, chosen)])
        if record.step < run.steps:
            yield new
            new = _nothing()
    yield {**new, "recomputed": recomputed_accuracy(trainer, chosen), "done": True}


def _nothing() -> dict[str, object]:
    lists = {name: [] for name in ("loss", "train", "batch", "accuracy")}
    return {**lists, "recomputed": None, "step": 0, "diverged_at": None, "done": False}


def looked_at(run: Run, labels: np.ndarray) -> list[np.ndarray]:
    """Numbers of validation images, in batches that are put together like those of training."""
    count = min(LOOKED_AT, len(labels) // run.batch_size)
    size, options = run.batch_size, run.sampler_options
    return list(batches(labels, run.sampler, run.seed, size, count, **options))


def batch_accuracy(trainer: Engine, chosen: list[np.ndarray]) -> float:
    """Mean accuracy on batches of validation images, each with its own statistics."""
    return sum(_accuracy(trainer, numbers, True) for numbers in chosen) / len(chosen)


def running_accuracy(trainer: Engine, chosen: list[np.ndarray]) -> float:
    """Accuracy on the images of these batches with running statistics."""
    return _accuracy(trainer, np.concatenate(chosen), False)


def _accuracy(trainer: Engine, numbers: np.ndarray, batch_statistics: bool) -> float:
    x, y = trainer.part("val")
    return trainer.evaluate(x[numbers], y[numbers], batch_statistics=batch_statistics)[1]


def recomputed_accuracy(trainer: Engine, chosen: list[np.ndarray]) -> float:
    """Accuracy on the same images with statistics of ``CHUNKS`` batches of ``CHUNK``."""
    net, data, numbers = copy.deepcopy(trainer.net), trainer.data, np.concatenate(chosen)
    like = next(net.parameters())
    recompute_statistics(net, torch.tensor(data.train_x[: CHUNK * CHUNKS]).to(like).split(CHUNK))
    y = torch.tensor(data.val_y[numbers], device=like.device)
    return evaluate(net, torch.tensor(data.val_x[numbers]).to(like), y)[1]
