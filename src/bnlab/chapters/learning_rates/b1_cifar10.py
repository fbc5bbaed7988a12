"""B1 of Bjorck 2018 on CIFAR-10: a small residual net, trained as the paper trains its large one.

Momentum, weight decay, crops and flips, and a rate that falls to a tenth at half and at three
quarters of the training are the paper's; like there, no rate is warmed up. Rates were chosen, and
settings and margins fixed, before the seeds of ``SEEDS`` and of the long trainings were run.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bnlab.train import Run
from bnlab.verdicts.beyond import go_beyond, outcomes
from bnlab.verdicts.race import COLUMNS, Arm, arm_facts, at_rate, lead, race, rates_of, usable
from bnlab.verdicts.table import Table
from bnlab.verdicts.work import HERE, Work

SEEDS = tuple(range(1316, 1324))
SMALL_LR = 0.01
LONG = 3  # to the end: so many times the steps, at the small rate
LONG_SEED = len(SEEDS)  # what is added to a seed for its long training: 1324 to 1331
BASE = Run(
    data="cifar10",
    image_size=16,
    net="resnet",
    depth=3,
    width=16,
    lr=SMALL_LR,
    batch_size=64,
    optimizer_options={"momentum": 0.9, "weight_decay": 5e-4},
    augment="crop_flip",
    schedule="steps",
    steps=1056,
    eval_every=1056,
)
ARMS = {
    "none": Arm({"norm": "none"}, (0.01, 0.03, 0.1)),
    "batch": Arm({"norm": "batch"}, (0.1, 0.3, 1.0)),
}


def measure(
    seeds: Sequence[int] = SEEDS,
    work: Work = HERE,
    tuning: dict | None = None,
    device: str = "cpu",
    image_size: int | None = None,
) -> dict:
    """Train both nets at rates around the best one of each, and longer at one small rate.

    Args:
        seeds: whose test accuracies are the evidence.
        work: does the trainings.
        tuning: an earlier measurement; its trainings with the tuning seeds are taken over.
        device: see ``race``.
        image_size: in place of that of the base.

    Returns:
        As ``race``, with ``long``: rows of the same columns, one a long training.
    """
    shared = {"tuning": tuning, "device": device, "image_size": image_size}
    data = race(ARMS, BASE, seeds, work, everywhere=True, **shared)
    go_beyond(data, ARMS, work, device)
    steps = LONG * BASE.steps
    end = Run.from_dict(data["base"]).replace(lr=SMALL_LR, steps=steps, eval_every=steps)
    plan = [(arm, SMALL_LR, seed + LONG_SEED) for arm in ARMS for seed in seeds]
    runs = [end.replace(**ARMS[arm].fields, seed=seed) for arm, _, seed in plan]
    found = outcomes(runs, work, device)
    data["long"] = [[*case, *numbers] for case, numbers in zip(plan, found, strict=True)]
    return data


def repeat(data: dict, seeds: Sequence[int]) -> dict:
    """The same trainings for some seeds, on the CPU."""
    return measure(seeds, tuning=data, image_size=data["base"]["image_size"])


def to_the_end(data: dict, name: str = "test_accuracy") -> dict[str, np.ndarray]:
    """A column of the long trainings at the small rate, one number a seed and arm."""
    table = Table(COLUMNS, data["long"])
    return {arm: table.where(arm=arm).column(name) for arm in ARMS}


def values(data: dict) -> dict[str, np.ndarray]:
    """The effects of B1, one number a seed."""
    end = to_the_end(data)
    return {
        "small": end["batch"] - end["none"],
        "own": lead(data, "batch", "none"),
        "rate": np.log10(usable(data, "batch") / usable(data, "none")),
    }


def _chosen_again(data: dict, arm: str) -> float:
    """Mean test accuracy at the rate with the best mean validation of the counted seeds."""
    rates = rates_of(data, arm)
    best = max(rates, key=lambda lr: at_rate(data, arm, "val_accuracy", lr).mean())
    return float(at_rate(data, arm, "test_accuracy", best).mean())


def facts(data: dict) -> dict[str, object]:
    """Numbers for sentences about B1, besides those of ``arm_facts``.

    ``long_``: accuracy at the small rate, in per cent, and ``long_end_``, the training loss of the
    last tenth, which says how far a net has come; ``usable_``: the median of the largest usable
    rates; ``largest_``: the largest rate that was tried. ``own_again``: ``own``, if validation of
    the counted seeds had chosen the rates, and not that of the one tuning seed.
    """
    effect = values(data)
    found = arm_facts(data) | {
        "small_lr": SMALL_LR,
        "long_steps": LONG * data["base"]["steps"],
        "behind_long": -100 * effect["small"].mean(),
        "own": 100 * effect["own"].mean(),
        "ratio": 10 ** effect["rate"].mean(),
        "own_again": 100 * (_chosen_again(data, "batch") - _chosen_again(data, "none")),
    }
    for arm in data["arms"]:
        rates = usable(data, arm)
        found[f"long_{arm}"] = 100 * to_the_end(data)[arm].mean()
        found[f"long_end_{arm}"] = to_the_end(data, "end")[arm].mean()
        found[f"usable_{arm}"] = float(np.median(rates))
        found[f"largest_{arm}"] = rates_of(data, arm)[-1]
    return found
