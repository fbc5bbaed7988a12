"""Lawn: Adam, and Adam whose weights keep their norms from some step on, on the same batches."""

from bnlab.lab.lawn.lawn import FOLDER, Lawn

JOBS = {"lawn": FOLDER / "page_lawn.js"}

__all__ = ["JOBS", "Lawn"]
