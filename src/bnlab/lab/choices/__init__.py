"""Choices: a supernet as a grid of choices, and the architecture that its scales choose."""

from bnlab.lab.choices.choices import Choices
from bnlab.lab.choices.choices_grid import ChoicesGrid

STORED = ChoicesGrid()

__all__ = ["STORED", "Choices"]
