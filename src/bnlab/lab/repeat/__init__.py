"""Repeat: a verdict repeated in the page; trainings, interval and words as Python gives them."""

from bnlab.engines.compiled.page_sets import PAGE_SETS
from bnlab.lab.repeat.repeat import FOLDER, Repeat

JOBS = {
    **dict.fromkeys(PAGE_SETS, FOLDER / "page_repeat.js"),
    "nets": FOLDER / "page_repeat_nets.js",
    "clinic": FOLDER / "page_repeat_clinic.js",
    "lawn_sgd": FOLDER / "page_repeat_lawn.js",
}

__all__ = ["JOBS", "Repeat"]
