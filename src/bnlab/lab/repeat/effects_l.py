"""Formulas of L3, L5 and L6 of Lubana 2021, and what a page calls their arms.

The formula of L3 has the cosines at the start beside the rows, which a page does not measure:
there is no value for fresh seeds. The order over all normalizers keeps the evidence's numbers, as a
page cannot begin with the gains of weight norm.
"""

from __future__ import annotations

from collections.abc import Callable

from bnlab.chapters.group_size import l3_order, l5_tradeoff, l6_architectures, trainings
from bnlab.chapters.group_size.repeats import arm_name
from bnlab.draw.style import STYLE
from bnlab.lab.repeat.formulas import Formulas, decades, lead, order, usable


def _best(data: dict, net: str, norm: str) -> str:
    return arm_name(norm, trainings.best_lr(data, net, norm))


def _l3(data: dict) -> Formulas:
    net, norms = l3_order.NET, l3_order.GROUPS
    cosines = [trainings.column(data, net, norm, None, "cosine").tolist() for norm in norms]
    return {"groups": order([_best(data, net, norm) for norm in norms], cosines)}


def _l5(data: dict) -> Formulas:
    net, found = data["nets"][0], {}
    arms = {
        norm: [arm_name(norm, lr) for lr in trainings.rates_of(data, net, norm)]
        for norm in l5_tradeoff.SIZES
    }
    for end, norm in (("", "group_2"), ("_4", "group_4")):
        found[f"stability{end}"] = usable(arms["layer"], arms[norm])
        found[f"speed{end}"] = decades(_best(data, net, "layer"), _best(data, net, norm))
    return found


def _l6(data: dict) -> Formulas:
    overall, net, best = l6_architectures.chosen(data)
    return {"behind": lead(_best(data, net, best), _best(data, net, overall))}


FORMULAS: dict[str, Callable[[dict], Formulas]] = {"L3": _l3, "L5": _l5, "L6": _l6}


def name_of(arm: str) -> str:
    """An arm in words."""
    norm, _, rate = arm.rpartition("_")
    of, _, size = norm.rpartition("_")
    label = f"groups of {size}" if of == "group" else STYLE[norm]["label"]
    return f"{label}, rate {rate}"
