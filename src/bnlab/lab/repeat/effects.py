"""How a page makes the values of a claim's effects from its rows, and what it calls its arms.

The formulas of some series are in modules of their own, see ``FORMULAS``.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from bnlab.chapters.learning_rates import b1_rates
from bnlab.chapters.learning_rates.repeats import LONG
from bnlab.draw.style import STYLE
from bnlab.lab.repeat import effects_s
from bnlab.lab.repeat.formulas import Formulas, decades, lead, usable


def _t6(data: dict) -> Formulas:
    found = {}
    for depth in data["depths"]:
        before, after = f"before_bias_{depth}", f"after_bias_{depth}"
        found |= {
            f"after_{depth}": lead(after, before),
            f"speed_{depth}": decades(before, after),
            f"bias_before_{depth}": lead(before, f"before_bare_{depth}"),
            f"bias_after_{depth}": lead(after, f"after_bare_{depth}"),
        }
    return found


def _b1(data: dict) -> Formulas:
    depth = data["depths"][0]
    best = {norm: f"{norm}_{b1_rates.best_lr(data, depth, norm):g}" for norm in b1_rates.NORMS}
    rates = [[f"{norm}_{lr:g}" for lr in b1_rates.LRS] for norm in ("batch", "none")]
    return {
        "small": lead(f"batch_{LONG}", f"none_{LONG}"),
        "own": lead(best["batch"], best["none"]),
        "rate": usable(*rates),
    }


T2: Formulas = {
    "two": lead("group_2", "batch_2"),
    "layer": lead("layer_2", "batch_2"),
    "renorm": lead("batch_renorm_2", "batch_2"),
    "four": lead("group_4", "batch_4"),
    "eight": lead("group_8", "batch_8"),
    "one_group": lead("group_8", "group_1"),
    "one_layer": lead("layer_8", "layer_1"),
}
T4: Formulas = {"accuracy": lead("whole", "ghost"), "small": lead("ghost", "small")}
T5: Formulas = {
    "weights_all": lead("weights", "all"),
    "all_none": lead("all", "none"),
    "gamma_none": lead("gamma", "none"),
    "speed": decades("all", "weights", "end"),
}
T7: Formulas = {"worse": lead("none", "before_5"), "place": lead("head_5", "before_5")}

FORMULAS: dict[str, Callable[[dict], Formulas]] = {
    "T6": _t6,
    "T2": lambda _: T2,
    "T4": lambda _: T4,
    "T5": lambda _: T5,
    "T7": lambda _: T7,
    "B1": _b1,
    **effects_s.FORMULAS,
}
"""The formulas of a claim's effects, from the data of its evidence, by its id."""

NAMES = {
    "T4": {
        "whole": "BatchNorm, batches of 32",
        "ghost": "BatchNorm, groups of 4 in 32",
        "small": "BatchNorm, batches of 4",
    },
    "T5": {
        "none": "no decay",
        "all": "decay of all",
        "weights": "decay of the weights",
        "gamma": "decay of gamma",
    },
    "T7": {
        "none": "no dropout",
        "before_2": "dropout 0.2 before BatchNorm",
        "before_5": "dropout 0.5 before BatchNorm",
        "layer_5": "dropout 0.5 behind the layer",
        "head_5": "dropout 0.5 before the head",
    },
}
"""Arms in words, by claim."""


def name_of(claim: str, arm: str) -> str:
    """An arm of the claim with this id, in words."""
    if claim in NAMES:
        return NAMES[claim][arm]
    if found := re.fullmatch(r"(before|after)_(bias|bare)_(\d+)", arm):
        order, bias, depth = found.groups()
        place = "before" if order == "before" else "behind"
        return f"{place} the ReLU, {'bias' if bias == 'bias' else 'no bias'}, depth {depth}"
    norm, _, setting = arm.rpartition("_")
    label = STYLE[norm]["label"]
    if claim == "T2":
        return f"{label}, batches of {setting}"
    return f"{label}, to the end" if setting == LONG else f"{label}, rate {setting}"
