"""S2 of Santurkar 2018 on CIFAR-10: noise after BatchNorm, in a race.

Settings and margins were fixed before the seeds of ``SEEDS`` were run; they were chosen knowing
trials with seed 2100. Each net runs at its own best rate, by validation images of the tuning seed,
and with noisy BatchNorm and without a normalizer at the paper's rate ``LR`` too. Drawing the noise
of each value costs more than the rest of a step, so that the trainings are half as long as in S1.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bnlab.chapters.covariate_shift import moving_channels, small_vgg
from bnlab.chapters.covariate_shift.moving_channels import NOISE
from bnlab.chapters.covariate_shift.moving_inputs import MOVES
from bnlab.verdicts import race
from bnlab.verdicts.race import Arm
from bnlab.verdicts.table import fact_name
from bnlab.verdicts.tuning import check_seeds
from bnlab.verdicts.work import HERE, Work

SEEDS = tuple(range(1300, 1308))
BASE = small_vgg.BASE.replace(steps=704, eval_every=704)
LR = 0.1  # the paper's
ARMS = {
    "none": Arm({"norm": "none"}, (0.03, 0.1, 0.3)),
    "batch": Arm({"norm": "batch"}, (0.1, 0.3, 1.0)),
    "noisy_batch": Arm({"norm": "noisy_batch"}, (0.1, 0.3, 1.0)),
}
ALONE = {NOISE: Arm({"norm": "noisy_batch"}, (0.01, 0.03, 0.1))}  # its BatchNorm is taken away
STOPPED = 0.2  # test accuracy of a net that has learned next to nothing


def measure(
    seeds: Sequence[int] = SEEDS,
    work: Work = HERE,
    tuning: dict | None = None,
    device: str = "cpu",
    image_size: int | None = None,
) -> dict:
    """Find the best rates, train the counted seeds at them and at ``LR``, and look inside.

    Args:
        seeds: whose runs are the evidence.
        work: does the trainings.
        tuning: an earlier measurement, whose trainings with the tuning seed are taken over.
        device: see ``train``.
        image_size: in place of that of ``BASE``.

    Returns:
        As ``race``, with the arm ``NOISE`` too, and ``moves``: one row a counted training.
    """
    check_seeds(seeds, race.TUNING_SEEDS)
    data = race.race(ARMS, BASE, (), work, tuning=tuning, device=device, image_size=image_size)
    data |= {"seeds": list(seeds), "arms": [*ARMS, NOISE]}
    _search_noise(data, work, device)
    nets = [(arm, race.best_lr(data, arm)) for arm in data["arms"]]
    nets += [("none", LR), ("noisy_batch", LR)]
    moving_channels.watch_all(data, ARMS | ALONE, nets, seeds, work, device)
    return data


def _search_noise(data: dict, work: Work, device: str) -> None:
    """Go on as ``race`` does, until the best rate of the noise alone is no edge."""
    missing = set(ALONE[NOISE].lrs) - {*race.rates_of(data, NOISE)}
    while missing:
        nets = [(NOISE, lr) for lr in sorted(missing)]
        moving_channels.watch_all(data, ALONE, nets, data["tuning_seeds"], work, device)
        at = race.RATES.index(race.best_lr(data, NOISE))
        missing = {*race.RATES[max(at - 1, 0) : at + 2]} - {*race.rates_of(data, NOISE)}


def repeat(data: dict, seeds: Sequence[int]) -> dict:
    """The same trainings for some seeds."""
    return measure(seeds, tuning=data, image_size=data["base"]["image_size"])


def common(data: dict, name: str = "loss") -> np.ndarray:
    """log10 of a loss without a normalizer over that with noisy BatchNorm, both at ``LR``."""
    none, noisy = (race.at_rate(data, arm, name, LR) for arm in ("none", "noisy_batch"))
    return np.log10(none / noisy)


def values(data: dict) -> dict[str, np.ndarray]:
    """The effects of S2 on CIFAR-10, one number a seed."""
    return {
        "ahead_6": race.decades(data, "none", "noisy_batch"),
        "near_6": race.decades(data, "noisy_batch", "batch"),
        "accuracy_6": race.lead(data, "noisy_batch", "none"),
        "moves": moving_channels.apart(data, "noisy_batch", "none", LR),
        "moves_whole": moving_channels.apart(data, "noisy_batch", "none", LR, "whole"),
        "common": common(data),
        "stops": race.at_rate(data, NOISE, "test_accuracy"),
    }


def facts(data: dict) -> dict[str, object]:
    """Numbers for sentences about S2 on CIFAR-10.

    ``taken`` is the share of BatchNorm's lead over no normalizer, in log terms, that the noise
    takes; ``step_ratio`` how many times farther the inputs move with noisy BatchNorm.
    """
    effect = values(data)
    lead = race.decades(data, "none", "batch").mean()
    found = race.arm_facts(data) | {
        "lr": LR,
        "ahead": 10 ** effect["ahead_6"].mean(),
        "near": 10 ** effect["near_6"].mean(),
        "gain": 100 * effect["accuracy_6"].mean(),
        "common": 10 ** effect["common"].mean(),
        "common_end": 10 ** common(data, "end").mean(),
        "end": 10 ** race.decades(data, "none", "noisy_batch", "end").mean(),
        "taken": 100 * effect["near_6"].mean() / lead,
        "stopped": int((effect["stops"] < STOPPED).sum()),
    }
    for name in MOVES:
        ratio = moving_channels.apart(data, "noisy_batch", "none", LR, name)
        found[f"{name}_ratio"] = 10 ** ratio.mean()
        for arm in data["arms"]:
            lr = LR if arm in ("none", "noisy_batch") else race.best_lr(data, arm)
            moves = moving_channels.movement(data, arm, lr, name)
            found[fact_name(name, arm)] = 100 * np.nanmedian(moves, axis=1).mean()
    return found
