"""BNN2 of Chen 2021: how much less accurate are the paper's blocks without BatchNorm?

In two stages, as in the paper: half of the steps with real weights and binary activations, then
half with both binary.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bnlab.chapters.binary_nets.trainings import BASE, Setup
from bnlab.chapters.binary_nets.tuned import Arm, arm_facts, effect_facts, lead, measured
from bnlab.train import Run
from bnlab.verdicts.work import HERE, Work

SEEDS = tuple(range(1016, 1028))
RATES = (0.003, 0.01, 0.03, 0.1)
LONG = BASE.replace(steps=400, eval_every=400)
ARMS = {name: Arm(Setup(name, stages=2), RATES) for name in ("batch", "three")}


def measure(
    seeds: Sequence[int] = SEEDS, work: Work = HERE, tuning: dict | None = None, base: Run = LONG
) -> dict:
    """Choose the rate of each arm, and train with it; arguments as in BNN1."""
    return measured(ARMS, seeds, work, tuning, base)


def repeat(data: dict, seeds: Sequence[int]) -> dict:
    """The same trainings for some seeds."""
    return measure(seeds, tuning=data, base=Run.from_dict(data["base"]))


def values(data: dict) -> dict[str, np.ndarray]:
    """The effects of BNN2, one number a seed."""
    return {"drop": lead(data, "batch", "three")}


def facts(data: dict) -> dict[str, object]:
    """Numbers for sentences: those of ``arm_facts``, and ``points_EFFECT``, means in points."""
    return arm_facts(data) | effect_facts(values(data))
