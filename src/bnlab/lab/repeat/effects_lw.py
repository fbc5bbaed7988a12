"""Formulas of LW3 of Gupta 2021, and what a page calls its arms."""

from __future__ import annotations

from collections.abc import Callable

from bnlab.chapters.lawn.gains import OPTIMIZERS
from bnlab.chapters.lawn.methods import ALONE, LAWN
from bnlab.chapters.lawn.repeats import arm_name
from bnlab.lab.repeat.formulas import Formulas, contrast, lead

ACCURACY = "test"
"""The column of ``watch.ENDS``."""


def _lw3(_data: dict) -> Formulas:
    pairs = {name: (arm_name(name, LAWN), arm_name(name, ALONE)) for name in OPTIMIZERS}
    gains = {name: lead(*pair, ACCURACY) for name, pair in pairs.items()}
    return {**gains, "most": contrast(pairs["adam"], pairs["sgd"], ACCURACY)}


FORMULAS: dict[str, Callable[[dict], Formulas]] = {"LW3": _lw3}


def name_of(arm: str) -> str:
    """An arm in words."""
    optimizer, _, how = arm.rpartition("_")
    label = {"adam": "Adam", "sgd": "SGD with momentum"}[optimizer]
    return f"{label}, with LAWN" if how == LAWN else f"{label} alone"
