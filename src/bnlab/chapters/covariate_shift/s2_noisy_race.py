"""S2 of Santurkar 2018: noise after BatchNorm, in a race with BatchNorm and with no normalizer.

Settings and margins were fixed before the seeds of ``SEEDS`` were run; they were chosen knowing
trial runs with the tuning seeds. All nets have one learning rate, as in the paper. It is ``LR``:
the largest one that is usable for at least half of the tuning seeds of the plain net (S1). The
order of the nets depends on the rate, so that the other rates are measured too.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from bnlab.chapters.covariate_shift import moving_inputs
from bnlab.chapters.covariate_shift.moving_inputs import COLUMNS, select
from bnlab.chapters.covariate_shift.s1_race import BASE, DEPTHS, ENGINE, race
from bnlab.chapters.covariate_shift.s1_race import movement as compare
from bnlab.verdicts.table import fact_name
from bnlab.verdicts.work import HERE, Work

SEEDS = tuple(range(520, 536))
NORMS = ("none", "batch", "noisy_batch")
LRS = (0.03, 0.1, 0.3, 1.0)
LR = 0.3
LOOKS = (0.1, LR)  # the first one is the plain net's best
STOPPED = 0.2  # test accuracy of a net that has learned next to nothing
WATCHED = (*NORMS, "noise")  # noise: the plain net with the noise of noisy BatchNorm


def measure(
    seeds: Sequence[int] = SEEDS,
    work: Work = HERE,
    depths: Sequence[int] = DEPTHS,
    lrs: Sequence[float] = LRS,
    looks: Sequence[float] = LOOKS,
) -> dict:
    """Train the three nets at every rate, depth and seed; look inside them, and with noise alone.

    Args:
        seeds: whose runs are the evidence.
        work: does the trainings.
        depths: of the nets; the first one decides.
        lrs: of the race; ``LR`` decides.
        looks: rates at which one looks inside, at the depth that decides; ``LR`` decides.

    Returns:
        As ``s1_race.measure``, without tuning seeds.

    Raises:
        ValueError: if the rate that decides is missing.
    """
    if LR not in lrs or LR not in looks:
        raise ValueError(f"lrs and looks must contain {LR}, the rate that decides.")
    rows = race(depths, NORMS, lrs, seeds, work)
    plan = itertools.product(WATCHED, looks, seeds)
    inside = [(BASE.replace(depth=depths[0], lr=lr, seed=seed), norm) for norm, lr, seed in plan]
    rows += work.starmap(moving_inputs.watch, inside)
    return {
        "engine": ENGINE,
        "base": BASE.to_dict(),
        "depths": list(depths),
        "lrs": list(lrs),
        "looks": list(looks),
        "seeds": list(seeds),
        "columns": list(COLUMNS),
        "rows": rows,
    }


def repeat(data: dict, seeds: Sequence[int]) -> dict:
    """The same trainings for some seeds."""
    return measure(seeds, depths=data["depths"], lrs=data["lrs"], looks=data["looks"])


def losses(data: dict, norm: str, lr: float, depth: int | None = None) -> np.ndarray:
    """Mean training loss over the run, (seeds,)."""
    return select(data, "race", norm, lr, "loss", depth)


def decades(data: dict, above: str, below: str, lr: float, depth: int | None = None) -> np.ndarray:
    """log10 of the loss of one net over that of another, (seeds,)."""
    return np.log10(losses(data, above, lr, depth) / losses(data, below, lr, depth))


def values(data: dict) -> dict[str, np.ndarray]:
    """The effects of S2, one number a seed."""
    return {
        "moves": compare(data, ("noisy_batch", LR), ("none", LR)),
        "near": decades(data, "noisy_batch", "batch", LR),
        "ahead": decades(data, "none", "noisy_batch", LR),
        "stops": select(data, "look", "noise", LR, "test_accuracy"),
    }


def facts(data: dict) -> dict[str, object]:
    """Numbers for sentences about S2; a rate of 0.1 is written ``0_1``."""
    found = {"seeds": len(data["seeds"]), "lr": LR}
    for depth, lr in itertools.product(data["depths"], data["lrs"]):
        end = fact_name(depth, lr)
        for norm in NORMS:
            found[f"{norm}_{end}"] = losses(data, norm, lr, depth).mean()
        found[f"ahead_{end}"] = 10 ** decades(data, "none", "noisy_batch", lr, depth).mean()
        found[f"near_{end}"] = 10 ** decades(data, "noisy_batch", "batch", lr, depth).mean()
    for norm in NORMS:
        found[f"{norm}_best"] = min(losses(data, norm, lr).mean() for lr in data["lrs"])
    for lr in data["looks"]:
        end = fact_name(lr)
        accuracy = select(data, "look", "noise", lr, "test_accuracy")
        found[f"stops_{end}"] = 100 * accuracy.mean()
        found[f"stopped_{end}"] = int((accuracy < STOPPED).sum())
        found[f"noise_loss_{end}"] = select(data, "look", "noise", lr, "loss").mean()
        for norm in WATCHED:
            moves = select(data, "look", norm, lr, "moves")
            found[f"moves_{norm}_{end}"] = 100 * np.median(moves, axis=1).mean()
    found["moves_ratio"] = 10 ** values(data)["moves"].mean()
    return found
