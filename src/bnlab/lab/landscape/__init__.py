"""Landscape: train to a step, then look along the gradient and over a plane."""

from bnlab.lab.landscape.landscape import FOLDER, Landscape

JOBS = {"nets": FOLDER / "page_landscape.js"}

__all__ = ["JOBS", "Landscape"]
