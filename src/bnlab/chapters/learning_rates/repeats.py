"""The trainings behind B1 at the depth that decides, to be repeated row by row."""

from __future__ import annotations

from collections.abc import Callable

from bnlab.chapters.learning_rates import b1_rates
from bnlab.train import History, Run
from bnlab.verdicts.again import Training
from bnlab.verdicts.table import Table
from bnlab.verdicts.tuning import CHANCE

LONG = "long"


def b1_trainings(data: dict) -> list[Training]:
    """All rates of both nets, an arm each such as ``batch_0.3``; then those to the end."""
    base, depth = Run.from_dict(data["base"]), data["depths"][0]
    found = [
        Training(
            f"{norm}_{lr:g}",
            seed,
            base.replace(depth=depth, norm=norm, lr=lr, seed=seed),
            behind,
            _told,
        )
        for _, norm, lr, seed, *behind in Table.of(data).where(depth=depth, seed=data["seeds"]).rows
    ]
    end = base.replace(depth=depth, lr=b1_rates.SMALL_LR, steps=b1_rates.LONG * base.steps)
    for norm, counted, *behind in data["long"]:
        # The evidence names these rows by the seed that was trained.
        seed = counted - b1_rates.LONG_SEED
        run = end.replace(norm=norm, seed=counted)
        found.append(Training(f"{norm}_{LONG}", seed, run, behind, _told_long))
    return found


def _told(history: History) -> list:
    """The columns of ``b1_rates`` behind the seed."""
    lost, val = history.diverged_at is not None, round(float(history.val_accuracy[-1]), 4)
    return [val, None if lost else round(history.test_accuracy, 4), history.diverged_at]


def _told_long(history: History) -> list:
    """The same of a training to the end: accuracy, and loss over the last tenth."""
    score = CHANCE if history.diverged_at is not None else round(history.test_accuracy, 4)
    loss = history.loss[-len(history.loss) // b1_rates.LONG :].mean()
    return [score, float(f"{loss:.4g}")]


REPEATS: dict[str, Callable[[dict], list[Training]]] = {"B1": b1_trainings}
