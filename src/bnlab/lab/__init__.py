"""The widgets of the book."""

from bnlab.lab.family import Family
from bnlab.lab.profiles import Profiles
from bnlab.lab.race import Race
from bnlab.lab.small_batches import SmallBatches

__all__ = ["Family", "Profiles", "Race", "SmallBatches"]
