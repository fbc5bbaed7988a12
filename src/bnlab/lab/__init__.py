"""The widgets of the book."""

from bnlab.lab.race import Race

__all__ = ["Race"]
