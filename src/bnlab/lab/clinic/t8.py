"""The card of T8: how far the samples of a batch see each other."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator

from torch import Tensor, nn

from bnlab.chapters.clinic.setting import tensors
from bnlab.chapters.clinic.t8_penalty import BASE, NORMS, SEEDS, matrix_of
from bnlab.lab.clinic.card import IN_PYTHON, Card, State, look
from bnlab.lab.clinic.lanes import lane
from bnlab.lab.kit.points import EVALUATE_EVERY, in_turns
from bnlab.lab.kit.widget import Content
from bnlab.train import Engine, Run, Step

TOGETHER = ("batch", "ghost_batch", "batch_renorm")
ALONE = ("group", "layer")
LOOKED_AT = 8
"""Validation images whose matrix is told, the first ones."""


def t8_trainings(state: State, engine: str = "torch") -> Iterator[Content]:
    """A net whose samples see each other; if it is repaired, one beside it where they do not.

    Name of a normalizer, and what is new about its net: ``leak``, [step, per cent]; ``matrix`` and
    ``penalty`` (per cent) at the time that ``state["when"]`` asks for: at the start, or now.
    """
    norms = [state["norm"], *([state["instead"]] if state["repaired"] else [])]
    lanes = {norm: lane(t8_run(norm, state), engine, _look(state["when"])) for norm in norms}
    for name, content in in_turns(lanes):
        yield name, content and {key: value for key, value in content.items() if key != "loss"}


def t8_run(norm: str, state: State) -> Run:
    """The Run of one net: but for the precision and the looks, one that the claim looks at."""
    return BASE.replace(
        **{"norm": norm, "norm_options": NORMS[norm], "seed": state["seed"]},
        **{"precision": "float32", "eval_every": EVALUATE_EVERY},
    )


def _look(when: str) -> Callable[[Engine, Step], dict[str, object]]:
    kept: dict[str, object] = {}

    def told(trainer: Engine, record: Step) -> dict[str, object]:
        matrix, summed = matrix_of(*_in_doubles(trainer))
        own = matrix.diagonal()
        leak = (1 - (own**2).sum() / (matrix**2).sum()).clamp(min=0).item()
        if when == "after" or not kept:
            kept["matrix"] = matrix.tolist()
            kept["penalty"] = 100 * (summed / own - 1).abs().mean().item()
        return {"leak": [[record.step, 100 * leak]], **kept}

    return told


def _in_doubles(trainer: Engine) -> tuple[nn.Module, Tensor, Tensor]:
    # A copy of the net: its statistics move.
    x, y = (part[:LOOKED_AT] for part in tensors(trainer, "val"))
    return copy.deepcopy(trainer.net).double(), x.double(), y


CARD = Card(
    id="T8",
    title="Gradient penalty with BatchNorm: samples see each other",
    cause=(
        "BatchNorm takes mean and variance over the batch, so each output depends on every image "
        "in it. A gradient penalty takes the gradient of the summed outputs by one image and means "
        "that of this image's own output; what the other outputs add is the error. Group and layer "
        "normalization take their statistics within one sample, so that there is nothing to add."
    ),
    repair="Keep the samples apart",
    steps=BASE.steps,
    curves={
        "batch": look("batch", "BatchNorm", "BatchNorm"),
        "ghost_batch": look("ghost_batch", "ghost", "BatchNorm on ghost batches of four"),
        "batch_renorm": look("batch_renorm", "renorm", "Batch Renormalization"),
        "group": look("group", "group", "group normalization"),
        "layer": look("layer", "layer", "layer normalization"),
    },
    plots={"leak": {"title": "squared gradients from other samples (%)", "scale": None}},
    controls={
        "norm": {
            "label": "normalizer",
            "stops": TOGETHER,
            "words": ("BatchNorm", "ghost batches of four", "Batch Renormalization"),
        },
        "when": {
            "label": "matrix",
            "stops": ("after", "before"),
            "words": ("after the training", "before it"),
        },
        "instead": {
            "label": "instead of it",
            "stops": ALONE,
            "words": ("group", "layer"),
            "after_repair": True,
        },
    },
    first={"norm": "batch", "when": "after", "instead": "group"},
    seeds=SEEDS[:4],
    trainings=t8_trainings,
    badge=IN_PYTHON,
)
