"""GroupSizes: a group size next to its neighbours, at the start of nets and in training."""

from bnlab.lab.group_sizes.group_sizes import GroupSizes, first

FIRST = first

__all__ = ["FIRST", "GroupSizes"]
