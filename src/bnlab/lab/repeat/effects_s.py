"""Formulas of S1, S2 and S5 of Santurkar 2018, and what a page calls their arms."""

from __future__ import annotations

from collections.abc import Callable

from bnlab.chapters.covariate_shift import repeats as race
from bnlab.chapters.covariate_shift import s1_race, s2_noisy_race
from bnlab.chapters.smoothness import repeats as norms
from bnlab.chapters.smoothness import s5_lp_norms
from bnlab.draw.style import STYLE
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


def _s2(data: dict) -> Formulas:
    first, *_ = depths = s2_noisy_race.DEPTHS
    at_common = [
        race.arm_name(data, first, norm, s2_noisy_race.LR) for norm in ("none", "noisy_batch")
    ]
    found = {"common": decades(*at_common)}
    for depth in depths:
        none, batch, noisy = (
            race.arm_name(data, depth, norm, s2_noisy_race.best_lr(data, depth, norm))
            for norm in s2_noisy_race.NORMS
        )
        found[f"ahead_{depth}"] = decades(none, noisy)
        found[f"near_{depth}"] = decades(noisy, batch)
        found[f"accuracy_{depth}"] = lead(noisy, none)
    return found


def _s5(data: dict) -> Formulas:
    none, batch, *others = (norms.arm_name(data, norm) for norm in s5_lp_norms.NORMS)
    return {
        norm.split("_")[0]: missing(none, batch, other)
        for norm, other in zip(s5_lp_norms.LP, others, strict=True)
    }


FORMULAS: dict[str, Callable[[dict], Formulas]] = {"S1": _s1, "S2": _s2, "S5": _s5}


def name_of(arm: str) -> str:
    """An arm in words."""
    norm, _, rate = arm.removeprefix(race.DEEP).rpartition("_")
    return f"{STYLE[norm]['label']}, rate {rate}" + (", deep net" if race.DEEP in arm else "")
