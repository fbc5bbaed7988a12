"""Family: which numbers of a block share one mean, for every normalizer."""

from bnlab.lab.family.family import Family

__all__ = ["Family"]
