"""Formulas of the claims of the clinic, T1 to T8, and what a page calls their arms.

Beside those of ``formulas.py`` a formula is ``effective``, log10 of the effective rate of one arm
over that of another; ``mean`` of a column that is a list; ``unmoved``, what is forgotten or moved,
whichever is more; ``least`` of some columns; or ``rounding``, log10 of the largest of columns that
are rounding errors.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from bnlab.chapters.clinic import kinds, t1_modes, t5_decay, t7_dropout
from bnlab.chapters.clinic.repeats import GRADIENTS, SAME, arm_looked_at
from bnlab.draw.style import STYLE
from bnlab.lab.repeat.formulas import Formulas, decades, lead


def _t1(_data: dict) -> Formulas:
    lost = {
        f"{cause}_{name}": lead(cause, cause, "train_mode", column)
        for name, column in (("repaired", "repaired"), ("lost", "eval_mode"))
        for cause in t1_modes.CAUSES
    }
    usual = t1_modes.USUAL
    return {**lost, "usual": lead(usual, usual, "train_mode", "eval_mode")}


T2: Formulas = {
    "two": lead("group_2", "batch_2"),
    "training": lead("group_2", "batch_2", "test_accuracy", "repaired"),
    "layer": lead("layer_2", "batch_2"),
    "renorm": lead("batch_renorm_2", "batch_2"),
    "four": lead("group_4", "batch_4"),
    "eight": lead("group_8", "batch_8"),
    "one_group": lead("group_8", "group_1"),
    "one_layer": lead("layer_8", "layer_1"),
}
T3: Formulas = {
    "drift": lead("head", "head", "before", "old"),
    "kept": {"kind": "unmoved", "arms": ["frozen"]},
    "new": lead("frozen", "head", "new"),
    "free": lead("free", "frozen", "new"),
}
T4: Formulas = {
    "whole": {"kind": "least", "arms": [GRADIENTS], "columns": ["whole_start", "whole"]},
    **{
        name: {"kind": "rounding", "arms": [GRADIENTS], "columns": [f"{name}_start", name]}
        for name in ("ghost", "layer")
    },
    "accuracy": lead("whole", "ghost"),
    "small": lead("ghost", "small"),
}


def _t5(data: dict) -> Formulas:
    none, weights, gamma = (
        arm_looked_at(data, arm, t5_decay.SAME_RATE) for arm in ("none", "weights", "gamma")
    )
    return {
        "weights_all": lead("weights", "all"),
        "all_none": lead("all", "none"),
        "gamma_none": lead("gamma", "none"),
        "rate": {"kind": "effective", "arms": [none, weights]},
        "rate_gamma": {"kind": "effective", "arms": [none, gamma]},
        "speed": decades("all", "weights", "end"),
    }


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


def _t7(data: dict) -> Formulas:
    looked_at = {
        arm: arm_looked_at(data, arm, t7_dropout.SAME_RATE)
        for arm in ("before_5", "layer_5", "head_5", "none")
    }
    shifts = {
        arm.removesuffix("_5"): {"kind": "mean", "arms": [of], "column": "shifts"}
        for arm, of in looked_at.items()
    }
    before = looked_at["before_5"]
    return {
        **shifts,
        "lost": lead(before, before, "repaired", "accuracy"),
        "worse": lead("none", "before_5"),
        "place": lead("head_5", "before_5"),
    }


T8: Formulas = {
    part: {"kind": "least", "arms": ["batch"], "columns": [column]}
    for part, column in (
        ("penalty", "penalty_64"),
        ("leak", "leak_64"),
        ("leak_8", "leak_8"),
        ("start", "leak_64_start"),
    )
} | {
    "alone": {
        "kind": "rounding",
        "arms": ["none", "group", "layer"],
        "columns": list(kinds.INFLUENCE.columns),
    }
}

FORMULAS: dict[str, Callable[[dict], Formulas]] = {
    "T1": _t1,
    "T2": lambda _: T2,
    "T3": lambda _: T3,
    "T4": lambda _: T4,
    "T5": _t5,
    "T6": _t6,
    "T7": _t7,
    "T8": lambda _: T8,
}

NAMES = {
    "T1": {
        "slow": "momentum of 0.001",
        "one_class": "last batches of one class",
        "averaged": "averaged weights",
        "usual": "none of these causes",
    },
    "T3": {
        "free": "all of the net free",
        "head": "requires_grad=False alone",
        "frozen": "evaluation mode too",
    },
    "T4": {
        "whole": "BatchNorm, batches of 32",
        "ghost": "BatchNorm, groups of 4 in 32",
        "small": "BatchNorm, batches of 4",
        GRADIENTS: "gradients before and after a training",
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
SAME_RATES = {"T5": t5_decay.SAME_RATE, "T7": t7_dropout.SAME_RATE}


def name_of(claim: str, arm: str) -> str:
    """An arm of a claim of the clinic, in words."""
    if arm.endswith(f"_{SAME}"):
        return f"{name_of(claim, arm.removesuffix(f'_{SAME}'))}, rate {SAME_RATES[claim]:g}"
    if claim == "T8":
        return STYLE[arm]["label"]
    if claim in NAMES:
        return NAMES[claim][arm]
    if found := re.fullmatch(r"(before|after)_(bias|bare)_(\d+)", arm):
        order, bias, depth = found.groups()
        place = "before" if order == "before" else "behind"
        return f"{place} the ReLU, {'bias' if bias == 'bias' else 'no bias'}, depth {depth}"
    norm, _, size = arm.rpartition("_")
    return f"{STYLE[norm]['label']}, batches of {size}"
