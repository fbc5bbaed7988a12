"""Plane: gamma and learning rate; a click trains the net of that point."""

from bnlab.lab.plane.plane import FOLDER, Plane, first

JOBS = {"squares": FOLDER / "page_plane.js"}
FIRST = first

__all__ = ["FIRST", "JOBS", "Plane"]
