"""S1 of Santurkar 2018 on CIFAR-10: a race with and without BatchNorm, and how far inputs move.

Settings and margins were fixed before the seeds of ``SEEDS`` were run; they were chosen knowing
trials with seed 2100, of 704 steps. All counted trainings are looked into, at each rate of the
search for the best one; nobody looks inside at the larger rates that tell how large a rate is
usable. The rate at which the movements are compared is the best one of the net without a
normalizer, by validation images of the tuning seed.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bnlab.chapters.covariate_shift import moving_channels, small_vgg
from bnlab.chapters.covariate_shift.moving_inputs import MOVES
from bnlab.verdicts import race
from bnlab.verdicts.beyond import go_beyond
from bnlab.verdicts.race import Arm
from bnlab.verdicts.table import fact_name
from bnlab.verdicts.tuning import check_seeds
from bnlab.verdicts.work import HERE, Work

SEEDS = tuple(range(1300, 1308))
BASE = small_vgg.BASE
ARMS = {
    "none": Arm({"norm": "none"}, (0.03, 0.1, 0.3)),
    "batch": Arm({"norm": "batch"}, (0.1, 0.3, 1.0)),
}


def measure(
    seeds: Sequence[int] = SEEDS,
    work: Work = HERE,
    tuning: dict | None = None,
    device: str = "cpu",
    image_size: int | None = None,
) -> dict:
    """Find the best rates, train the counted seeds at all rates of the search, and look inside.

    Args:
        seeds: whose runs are the evidence.
        work: does the trainings.
        tuning: an earlier measurement, whose trainings with the tuning seed are taken over.
        device: see ``train``.
        image_size: in place of that of ``BASE``.

    Returns:
        As ``race``, and ``moves``: one row a counted training, see ``moving_channels``.
    """
    check_seeds(seeds, race.TUNING_SEEDS)
    data = race.race(ARMS, BASE, (), work, tuning=tuning, device=device, image_size=image_size)
    data["seeds"] = list(seeds)
    nets = [(arm, lr) for arm in ARMS for lr in race.rates_of(data, arm)]
    nets.append(("batch", race.best_lr(data, "none")))
    moving_channels.watch_all(data, ARMS, nets, seeds, work, device)
    go_beyond(data, ARMS, work, device)
    return data


def repeat(data: dict, seeds: Sequence[int]) -> dict:
    """The same trainings for some seeds."""
    return measure(seeds, tuning=data, image_size=data["base"]["image_size"])


def values(data: dict) -> dict[str, np.ndarray]:
    """The effects of S1 on CIFAR-10, one number a seed."""
    same = race.best_lr(data, "none")
    usable = {arm: race.usable(data, arm) for arm in ARMS}
    return {
        "loss": race.decades(data, "none", "batch"),
        "rate": np.log10(usable["batch"] / usable["none"]),
        "accuracy": race.lead(data, "batch", "none"),
        **{name: moving_channels.apart(data, "none", "batch", same, name) for name in MOVES},
    }


def facts(data: dict) -> dict[str, object]:
    """Numbers for sentences about S1 on CIFAR-10; a rate of 0.1 is written ``0_1``.

    ``calmer_step_0_1``: how many times farther the inputs move in a step without a normalizer.
    """
    effect = values(data)
    ends = race.decades(data, "none", "batch", "end")
    found = race.arm_facts(data) | {
        "ratio": 10 ** effect["rate"].mean(),
        "faster": 10 ** effect["loss"].mean(),
        "gain": 100 * effect["accuracy"].mean(),
        "end": 10 ** ends.mean(),
        "ends_lower": int((ends < 0).sum()),
    }
    same, tried = race.best_lr(data, "none"), {arm: race.rates_of(data, arm) for arm in ARMS}
    for name in MOVES:
        found[fact_name("calmer", name)] = 10 ** effect[name].mean()
        for lr in moving_channels.seen_at(data, *ARMS):
            ratio = moving_channels.apart(data, "none", "batch", lr, name)
            if np.isfinite(ratio).any():
                found[fact_name("calmer", name, lr)] = 10 ** np.nanmean(ratio)
        for arm in ARMS:
            moves = moving_channels.movement(data, arm, same, name)
            found[fact_name(arm, name)] = 100 * np.median(moves, axis=1).mean()
    for arm in ARMS:
        found[f"usable_{arm}"] = 10 ** np.log10(race.usable(data, arm)).mean()
        for lr in tried[arm]:
            score = race.at_rate(data, arm, "test_accuracy", lr)
            found[fact_name("test", arm, lr)] = 100 * score.mean()
    return found
