"""Normalizers of weights: parametrizations of Linear and Conv layers, made by their names."""

from bnlab.norms.weight.activation import NormalizedReLU, correct_relus, normalized_relu
from bnlab.norms.weight.attach import (
    WEIGHT_NORMS,
    normalize_weights,
    remove_weight_norms,
    weight_norm_options,
)
from bnlab.norms.weight.base import WeightNormalizer
from bnlab.norms.weight.eligible import ELIGIBLE, eligible_layers
from bnlab.norms.weight.filters import from_filters, to_filters
from bnlab.norms.weight.mean import project_after_step, project_weight_mean
from bnlab.norms.weight.normalizers import (
    GAINS,
    ScaledWeightStandardization,
    WeightMean,
    WeightNorm,
    WeightStandardization,
)

__all__ = [
    "ELIGIBLE",
    "GAINS",
    "WEIGHT_NORMS",
    "NormalizedReLU",
    "ScaledWeightStandardization",
    "WeightMean",
    "WeightNorm",
    "WeightNormalizer",
    "WeightStandardization",
    "correct_relus",
    "eligible_layers",
    "from_filters",
    "normalize_weights",
    "normalized_relu",
    "project_after_step",
    "project_weight_mean",
    "remove_weight_norms",
    "to_filters",
    "weight_norm_options",
]
