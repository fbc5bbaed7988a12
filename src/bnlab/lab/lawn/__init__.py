"""Lawn: Adam, and Adam whose weights keep their norms from some step on, on the same batches."""

from bnlab.lab.lawn.lawn import FOLDER, Lawn, first

JOBS = {"lawn": FOLDER / "page_lawn.js"}
FIRST = first

__all__ = ["FIRST", "JOBS", "Lawn"]
