"""Bits: the signs of small binary nets as they flip in training, with what replaces BatchNorm."""

from bnlab.lab.bits.bits import FOLDER, Bits

JOBS = {"binary": FOLDER / "page_bits.js"}

__all__ = ["JOBS", "Bits"]
