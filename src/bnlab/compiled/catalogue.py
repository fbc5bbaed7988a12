"""The nets of the book, which are compiled beforehand."""

from __future__ import annotations

import json

from bnlab.compiled.nets import Net
from bnlab.norms import NORMS
from bnlab.norms.weight import WEIGHT_NORMS

DEPTHS = tuple(range(1, 13))
WIDTH = 64

OPTIONS = {
    "ghost_batch": {"ghost_size": 4},
    "group": {"group_size": 8},
    "evonorm_s0": {"group_size": 8},
    "filter_response": {"learnable_eps": True},
}
"""Options of normalizers that have to be chosen, on vectors."""

CONV_OPTIONS = {
    "ghost_batch": {"ghost_size": 4},
    "group": {"group_size": 4},
    "evonorm_s0": {"group_size": 4},
}
"""The same on images, for 8 channels."""

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


def small_nets() -> list[Net]:
    """Nets that are not compiled beforehand, to try the compiler with.

    A plain and a residual net with each normalizer, and MLPs with each normalizer of weights, which
    have no normalizer of activations.
    """
    convolutional = [
        Net(kind, 3, 8, name, json.dumps(CONV_OPTIONS.get(name, {})))
        for name in NORMS
        for kind in ("plain", "resnet")
    ]
    weighted = [Net("mlp", 3, 16, "none", weight_norm=name) for name in WEIGHT_NORMS]
    branches = [
        Net("resnet", 2, 8, "none", net_options=json.dumps({"branch": name}))
        for name in ("skipinit", "fixup")
    ]
    return [*convolutional, *weighted, *branches]
