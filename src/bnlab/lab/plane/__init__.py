"""Plane: gamma and learning rate; a click trains the net of that point."""

from bnlab.lab.plane.plane import FOLDER, Plane

JOBS = {"squares": FOLDER / "page_plane.js"}

__all__ = ["JOBS", "Plane"]
