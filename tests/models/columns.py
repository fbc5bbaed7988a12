"""The columns of the table: what the package offers for a model, and how each is checked."""

import copy
import dataclasses
import functools
import traceback
from collections.abc import Callable
from pathlib import Path

import bnlab
from bnlab.norms import NORMS
from bnlab.norms.weight import WEIGHT_NORMS
from tests.models import landscapes, measurements, weights
from tests.models.swaps import check_swap
from tests.models.zoo import Case

Check = Callable[[Case], None]
PACKAGE = Path(bnlab.__file__).parent
WORKS, REFUSED = "works", "refused"

SWAPS = {f"swap_norms {kind}": functools.partial(check_swap, kind=kind) for kind in NORMS}
WEIGHTS = {
    f"normalize_weights {name}": functools.partial(weights.check_weights, name=name)
    for name in WEIGHT_NORMS
}
OTHERS = {
    "recompute_statistics": weights.check_recomputed,
    "LAWN": weights.check_lawn,
    "adaptive_clip_grad": weights.check_clipping,
}
MEASUREMENTS = {
    "measure_signals": measurements.check_signals,
    "measure_gradients": measurements.check_gradients,
    "measure_cancellation": measurements.check_cancellation,
    "measure_covariate_shift": measurements.check_covariate_shift,
    "measure_input_shift": measurements.check_input_shift,
    "measure_landscape": landscapes.check_landscape,
    "measure_line_slice": landscapes.check_line,
    "measure_plane_slice": landscapes.check_plane,
    "measure_relative_loss": landscapes.check_relative_loss,
    "measure_stable_rate": landscapes.check_stable_rate,
    "measure_step_moments": landscapes.check_step_moments,
    "measure_curvature": landscapes.check_curvature,
    "measure_gradient_identity": measurements.check_identity,
    "measure_memory": measurements.check_memory,
    "measure_flops": measurements.check_flops,
    "measure_indicator": measurements.check_indicator,
}
COLUMNS: dict[str, Check] = {**SWAPS, **WEIGHTS, **OTHERS, **MEASUREMENTS}


def said(check: Check, case: Case) -> str:
    """``works``, or the sentence of a refusal.

    A refusal is an error that this package raises itself. Any other error, and any value that is
    not the right one, goes on: there is no third word.
    """
    try:
        check(dataclasses.replace(case, net=copy.deepcopy(case.net)))
    except (ValueError, TypeError, RuntimeError) as error:
        place = Path(traceback.extract_tb(error.__traceback__)[-1].filename)
        if PACKAGE not in place.parents:
            raise
        return str(error)
    return WORKS
