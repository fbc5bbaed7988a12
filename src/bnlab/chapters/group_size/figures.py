"""The figures of chapter 08, by claim."""

from __future__ import annotations

from bnlab.chapters.group_size import start_figures, trained_figures

FIGURES = start_figures.FIGURES | trained_figures.FIGURES
