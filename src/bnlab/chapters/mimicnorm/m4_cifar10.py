"""M4 of Fei 2020 on CIFAR-10: does the last BatchNorm allow larger rates in a plain net?

In a small VGG, where MimicNorm has no scalars. The net with the last BatchNorm alone is compared
with the same net without it: nothing else is changed, not even the initial weights. And with the
net as others start it, without a normalizer.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bnlab.chapters.mimicnorm.cifar10_nets import base, plain
from bnlab.verdicts.beyond import go_beyond
from bnlab.verdicts.race import Arm, arm_facts, at_rate, of_arm, race, rates_of, usable
from bnlab.verdicts.table import fact_name
from bnlab.verdicts.tuning import CHANCE
from bnlab.verdicts.work import HERE, Work

SEEDS = tuple(range(1380, 1388))
BASE = base(352, warmup=50)
TUNING_SEEDS = (0, 1)
TOO_LARGE = 0.3  # for the net without the last BatchNorm, in trials
ARMS = {
    "last_norm": Arm(plain("last_norm"), (0.03, 0.1, 0.3, 1.0)),
    "neither": Arm(plain("neither"), (0.03, 0.1, 0.3)),
    "none": Arm(plain("none"), (0.03, 0.1, 0.3)),
}


def measure(
    seeds: Sequence[int] = SEEDS,
    work: Work = HERE,
    tuning: dict | None = None,
    device: str = "cpu",
    image_size: int | None = None,
) -> dict:
    """Train each net at all rates of its search; see ``race``."""
    data = race(
        ARMS,
        BASE,
        seeds,
        work,
        tuning=tuning,
        everywhere=True,
        device=device,
        image_size=image_size,
        tuning_seeds=TUNING_SEEDS,
    )
    go_beyond(data, ARMS, work, device)
    return data


def repeat(data: dict, seeds: Sequence[int]) -> dict:
    """The same trainings for some seeds."""
    return measure(seeds, tuning=data, image_size=data["base"]["image_size"])


def values(data: dict) -> dict[str, np.ndarray]:
    """The effects of M4, one number a seed."""
    largest = {arm: np.log10(usable(data, arm)) for arm in ARMS}
    with_it, without = (
        at_rate(data, arm, "test_accuracy", TOO_LARGE) for arm in ("last_norm", "neither")
    )
    return {
        "rate": largest["last_norm"] - largest["neither"],
        "trains": with_it - without,
        "bare": largest["last_norm"] - largest["none"],
    }


def facts(data: dict) -> dict[str, object]:
    """Numbers for sentences: those of ``arm_facts``, rates, and accuracies in per cent by rate."""
    found = arm_facts(data) | {"too_large": TOO_LARGE, "chance": 100 * CHANCE}
    for arm in data["arms"]:
        found[f"usable_{arm}"] = 10 ** np.log10(usable(data, arm)).mean()
        for lr in rates_of(data, arm):
            numbers = at_rate(data, arm, "test_accuracy", lr)
            ends = of_arm(data, arm).where(lr=lr, seed=data["seeds"]).entries("diverged_at")
            found[fact_name("at", arm, lr)] = 100 * numbers.mean()
            found[fact_name("diverged_at", arm, lr)] = sum(one is not None for one in ends)
    effects = values(data)
    found |= {f"{name}_times": 10 ** effects[name].mean() for name in ("rate", "bare")}
    return found | {"trains": 100 * effects["trains"].mean()}
