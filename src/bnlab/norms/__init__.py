"""Normalizers of activations, all made by ``make_norm(name, num_features, **options)``."""

from bnlab.norms.base import Normalizer
from bnlab.norms.batch import BatchNorm, GhostBatchNorm
from bnlab.norms.batch_renorm import BatchRenorm, RenormSchedule
from bnlab.norms.evonorm import EvoNormB0, EvoNormS0
from bnlab.norms.filter_response import FilterResponseNorm
from bnlab.norms.group import GroupNorm, InstanceNorm, LayerNorm
from bnlab.norms.lp import L1BatchNorm, L2BatchNorm, LInfBatchNorm
from bnlab.norms.noisy import NoisyBatchNorm
from bnlab.norms.readers import KNOWN
from bnlab.norms.reading import NormReading, read_norm, register_norm
from bnlab.norms.registry import NORMS, NoNorm, check_options, make_norm, options_of
from bnlab.norms.rms import RMSNorm
from bnlab.norms.statistics import recompute_statistics
from bnlab.norms.swap import swap_norms
from bnlab.norms.swap_report import SwapReport
from bnlab.norms.variance import VarianceNorm

__all__ = [
    "NORMS",
    "BatchNorm",
    "BatchRenorm",
    "EvoNormB0",
    "EvoNormS0",
    "FilterResponseNorm",
    "GhostBatchNorm",
    "GroupNorm",
    "InstanceNorm",
    "L1BatchNorm",
    "L2BatchNorm",
    "LInfBatchNorm",
    "LayerNorm",
    "NoNorm",
    "NoisyBatchNorm",
    "NormReading",
    "Normalizer",
    "RMSNorm",
    "RenormSchedule",
    "SwapReport",
    "VarianceNorm",
    "check_options",
    "make_norm",
    "options_of",
    "read_norm",
    "recompute_statistics",
    "register_norm",
    "swap_norms",
]

for _cls, _reader in KNOWN.items():
    register_norm(_cls, _reader)
