"""Mimic: the parts of MimicNorm, at the start of nets and in training."""

from bnlab.lab.mimic.mimic import Mimic, first

FIRST = first

__all__ = ["FIRST", "Mimic"]
