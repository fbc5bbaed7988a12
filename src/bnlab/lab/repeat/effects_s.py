"""Formulas of S1 and S5 of Santurkar 2018: what of their effects is about trained rows alone."""

from __future__ import annotations

from collections.abc import Callable

from bnlab.chapters.covariate_shift import repeats as race
from bnlab.chapters.covariate_shift import s1_race
from bnlab.chapters.smoothness import repeats as norms
from bnlab.chapters.smoothness import s5_lp_norms
from bnlab.lab.repeat.formulas import Formulas, decades, lead, missing, usable


def _s1(data: dict) -> Formulas:
    depth = data["depths"][0]
    arms = {
        norm: [race.arm_name(data, depth, norm, lr) for lr in s1_race.LRS] for norm in s1_race.NORMS
    }
    best = {
        norm: race.arm_name(data, depth, norm, s1_race.best_lr(data, depth, norm)) for norm in arms
    }
    return {
        "loss": decades(best["none"], best["batch"]),
        "rate": usable(arms["batch"], arms["none"]),
        "accuracy": lead(best["batch"], best["none"]),
    }


def _s5(data: dict) -> Formulas:
    none, batch, *others = (norms.arm_name(data, norm) for norm in s5_lp_norms.NORMS)
    return {
        norm.split("_")[0]: missing(none, batch, other)
        for norm, other in zip(s5_lp_norms.LP, others, strict=True)
    }


FORMULAS: dict[str, Callable[[dict], Formulas]] = {"S1": _s1, "S5": _s5}
