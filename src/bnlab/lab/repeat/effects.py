"""How a page makes the values of a claim's effects from its rows, and what it calls its arms.

The formulas of some series are in modules of their own, see ``FORMULAS``.
"""

from __future__ import annotations

from collections.abc import Callable

from bnlab.chapters.learning_rates import b1_rates
from bnlab.chapters.learning_rates.repeats import LONG
from bnlab.draw.style import STYLE
from bnlab.lab.repeat import effects_l, effects_lw, effects_r, effects_s, effects_t
from bnlab.lab.repeat.formulas import Formulas, lead, usable


def _b1(data: dict) -> Formulas:
    depth = data["depths"][0]
    best = {norm: f"{norm}_{b1_rates.best_lr(data, depth, norm):g}" for norm in b1_rates.NORMS}
    rates = [[f"{norm}_{lr:g}" for lr in b1_rates.LRS] for norm in ("batch", "none")]
    return {
        "small": lead(f"batch_{LONG}", f"none_{LONG}"),
        "own": lead(best["batch"], best["none"]),
        "rate": usable(*rates),
    }


FORMULAS: dict[str, Callable[[dict], Formulas]] = {
    **effects_t.FORMULAS,
    "B1": _b1,
    **effects_s.FORMULAS,
    **effects_l.FORMULAS,
    **effects_r.FORMULAS,
    **effects_lw.FORMULAS,
}
"""The formulas of a claim's effects, from the data of its evidence, by its id."""


def name_of(claim: str, arm: str) -> str:
    """An arm of the claim with this id, in words."""
    if claim in effects_t.FORMULAS:
        return effects_t.name_of(claim, arm)
    for series in (effects_s, effects_l, effects_r, effects_lw):
        if claim in series.FORMULAS:
            return series.name_of(arm)
    norm, _, setting = arm.rpartition("_")
    label = STYLE[norm]["label"]
    return f"{label}, to the end" if setting == LONG else f"{label}, rate {setting}"
