"""Formulas of R2 and R5 of Ioffe 2017, and what a page calls their arms."""

from __future__ import annotations

import re
from collections.abc import Callable

from bnlab.chapters.batch_renorm.repeats import arm_name, r2_places, r5_places
from bnlab.draw.style import STYLE
from bnlab.lab.repeat.formulas import Formulas, decades, lead, spread


def _r2(data: dict) -> Formulas:
    batch, renorm = (arm_name(*place) for place in r2_places(data))
    return {"speed": decades(renorm, batch), "accuracy": lead(batch, renorm)}


def _r5(data: dict) -> Formulas:
    renorm, plain = (
        [arm_name(*place) for place in r5_places(data, norm)] for norm in ("batch_renorm", "none")
    )
    return {"own": spread(renorm), "plain": spread(plain, renorm)}


FORMULAS: dict[str, Callable[[dict], Formulas]] = {"R2": _r2, "R5": _r5}


def name_of(arm: str) -> str:
    """An arm in words."""
    norm, rate, scale = re.fullmatch(r"([a-z_]+)_([\d.e-]+?)(?:_([\d.]+))?", arm).groups()
    return f"{STYLE[norm]['label']}, rate {rate}" + (f", weights × {scale}" if scale else "")
