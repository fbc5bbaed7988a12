"""The trainings behind the races of S1 and S2, to be repeated row by row."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from bnlab.chapters.covariate_shift import s2_noisy_race
from bnlab.chapters.covariate_shift.moving_inputs import RACED, raced_row
from bnlab.train import History, Run
from bnlab.verdicts.again import Training
from bnlab.verdicts.table import Table

DEEP = "deep_"
"""Before the name of an arm at a depth that does not decide."""

BEHIND = RACED.index("seed") + 1


def race_trainings(data: dict, places: Sequence[tuple[int, str, float]]) -> list[Training]:
    """The counted trainings at these depths, nets and rates, an arm each.

    Args:
        data: of S1 or S2.
        places: depth, normalizer and rate; the arm is called as ``arm_name`` says.
    """
    base, race = Run.from_dict(data["base"]), Table.of(data).where(part="race", seed=data["seeds"])
    found = []
    for depth, norm, lr in places:
        for row in race.where(depth=depth, norm=norm, lr=lr).rows:
            run = base.replace(depth=depth, norm=norm, lr=lr, seed=row[BEHIND - 1])
            arm = arm_name(data, depth, norm, lr)
            found.append(Training(arm, run.seed, run, row[BEHIND:], _told))
    return found


def arm_name(data: dict, depth: int, norm: str, lr: float) -> str:
    """Such as ``batch_0.3``, and ``deep_batch_0.3`` at a depth that does not decide."""
    return f"{'' if depth == data['depths'][0] else DEEP}{norm}_{lr:g}"


def s1_trainings(data: dict) -> list[Training]:
    """All rates of both nets at the depth that decides."""
    depth, columns = data["depths"][0], ("norm", "lr")
    places = Table.of(data).where(part="race", depth=depth).distinct(*columns)
    return race_trainings(data, [(depth, *place) for place in places])


def s2_trainings(data: dict) -> list[Training]:
    """Each net at its best rate, at both depths; and the two that are compared at one rate."""
    first, *_ = s2_noisy_race.DEPTHS
    best = [
        (depth, norm, s2_noisy_race.best_lr(data, depth, norm))
        for depth in s2_noisy_race.DEPTHS
        for norm in s2_noisy_race.NORMS
    ]
    common = [(first, norm, s2_noisy_race.LR) for norm in ("none", "noisy_batch")]
    return race_trainings(data, list(dict.fromkeys([*best, *common])))


def _told(history: History) -> list:
    """The columns behind the seed."""
    return raced_row(history)[BEHIND:]


REPEATS: dict[str, Callable[[dict], list[Training]]] = {
    "S1": s1_trainings,
    "S2": s2_trainings,
}
