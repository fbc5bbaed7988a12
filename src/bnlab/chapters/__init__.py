"""Each chapter of the book: its claims, what measures them, its figures and exercises.

A chapter is a folder named as its notebook, without the number; its ``TOPIC`` completes "this
edition holds", its ``QUESTION`` is the title of the notebook. It may have modules ``claims``
(``CLAIMS``, a tuple), ``figures`` (``FIGURES``, a function for each claim that has one) and
``exercises`` (``EXERCISES``, a checking function for each exercise), ``repeats`` (``REPEATS``, for
claims whose rows can be trained again one by one: what gives their trainings), and ``scenes``
(``SCENES``, its demonstration, and ``WIDGET``, the name of the widget that shows it).
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

from bnlab.errors import unknown

ALL = (
    "the_family",
    "signals",
    "learning_rates",
    "covariate_shift",
    "smoothness",
    "mean_field",
    "batch_renorm",
    "group_size",
    "mimicnorm",
    "lawn",
    "binary_nets",
    "bn_nas",
    "clinic",
)
"""The chapters, in the order of the book; a chapter imports only from those before it."""

PAGES = ("two_landscapes",)
"""Folders of pages that are no chapters, and have exercises."""

SERIES = ("S", "B", "W", "L", "R", "M", "LW", "BNN", "N", "T")
"""The first letters of the claims' ids, in the order of the scoreboard: each paper has its own, and
the practitioners have T."""


def collected(part: str, name: str) -> Iterator:
    """What the chapters' modules of this name hold, chapter after chapter.

    Args:
        part: of a chapter, such as ``figures``; a chapter without this module is passed over.
        name: of the object in the module, such as ``FIGURES``.
    """
    for chapter in (*ALL, *PAGES):
        if (Path(__file__).parent / chapter / f"{part}.py").exists():
            yield getattr(importlib.import_module(f"{__name__}.{chapter}.{part}"), name)


def repeats() -> dict[str, Callable]:
    """What gives the trainings behind the rows of a claim's data, by the claim's id."""
    return {name: made for of in collected("repeats", "REPEATS") for name, made in of.items()}


def scenes_of(page: str) -> ModuleType:
    """The module ``scenes`` of a chapter or another page.

    Raises:
        ValueError: if there is none; the message lists those that have one.
    """
    known = sorted(path.parent.name for path in Path(__file__).parent.glob("*/scenes.py"))
    if page not in known:
        raise ValueError(unknown("page with scenes", page, known))
    return importlib.import_module(f"{__name__}.{page}.scenes")
