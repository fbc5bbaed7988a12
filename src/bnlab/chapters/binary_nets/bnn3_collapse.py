"""BNN3 of Chen 2021: does accuracy collapse if BatchNorm is simply left out? In which net?

The nets differ in two things: whether their filters have a scale (mean |w|, as in the paper) or are
signs alone, and whether their blocks have shortcuts (as in the paper) or are bare.

What BatchNorm does is tried by an intervention: the output of each convolution is divided by one
number that is fixed before training. That keeps the numbers before the next sign in the window in
which its gradient is estimated, and does nothing else of what BatchNorm does.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bnlab.chapters.binary_nets.trainings import BASE, Setup
from bnlab.chapters.binary_nets.tuned import Arm, arm_facts, lead, measured
from bnlab.train import Run
from bnlab.verdicts.work import HERE, Work

SEEDS = tuple(range(1032, 1040))
RATES = (0.003, 0.01, 0.03, 0.1)
NETS = {
    "scaled": {},
    "signs": {"scale": "none"},
    "scaled_bare": {"shortcuts": False},
    "signs_bare": {"scale": "none", "shortcuts": False},
}
ARMS = {
    f"{net}_{method}": Arm(Setup(method, **options), RATES)
    for net, options in NETS.items()
    for method in ("batch", "none", "divided")
    if net.startswith("signs") or method != "divided"
}


def measure(
    seeds: Sequence[int] = SEEDS, work: Work = HERE, tuning: dict | None = None, base: Run = BASE
) -> dict:
    """Choose the rate of each arm, and train with it; arguments as in BNN1."""
    return measured(ARMS, seeds, work, tuning, base)


def repeat(data: dict, seeds: Sequence[int]) -> dict:
    """The same trainings for some seeds."""
    return measure(seeds, tuning=data, base=Run.from_dict(data["base"]))


def values(data: dict) -> dict[str, np.ndarray]:
    """The effects of BNN3, one number a seed: for each net BatchNorm minus none, and divided."""
    collapse = {net: lead(data, f"{net}_batch", f"{net}_none") for net in NETS}
    return collapse | {
        "window": lead(data, "signs_divided", "signs_none"),
        "window_bare": lead(data, "signs_bare_divided", "signs_bare_none"),
    }


def facts(data: dict) -> dict[str, object]:
    """Numbers for sentences: those of ``arm_facts``, and ``points_EFFECT``, means in points."""
    means = {f"points_{name}": 100 * one.mean() for name, one in values(data).items()}
    return arm_facts(data) | means
