"""S2 of Santurkar 2018: noise after BatchNorm, in a race with BatchNorm and with no normalizer.

Settings and margins were fixed before the seeds of ``SEEDS`` were run; they were chosen knowing
trial runs with the tuning seeds, and the first edition's result (seeds 520 to 535). Each net runs
at its own best rate, by validation images of the tuning seeds. As the paper compares at one rate,
they are compared at one too: ``LR``, the largest that is usable for at least half of the tuning
seeds of the net without a normalizer (S1).

The core is that BatchNorm without stable inputs is still faster than no normalizer: if it were
not, stability could be all that BatchNorm gives. Its margin is that of the same number in S1.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from bnlab.chapters.covariate_shift import moving_inputs
from bnlab.chapters.covariate_shift.moving_inputs import MOVES, RACED, apart, movement, select
from bnlab.chapters.covariate_shift.s1_race import BASE, DEPTHS, ENGINE, TUNING_SEEDS, race
from bnlab.verdicts.table import Table, fact_name
from bnlab.verdicts.tuning import best_rate, check_seeds
from bnlab.verdicts.work import HERE, Work

SEEDS = tuple(range(264, 280))
NORMS = ("none", "batch", "noisy_batch")
LRS = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0)
LR = 0.3
NOISE = "noise"  # the net without a normalizer, with the noise of noisy BatchNorm
NOISE_LRS = {6: (0.01, 0.03, 0.1, 0.3), 15: (0.003, 0.01, 0.03, 0.1)}
COUNTED = {6: (0.03, 0.1, 0.3), 15: (0.01, 0.03)}  # the rates at which other seeds count
WATCHED = (*NORMS, NOISE)
STOPPED = 0.2  # test accuracy of a net that has learned next to nothing


def measure(
    seeds: Sequence[int] = SEEDS,
    work: Work = HERE,
    tuning: dict | None = None,
) -> dict:
    """Train the nets at every rate, depth and seed; look inside them at the common rate.

    Args:
        seeds: whose runs are the evidence.
        work: does the trainings.
        tuning: an earlier measurement; its trainings with the tuning seeds are taken over.

    Returns:
        As ``s1_race.measure``. The net with noise alone is trained by PyTorch.
    """
    check_seeds(seeds, TUNING_SEEDS)
    new, rows = (*TUNING_SEEDS, *seeds), []
    if tuning:
        new, rows = seeds, Table.of(tuning).where(seed=TUNING_SEEDS).rows
    rows += race(DEPTHS, NORMS, LRS, new, work)
    noisy = [
        (depth, lr, seed)
        for depth in DEPTHS
        for lr in NOISE_LRS[depth]
        for seed in new
        if seed in TUNING_SEEDS or lr in COUNTED[depth]
    ]
    runs = [(BASE.replace(depth=depth, lr=lr, seed=seed),) for depth, lr, seed in noisy]
    rows += work.starmap(moving_inputs.noise_row, runs)
    plan = itertools.product(WATCHED, seeds)
    inside = [(BASE.replace(depth=DEPTHS[0], lr=LR, seed=seed), norm) for norm, seed in plan]
    rows += work.starmap(moving_inputs.watch, inside)
    return {
        "engine": ENGINE,
        "base": BASE.to_dict(),
        "depths": list(DEPTHS),
        "lrs": list(LRS),
        "seeds": list(seeds),
        "tuning_seeds": list(TUNING_SEEDS),
        "columns": list(RACED),
        "rows": rows,
    }


def repeat(data: dict, seeds: Sequence[int]) -> dict:
    """The same trainings for some seeds."""
    return measure(seeds, tuning=data)


def rates(depth: int, norm: str) -> Sequence[float]:
    """The rates from which the best one of a net is chosen."""
    return NOISE_LRS[depth] if norm == NOISE else LRS


def best_lr(data: dict, depth: int, norm: str) -> float:
    """The best learning rate of a net; see ``best_rate``."""
    table, lrs = Table.of(data).where(part="race", depth=depth, norm=norm), rates(depth, norm)
    return best_rate(lrs, table.column("val_accuracy", lr=lrs, seed=data["tuning_seeds"]))


def found_at(
    data: dict, norm: str, depth: int, name: str = "loss", lr: float | None = None
) -> np.ndarray:
    """A column of the race, at a rate or the net's best one, (seeds,)."""
    return select(data, "race", norm, lr or best_lr(data, depth, norm), name, depth)


def decades(
    data: dict, above: str, below: str, depth: int, name: str = "loss", lr: float | None = None
) -> np.ndarray:
    """log10 of the loss of one net over that of another, at a rate or each at its best one."""
    return np.log10(found_at(data, above, depth, name, lr) / found_at(data, below, depth, name, lr))


def values(data: dict) -> dict[str, np.ndarray]:
    """The effects of S2, one number a seed."""
    first, *_ = DEPTHS
    nets = ("noisy_batch", LR), ("none", LR)
    found = {
        "moves": apart(data, *nets),
        "moves_whole": apart(data, *nets, "whole"),
        "common": decades(data, "none", "noisy_batch", first, lr=LR),
        "stops": found_at(data, NOISE, first, "test_accuracy"),
    }
    for depth in DEPTHS:
        score = {norm: found_at(data, norm, depth, "test_accuracy") for norm in NORMS}
        found[f"ahead_{depth}"] = decades(data, "none", "noisy_batch", depth)
        found[f"near_{depth}"] = decades(data, "noisy_batch", "batch", depth)
        found[f"accuracy_{depth}"] = score["noisy_batch"] - score["none"]
    return found


def facts(data: dict) -> dict[str, object]:
    """Numbers for sentences about S2; a rate of 0.1 is written ``0_1``."""
    found = {"seeds": len(data["seeds"]), "lr": LR}
    for depth, norm in itertools.product(DEPTHS, WATCHED):
        own = best_lr(data, depth, norm)
        found[f"{norm}_lr_{depth}"] = own
        counted = COUNTED[depth] if norm == NOISE else LRS
        for lr, end in [(lr, fact_name(depth, lr)) for lr in counted] + [(own, f"{depth}_own")]:
            found[f"{norm}_{end}"] = found_at(data, norm, depth, "loss", lr).mean()
            ended = found_at(data, norm, depth, "end", lr)
            found[f"{norm}_end_{end}"] = np.median(ended)
            score = found_at(data, norm, depth, "test_accuracy", lr)
            found[f"{norm}_test_{end}"] = 100 * score.mean()
            found[f"{norm}_stopped_{end}"] = int((score < STOPPED).sum())
    for depth in DEPTHS:
        for lr, end in [(lr, fact_name(depth, lr)) for lr in LRS] + [(None, f"{depth}_own")]:
            ahead = decades(data, "none", "noisy_batch", depth, lr=lr)
            near = decades(data, "noisy_batch", "batch", depth, lr=lr)
            ends = decades(data, "none", "noisy_batch", depth, "end", lr)
            found[f"ahead_{end}"] = 10 ** ahead.mean()
            found[f"near_{end}"] = 10 ** near.mean()
            found[f"ends_lower_{end}"] = int((ends < 0).sum())
        lead = decades(data, "none", "batch", depth).mean()
        found[f"taken_{depth}"] = 100 * decades(data, "noisy_batch", "batch", depth).mean() / lead
    for name in MOVES:
        for norm in WATCHED:
            moves = np.median(movement(data, norm, LR, name), axis=1).mean()
            found[f"{name}_{norm}"] = 100 * moves
        ratio = apart(data, ("noisy_batch", LR), ("none", LR), name).mean()
        found[f"{name}_ratio"] = 10**ratio
    return found
