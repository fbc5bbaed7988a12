"""Profiles: what flows through untrained nets, layer by layer, with different normalizers."""

from bnlab.lab.profiles.profile_grid import ProfileGrid
from bnlab.lab.profiles.profiles import Profiles

STORED = ProfileGrid()

__all__ = ["STORED", "Profiles"]
