"""T5: on what weight decay acts: nothing, everything, the weights alone, gamma alone.

All four have the same strength of decay, and each its own best rate; ``none`` has none. Weights
before a BatchNorm have no scale that the output knows, so that a step turns them by about
rate / ||w||^2: decay that makes them shorter makes this *effective rate* larger. It is taken at the
end of the training, as a geometric mean over the hidden layers.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from bnlab.chapters.clinic.setting import BASE, ENGINE, TUNING_SEEDS, train_one, trained
from bnlab.train import Run, threads
from bnlab.verdicts.race import Arm, arm_facts, best_lr, decades, lead, race
from bnlab.verdicts.table import Table
from bnlab.verdicts.work import HERE, Work

SEEDS = tuple(range(1080, 1096))
DECAY = 0.01
STEPS = 600
BASE = BASE.replace(steps=STEPS, eval_every=STEPS)
RATES = (0.03, 0.1, 0.3, 1.0)
SAME_RATE = 0.1
"""At which lengths and effective rates are compared, the same for all."""
ARMS = {
    "none": {},
    "all": {"weight_decay": DECAY},
    "weights": {"weight_decay": DECAY, "decay": "weights"},
    "gamma": {"weight_decay": DECAY, "decay": "gamma"},
}
COLUMNS = ("arm", "seed", "length", "gamma")


def measure(
    seeds: Sequence[int] = SEEDS, work: Work = HERE, tuning: dict | None = None, base: Run = BASE
) -> dict:
    """Race the four, and look at the ends of trainings at the same rate.

    Returns:
        What ``race`` returns; ``ends`` has ``columns`` and ``rows`` of its own: the geometric mean
        of ||w|| over the hidden layers, and the mean gamma.
    """
    arms = {name: Arm({"optimizer_options": options}, RATES) for name, options in ARMS.items()}
    data = race(
        arms, base, seeds, work, tuning=tuning, tuning_seeds=TUNING_SEEDS, train_one=train_one
    )
    plan = [(arm, base.replace(seed=seed)) for arm in ARMS for seed in seeds]
    rows = work.starmap(end, plan)
    return {**data, "engine": ENGINE, "ends": {"columns": list(COLUMNS), "rows": rows}}


def repeat(data: dict, seeds: Sequence[int]) -> dict:
    """The same trainings for some seeds, at the rates that were chosen."""
    return measure(seeds, tuning=data, base=Run.from_dict(data["base"]))


@threads(1)
def end(arm: str, run: Run) -> list:
    """``COLUMNS`` at the end of a training at the same rate."""
    net = trained(run.replace(lr=SAME_RATE, optimizer_options=ARMS[arm])).net
    hidden, gammas = [], []
    for name, parameter in net.named_parameters():
        if parameter.ndim >= 2 and not name.startswith("head"):
            hidden.append(math.log(parameter.norm().item()))
        if parameter.ndim == 1 and name.endswith("weight"):
            gammas.append(parameter.mean().item())
    length, gamma = math.exp(np.mean(hidden)), float(np.mean(gammas))
    return [arm, run.seed, float(f"{length:.5g}"), float(f"{gamma:.5g}")]


def ends(data: dict, arm: str, name: str) -> np.ndarray:
    """A column of the ends of an arm, (seeds,)."""
    return Table.of(data["ends"]).where(arm=arm).column(name, seed=data["seeds"])


def values(data: dict) -> dict[str, np.ndarray]:
    """The effects of T5, one number a seed."""
    lengths = {arm: np.log10(ends(data, arm, "length")) for arm in ARMS}
    return {
        "weights_all": lead(data, "weights", "all"),
        "all_none": lead(data, "all", "none"),
        "gamma_none": lead(data, "gamma", "none"),
        "rate": 2 * (lengths["none"] - lengths["weights"]),
        "rate_gamma": 2 * (lengths["none"] - lengths["gamma"]),
        "speed": decades(data, "all", "weights", "end"),
    }


def facts(data: dict) -> dict[str, object]:
    """Numbers for sentences about T5: those of ``arm_facts``; lengths, gammas, effective rates."""
    found = {}
    for arm in ARMS:
        length, gamma = (ends(data, arm, name) for name in COLUMNS[2:])
        found |= {
            f"length_{arm}": length.mean(),
            f"gamma_{arm}": gamma.mean(),
            f"effective_{arm}": (SAME_RATE / length**2).mean(),
            f"best_{arm}": best_lr(data, arm),
        }
    return {**arm_facts(data), **found, "decay": DECAY}
