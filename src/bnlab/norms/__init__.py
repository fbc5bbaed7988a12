"""Normalizers of activations, all made by ``make_norm(name, num_features, **options)``."""

from bnlab.norms.base import Normalizer
from bnlab.norms.batch import BatchNorm
from bnlab.norms.group import GroupNorm, InstanceNorm, LayerNorm
from bnlab.norms.registry import NORMS, NoNorm, check_options, make_norm, options_of
from bnlab.norms.swap import SwapReport, swap_norms

__all__ = [
    "NORMS",
    "BatchNorm",
    "GroupNorm",
    "InstanceNorm",
    "LayerNorm",
    "NoNorm",
    "Normalizer",
    "SwapReport",
    "check_options",
    "make_norm",
    "options_of",
    "swap_norms",
]
