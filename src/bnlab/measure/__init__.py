"""Measurements on any net; they leave it as they found it."""

from bnlab.measure.signals import block_variances

__all__ = ["block_variances"]
