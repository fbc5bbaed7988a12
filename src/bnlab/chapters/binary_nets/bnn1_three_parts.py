"""BNN1 of Chen 2021: do clipping, standardized filters and a modified block replace BatchNorm?

First in the paper's own net, whose filters have a scale each and whose blocks have shortcuts; each
of the three parts is tried alone too. There a net with nothing for BatchNorm may learn as well. So
the parts are also tried in one that needs something: the same net with filters of signs alone, as
in binary nets before XNOR-Net. (Standardized filters have a scale: with them the two nets are one.)
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bnlab.chapters.binary_nets.trainings import BASE, Setup
from bnlab.chapters.binary_nets.tuned import Arm, arm_facts, effect_facts, lead, measured
from bnlab.train import Run
from bnlab.verdicts.work import HERE, Work

SEEDS = tuple(range(1000, 1012))
RATES = (0.003, 0.01, 0.03, 0.1)
ARMS = {
    **{
        name: Arm(Setup(name), RATES)
        for name in ("batch", "none", "three", "without_clip", "standardized", "block")
    },
    "signs": Arm(Setup("none", scale="none"), RATES[1:]),
    "signs_clip": Arm(Setup("clip", scale="none"), RATES),
    "signs_block": Arm(Setup("block", scale="none"), RATES),
}


def measure(
    seeds: Sequence[int] = SEEDS, work: Work = HERE, tuning: dict | None = None, base: Run = BASE
) -> dict:
    """Choose the rate of each arm, and train with it.

    Args:
        seeds: that count.
        work: does the trainings.
        tuning: an earlier measurement, whose trainings with tuning seeds are taken over.
        base: what all trainings share.
    """
    return measured(ARMS, seeds, work, tuning, base)


def repeat(data: dict, seeds: Sequence[int]) -> dict:
    """The same trainings for some seeds."""
    return measure(seeds, tuning=data, base=Run.from_dict(data["base"]))


def values(data: dict) -> dict[str, np.ndarray]:
    """The effects of BNN1, one number a seed."""
    return {
        "accuracy": lead(data, "batch", "three"),
        "needed": lead(data, "three", "none"),
        "needed_signs": lead(data, "three", "signs"),
        "clip_added": lead(data, "three", "without_clip"),
        "clip": lead(data, "signs_clip", "signs"),
        "filters": lead(data, "standardized", "signs"),
        "block": lead(data, "signs_block", "signs"),
    }


def facts(data: dict) -> dict[str, object]:
    """Numbers for sentences: those of ``arm_facts``, and ``points_EFFECT``, means in points."""
    return arm_facts(data) | effect_facts(values(data))
