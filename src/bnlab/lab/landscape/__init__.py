"""Landscape: train to a step, then look along the gradient and over a plane."""

from bnlab.lab.landscape.landscape import FOLDER, Landscape, first

JOBS = {"nets": FOLDER / "page_landscape.js"}
FIRST = first

__all__ = ["FIRST", "JOBS", "Landscape"]
