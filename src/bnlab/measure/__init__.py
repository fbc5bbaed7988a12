"""Measurements on any net; they leave it as they found it."""

from bnlab.measure.cost.flops import Flops, measure_flops
from bnlab.measure.cost.memory import Memory, measure_memory
from bnlab.measure.curvature.curvature import Curvature, measure_curvature
from bnlab.measure.curvature.eigenvalues import Eigenvalues, extreme_eigenvalues
from bnlab.measure.curvature.products import Product, curvature_products
from bnlab.measure.curvature.spectrum import (
    Density,
    Trace,
    hutchinson_trace,
    lanczos_density,
)
from bnlab.measure.landscape.directions import (
    filter_normalized,
    gradient_direction,
    random_direction,
)
from bnlab.measure.landscape.gradient_identity import (
    GradientIdentity,
    measure_gradient_identity,
)
from bnlab.measure.landscape.heat_map import RelativeLoss, measure_relative_loss
from bnlab.measure.landscape.landscape import (
    DEEP_LINEAR,
    VGG,
    Landscape,
    StepGrid,
    measure_landscape,
)
from bnlab.measure.landscape.slices import (
    LineSlice,
    PlaneSlice,
    measure_line_slice,
    measure_plane_slice,
)
from bnlab.measure.landscape.step_moments import StepMoments, measure_step_moments
from bnlab.measure.mean_field.theory import EXPLOSION, MeanField, crossing_gamma, mean_field
from bnlab.measure.ranking.indicator import Indicator, measure_indicator
from bnlab.measure.ranking.ranking import (
    Agreement,
    agreement_beyond,
    noise_ceiling,
    rank_agreement,
)
from bnlab.measure.rates.bisection import Bracket, StableRate, Trial, bisect_rate
from bnlab.measure.rates.stability import measure_stable_rate
from bnlab.measure.shift.gradient_shift import CovariateShift, measure_covariate_shift
from bnlab.measure.shift.input_shift import (
    Inputs,
    InputShift,
    layer_inputs,
    measure_input_shift,
)
from bnlab.measure.shift.shift_recorder import ShiftHistory, ShiftRecorder
from bnlab.measure.signals.cancellation import Cancellation, measure_cancellation
from bnlab.measure.signals.gradients import Gradients, measure_gradients, tail_index
from bnlab.measure.signals.growth import Growth, fit_growth
from bnlab.measure.signals.signals import Signals, block_variances, measure_signals

__all__ = [
    "DEEP_LINEAR",
    "EXPLOSION",
    "VGG",
    "Agreement",
    "Bracket",
    "Cancellation",
    "CovariateShift",
    "Curvature",
    "Density",
    "Eigenvalues",
    "Flops",
    "GradientIdentity",
    "Gradients",
    "Growth",
    "Indicator",
    "InputShift",
    "Inputs",
    "Landscape",
    "LineSlice",
    "MeanField",
    "Memory",
    "PlaneSlice",
    "Product",
    "RelativeLoss",
    "ShiftHistory",
    "ShiftRecorder",
    "Signals",
    "StableRate",
    "StepGrid",
    "StepMoments",
    "Trace",
    "Trial",
    "agreement_beyond",
    "bisect_rate",
    "block_variances",
    "crossing_gamma",
    "curvature_products",
    "extreme_eigenvalues",
    "filter_normalized",
    "fit_growth",
    "gradient_direction",
    "hutchinson_trace",
    "lanczos_density",
    "layer_inputs",
    "mean_field",
    "measure_cancellation",
    "measure_covariate_shift",
    "measure_curvature",
    "measure_flops",
    "measure_gradient_identity",
    "measure_gradients",
    "measure_indicator",
    "measure_input_shift",
    "measure_landscape",
    "measure_line_slice",
    "measure_memory",
    "measure_plane_slice",
    "measure_relative_loss",
    "measure_signals",
    "measure_stable_rate",
    "measure_step_moments",
    "noise_ceiling",
    "random_direction",
    "rank_agreement",
    "tail_index",
]
