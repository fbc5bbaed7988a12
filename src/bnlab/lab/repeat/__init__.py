"""Repeat: a verdict repeated in the page; trainings, interval and words as Python gives them."""

from bnlab.engines.compiled.page_sets import PAGE_SETS
from bnlab.lab.repeat.repeat import FOLDER, Repeat

JOBS = {
    "clinic": FOLDER / "page_repeat_clinic.js",
    **dict.fromkeys(("nets", *PAGE_SETS), FOLDER / "page_repeat.js"),
}

__all__ = ["JOBS", "Repeat"]
