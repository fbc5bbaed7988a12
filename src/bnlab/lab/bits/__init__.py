"""Bits: the signs of small binary nets as they flip in training, with what replaces BatchNorm."""

from bnlab.lab.bits.bits import FOLDER, Bits, first

JOBS = {"binary": FOLDER / "page_bits.js"}
FIRST = first

__all__ = ["FIRST", "JOBS", "Bits"]
