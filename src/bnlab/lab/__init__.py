"""The widgets of the book: a folder for each, and ``kit`` for what they share."""

from bnlab.lab.bits import Bits
from bnlab.lab.choices import Choices
from bnlab.lab.clinic import Clinic
from bnlab.lab.family import Family
from bnlab.lab.group_sizes import GroupSizes
from bnlab.lab.landscape import Landscape
from bnlab.lab.lawn import Lawn
from bnlab.lab.mimic import Mimic
from bnlab.lab.plane import Plane
from bnlab.lab.profiles import Profiles
from bnlab.lab.race import Race
from bnlab.lab.repeat import Repeat
from bnlab.lab.small_batches import SmallBatches

__all__ = [
    "Bits",
    "Choices",
    "Clinic",
    "Family",
    "GroupSizes",
    "Landscape",
    "Lawn",
    "Mimic",
    "Plane",
    "Profiles",
    "Race",
    "Repeat",
    "SmallBatches",
]
