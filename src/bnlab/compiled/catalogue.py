"""The nets of the book, which are compiled beforehand."""

from __future__ import annotations

import json

from bnlab.compiled.nets import Net
from bnlab.norms import NORMS

DEPTHS = tuple(range(1, 13))
WIDTH = 64

OPTIONS = {
    "ghost_batch": {"ghost_size": 4},
    "group": {"group_size": 8},
    "evonorm_s0": {"group_size": 8},
    "filter_response": {"learnable_eps": True},
}
"""Options of normalizers that have to be chosen, on vectors."""

UNDEFINED = ("instance",)
"""Normalizers that are not defined on vectors."""


def catalogue() -> list[Net]:
    """All nets that are compiled beforehand: MLPs of width 64, of each depth and normalizer."""
    names = [name for name in NORMS if name not in UNDEFINED]
    return [
        Net("mlp", depth, WIDTH, name, json.dumps(OPTIONS.get(name, {})))
        for name in names
        for depth in DEPTHS
    ]
