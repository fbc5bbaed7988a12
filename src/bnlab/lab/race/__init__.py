"""Race: nets that differ in their normalizer alone, trained side by side."""

from bnlab.lab.race.race import Race
from bnlab.lab.race.stored import Grid

STORED = Grid()

__all__ = ["STORED", "Race"]
