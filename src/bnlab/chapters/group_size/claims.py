"""Lubana et al. 2021, *Beyond BatchNorm*, L2 to L6: what the size of a group does.

The sentences, predictions, effects and margins were written before measuring. Trial runs that a
prediction speaks of had other seeds and other settings; they are not counted.
"""

from __future__ import annotations

from bnlab.chapters.group_size.start_claims import L2, L4
from bnlab.chapters.group_size.trained_claims import L3, L5, L6

CLAIMS = (L2, L3, L4, L5, L6)
