"""T4: gradients of eight batches of four, added up, beside the gradient of a batch of 32."""

from __future__ import annotations

import functools
from collections.abc import Iterator

from bnlab.chapters.clinic import t4_accumulation
from bnlab.chapters.clinic.t4_accumulation import gradient, relative
from bnlab.lab.clinic.accumulated import Accumulated
from bnlab.lab.clinic.card import IN_PYTHON, Card, State, look
from bnlab.lab.clinic.lanes import lane_of
from bnlab.lab.kit.points import EVALUATE_EVERY, in_turns
from bnlab.lab.kit.widget import Content
from bnlab.train import Engine, Run, Step, make_trainer

SEEDS = t4_accumulation.SEEDS[:4]
MICRO = (2, 4, 8, 16)
"""Images in a part of a batch that are offered; the evidence has four."""

RATES = {"batch": 0.3, "layer": t4_accumulation.BASE.lr}
"""With BatchNorm the best rate in the evidence, of batches of 32 and of groups of four; with layer
normalization the one at which the evidence compares gradients."""

OF = {
    "batch": f"BatchNorm at rate {RATES['batch']:g}",
    "layer": f"layer normalization at rate {RATES['layer']:g}",
}
CURVES = {
    "whole": ("batch", False),
    "accumulated": ("batch", True),
    "layer_whole": ("layer", False),
    "layer_accumulated": ("layer", True),
}
"""The normalizer of each curve, and whether its gradients are accumulated."""


def t4_trainings(state: State, engine: str = "torch") -> Iterator[Content]:
    """What is new about batches of 32 and about accumulation; see ``Card``.

    New are ``loss``, validation ``accuracy`` and, of what is accumulated, the ``distance``: with
    the weights of that step, on the first batch, between the accumulated gradient and that of the
    whole batch, in parts of the latter.
    """
    names = [name for name in CURVES if state["repaired"] or not name.startswith("layer")]
    return in_turns({name: _lane(name, state, engine) for name in names})


def _lane(name: str, state: State, engine: str) -> Iterator[dict | None]:
    norm, is_accumulated = CURVES[name]
    run = run_of(norm, state["seed"])
    trainer = make_trainer(run, engine, "cpu")
    if not is_accumulated:
        return lane_of(trainer, _look)
    parts = run.batch_size // state["micro"]
    return lane_of(Accumulated(trainer, parts), functools.partial(_compare, parts))


def run_of(norm: str, seed: int) -> Run:
    """The Run of a net with this normalizer on batches of 32."""
    base = t4_accumulation.BASE
    return base.replace(norm=norm, lr=RATES[norm], seed=seed, eval_every=EVALUATE_EVERY)


def _look(trainer: Engine, record: Step) -> dict[str, object]:
    return {"accuracy": [[record.step, record.val_accuracy]], "distance": []}


def _compare(parts: int, trainer: Engine, record: Step) -> dict[str, object]:
    summed, whole = (gradient(trainer.run, trainer.net, many) for many in (parts, 1))
    return {**_look(trainer, record), "distance": [[record.step, relative(summed, whole)]]}


CARD = Card(
    id="T4",
    title="Gradient accumulation with BatchNorm is not a larger batch",
    cause=(
        "BatchNorm standardizes with the statistics of the images that pass through it at once. "
        "Each part of the batch passes by itself and has statistics of its own, so that the mean "
        "of the gradients is that of Ghost Batch Normalization with groups of that size. Where no "
        "image meets another one, as in layer normalization, it is the gradient of the batch."
    ),
    repair="Layer normalization instead",
    steps=t4_accumulation.BASE.steps,
    curves={
        "whole": look("batch", "32 at once", f"{OF['batch']}, 32 images at once"),
        "accumulated": look("layer", "in parts", f"{OF['batch']}, accumulated in parts"),
        "layer_whole": look("group", "layer, at once", f"{OF['layer']}, 32 images at once"),
        "layer_accumulated": look(
            "noisy_batch", "layer, in parts", f"{OF['layer']}, accumulated in parts"
        ),
    },
    plots={
        "loss": {"title": "training loss", "scale": "loss"},
        "accuracy": {"title": "accuracy on new images", "scale": None},
        "distance": {"title": "distance of the gradient from that at once", "scale": None},
    },
    controls={"micro": {"label": "images in a part", "stops": MICRO}},
    first={"micro": t4_accumulation.MICRO},
    seeds=SEEDS,
    trainings=t4_trainings,
    badge=IN_PYTHON,
)
