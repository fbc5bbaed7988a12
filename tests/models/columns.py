"""The columns of the table: what the package offers for a model, and how each is checked."""

import copy
import dataclasses
import functools
import traceback
import warnings
from collections.abc import Callable
from pathlib import Path

import bnlab
from bnlab.norms import NORMS
from bnlab.norms.weight import WEIGHT_NORMS
from bnlab.show.compatibility import IN_PART, REFUSED, WORKS
from tests.models import landscapes, measurements, weights
from tests.models.swaps import check_swap
from tests.models.zoo import Case

Check = Callable[[Case], None]
PACKAGE = Path(bnlab.__file__).parent
LEAVES_OUT = ("Left out of this measurement", "swap_norms left", "these running statistics are")

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


def outcome(check: Check, case: Case) -> tuple[str, str]:
    """What came of a check: a word, and a sentence unless all is well.

    ``refused``: this package raised an error itself. ``in part``: what is found is right, and a
    warning names what was left out. Any other error, and any value that is not the right one, goes
    on: there is no fourth word.
    """
    try:
        with warnings.catch_warnings(record=True) as heard:
            warnings.simplefilter("always")
            check(dataclasses.replace(case, net=copy.deepcopy(case.net)))
    except (ValueError, TypeError, RuntimeError) as error:
        place = Path(traceback.extract_tb(error.__traceback__)[-1].filename)
        if PACKAGE not in place.parents:
            raise
        return REFUSED, str(error)
    told = [str(one.message) for one in heard if any(p in str(one.message) for p in LEAVES_OUT)]
    return (IN_PART, told[-1]) if told else (WORKS, "")
