"""The card of T8: how far the samples of a batch see each other."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator

import torch

from bnlab.chapters.clinic.t8_penalty import BASE, NORMS, SEEDS, matrix_of
from bnlab.lab.clinic.lanes import in_turns, lane
from bnlab.lab.kit.points import EVALUATE_EVERY
from bnlab.lab.kit.widget import Content
from bnlab.train import Engine, Run, Step

TOGETHER = ("batch", "ghost_batch", "batch_renorm")
ALONE = ("group", "layer")
LOOKED_AT = 8
"""Validation images whose matrix is told, the first ones."""


def trainings(state: dict[str, object], engine: str = "torch") -> Iterator[Content]:
    """A net whose samples see each other; if it is repaired, one beside it where they do not.

    Name of a curve, and what is new about it: ``leak`` and ``penalty``, [step, share] each, the
    ``matrix`` of the looks that ``state["when"]`` asks for, else None, and what ``lane`` tells.
    """
    norms = {"batch": state["norm"]} | ({"alone": state["instead"]} if state["repaired"] else {})
    look = look_for(state["when"])
    lanes = {name: lane(penalty_run(norm, state), engine, look) for name, norm in norms.items()}
    for name, content in in_turns(lanes):
        told = content and {key: value for key, value in content.items() if key != "loss"}
        yield name, told


def penalty_run(norm: str, state: dict[str, object]) -> Run:
    """The Run of one net: but for the precision and the looks, one that the claim looks at."""
    return BASE.replace(
        **{"norm": norm, "norm_options": NORMS[norm], "seed": state["seed"]},
        **{"precision": "float32", "eval_every": EVALUATE_EVERY},
    )


def look_for(when: str) -> Callable[[Engine, Step], dict[str, object]]:
    """What tells leak and penalty, with the matrix of the start or of every look.

    Args:
        when: ``before`` the training or ``after`` it.
    """

    def look(trainer: Engine, record: Step) -> dict[str, object]:
        matrix, summed = matrix_of(*_in_doubles(trainer))
        own, step = matrix.diagonal(), record.step
        leak = (1 - (own**2).sum() / (matrix**2).sum()).clamp(min=0).item()
        penalty = (summed / own - 1).abs().mean().item()
        is_told = when == "after" or step == 0
        told = matrix.tolist() if is_told else None
        return {"leak": [[step, leak]], "penalty": [[step, penalty]], "matrix": told}

    return look


def _in_doubles(trainer: Engine) -> tuple[torch.nn.Module, torch.Tensor, torch.Tensor]:
    """A copy of the net, whose statistics may move, images and labels."""
    x, y = (torch.as_tensor(part[:LOOKED_AT]) for part in trainer.part("val"))
    return copy.deepcopy(trainer.net).double(), x.double(), y
