"""The trainings behind the race of S5, each net at its best rate, to be repeated row by row."""

from __future__ import annotations

from collections.abc import Callable

from bnlab.chapters.covariate_shift.moving_inputs import race_row
from bnlab.chapters.smoothness import s5_lp_norms
from bnlab.train import History, Run
from bnlab.verdicts.again import Training
from bnlab.verdicts.table import Table

BEHIND = s5_lp_norms.COLUMNS.index("seed") + 1


def arm_name(data: dict, norm: str) -> str:
    """A net at its best rate, such as ``batch_0.56``."""
    return f"{norm}_{s5_lp_norms.best_lr(data, norm):g}"


def s5_trainings(data: dict) -> list[Training]:
    """The counted trainings of each net at its best rate."""
    base, race = Run.from_dict(data["base"]), Table.of(data).where(part="race", seed=data["seeds"])
    found = []
    for norm in s5_lp_norms.NORMS:
        lr = s5_lp_norms.best_lr(data, norm)
        for row in race.where(norm=norm, lr=lr).rows:
            run = base.replace(norm=norm, lr=lr, seed=row[BEHIND - 1])
            found.append(Training(arm_name(data, norm), run.seed, run, row[BEHIND:], _told))
    return found


def _told(history: History) -> list:
    """The columns behind the seed; nobody looked along the gradient."""
    return race_row(history)[BEHIND:]


REPEATS: dict[str, Callable[[dict], list[Training]]] = {"S5": s5_trainings}
