"""BNN1 of Chen 2021 on CIFAR-10: do the three parts replace BatchNorm, soon and late?

In the paper's block, whose filters have a scale each. On digits BatchNorm was ahead after a short
training, so the same comparison is made after two numbers of steps; the other arms, nothing in its
place and two parts without clipping, are trained for the larger number alone. Each arm takes its
own best rate for each number of steps.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bnlab.chapters.binary_nets.trainings import METHODS, OF_NET, OPTIMIZERS
from bnlab.train import Run
from bnlab.verdicts.race import Arm, arm_facts, lead, race
from bnlab.verdicts.work import HERE, Work

SEEDS = tuple(range(1396, 1404))
SHORT, LONG = 352, 1056
BASE = Run(
    data="cifar10",
    image_size=16,
    net="binary",
    depth=3,
    width=16,
    schedule="cosine",
    batch_size=64,
    steps=LONG,
    eval_every=LONG,
    **OPTIMIZERS["adam"],
)
RATES = (0.003, 0.01, 0.03)
TUNING_SEEDS = (0, 1)
HURRIED = {"steps": SHORT, "eval_every": SHORT}


def fields(method: str) -> dict[str, object]:
    """The fields of a Run for one of ``METHODS``."""
    own = METHODS[method]
    net = {name: own[name] for name in OF_NET if name in own}
    return {"net_options": net, **{name: own[name] for name in own if name not in OF_NET}}


ARMS = {
    **{name: Arm(fields(name), RATES) for name in ("batch", "three", "without_clip", "none")},
    **{f"{name}_short": Arm(fields(name) | HURRIED, RATES) for name in ("batch", "three")},
}


def measure(
    seeds: Sequence[int] = SEEDS,
    work: Work = HERE,
    tuning: dict | None = None,
    device: str = "cpu",
    image_size: int | None = None,
) -> dict:
    """Choose the rate of each arm, and train with it; see ``race``."""
    return race(
        ARMS,
        BASE,
        seeds,
        work,
        tuning=tuning,
        device=device,
        image_size=image_size,
        tuning_seeds=TUNING_SEEDS,
    )


def repeat(data: dict, seeds: Sequence[int]) -> dict:
    """The same trainings for some seeds."""
    return measure(seeds, tuning=data, image_size=data["base"]["image_size"])


def values(data: dict) -> dict[str, np.ndarray]:
    """The effects of BNN1, one number a seed."""
    return {
        "accuracy_short": lead(data, "batch_short", "three_short"),
        "accuracy": lead(data, "batch", "three"),
        "needed": lead(data, "three", "none"),
        "clip_added": lead(data, "three", "without_clip"),
    }


def facts(data: dict) -> dict[str, object]:
    """Numbers for sentences: those of ``arm_facts``, and ``points_EFFECT``, means in points."""
    points = {f"points_{name}": 100 * one.mean() for name, one in values(data).items()}
    return arm_facts(data) | points | {"short": SHORT, "long": LONG}
