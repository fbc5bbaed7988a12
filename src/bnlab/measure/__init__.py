"""Measurements on any net; they leave it as they found it."""

from bnlab.measure.flops import Flops, measure_flops
from bnlab.measure.indicator import Indicator, measure_indicator
from bnlab.measure.memory import Memory, measure_memory
from bnlab.measure.ranking import Agreement, agreement_beyond, noise_ceiling, rank_agreement
from bnlab.measure.signals import block_variances

__all__ = [
    "Agreement",
    "Flops",
    "Indicator",
    "Memory",
    "agreement_beyond",
    "block_variances",
    "measure_flops",
    "measure_indicator",
    "measure_memory",
    "noise_ceiling",
    "rank_agreement",
]
