"""The trainings behind L3, L5 and L6 of Lubana 2021, and what is read from their rows.

Every normalizer is tried at the same rates; its best one is that of the highest mean validation
accuracy over the tuning seeds. Settings were fixed before any counted seed was run; they were
chosen knowing trial runs with the tuning seeds, of 200 steps.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from bnlab.chapters.group_size.l2_l4_at_start import setting
from bnlab.train import History, Run
from bnlab.verdicts.table import Table
from bnlab.verdicts.trainings import train_all
from bnlab.verdicts.tuning import (
    CHANCE,
    best_rate,
    check_same_run,
    check_seeds,
    mean_loss,
    usable_rates,
)
from bnlab.verdicts.work import Work

STEPS = 150
BASE = Run(net="plain", depth=10, width=16, batch_size=32, steps=STEPS, eval_every=STEPS)
LRS = (0.03, 0.1, 0.3, 1.0, 3.0)
TUNING_SEEDS = (0, 1)
NETS: dict[str, dict[str, object]] = {
    "plain10": {},
    "plain20": {"depth": 20},
    "mlp6": {"net": "mlp", "depth": 6, "width": 64},
    "mlp12": {"net": "mlp", "depth": 12, "width": 64},
    "resnet": {"net": "resnet", "depth": 5},
    "skipinit": {"net": "resnet", "depth": 5, "net_options": {"branch": "skipinit"}},
}
ENGINE = "torch"
COLUMNS = (
    "part",
    "net",
    "norm",
    "lr",
    "seed",
    "loss",
    "val_accuracy",
    "test_accuracy",
    "diverged_at",
    "cosine",
    "sharpness",
)

Setting = tuple[str, str, float, int]  # net, normalizer, rate, seed


def make_run(net: str, norm: str, lr: float, seed: int, base: Run = BASE) -> Run:
    """The Run of a net of ``NETS`` with a normalizer called as in ``l2_l4_at_start.setting``.

    All else is that of ``base``.
    """
    return base.replace(**NETS[net], **setting(norm), lr=lr, seed=seed)


def train_rows(plan: Sequence[Setting], work: Work, base: Run = BASE) -> list[list]:
    """A row for each training, in the order of the plan."""
    histories = train_all(work, [make_run(*each, base) for each in plan], ENGINE)
    pairs = zip(plan, histories, strict=True)
    return [["race", *each, *_scores(history), None, None] for each, history in pairs]


def _scores(history: History) -> list:
    diverged = history.diverged_at is not None
    return [
        mean_loss(history.loss[: history.diverged_at], history.run.steps),
        CHANCE if diverged else round(float(history.val_accuracy[-1]), 4),
        CHANCE if diverged else round(history.test_accuracy, 4),
        history.diverged_at,
    ]


def tuning_rows(
    tuning: dict | None,
    nets: Sequence[str],
    norms: Sequence[str],
    work: Work,
    seeds: Sequence[int],
    lrs: Sequence[float] = LRS,
    base: Run = BASE,
) -> list[list]:
    """The trainings that choose the rates: of an earlier measurement, or made here.

    Raises:
        ValueError: if one of the seeds to be counted is a tuning seed, or if the earlier
            measurement was made with another Run.
    """
    check_seeds(seeds, TUNING_SEEDS)
    if tuning is None:
        plan = list(itertools.product(nets, norms, lrs, TUNING_SEEDS))
        return train_rows(plan, work, base)
    check_same_run(tuning, base)
    kept = {"part": "race", "net": list(nets), "norm": list(norms), "seed": TUNING_SEEDS}
    return Table.of(tuning).where(**kept).rows


def table(
    nets: Sequence[str],
    norms: Sequence[str],
    seeds: Sequence[int],
    rows: list,
    lrs: Sequence[float] = LRS,
    base: Run = BASE,
) -> dict:
    """What a measurement returns."""
    return {
        "engine": ENGINE,
        "base": base.to_dict(),
        "nets": list(nets),
        "norms": list(norms),
        "lrs": list(lrs),
        "seeds": list(seeds),
        "tuning_seeds": list(TUNING_SEEDS),
        "columns": list(COLUMNS),
        "rows": rows,
    }


def column(
    data: dict, net: str, norm: str, lr: float | None, name: str, seeds: Sequence[int] | None = None
) -> np.ndarray:
    """One column, seed by seed; ``lr`` None for the start."""
    part = "start" if lr is None else "race"
    table = Table.of(data).where(part=part, net=net, norm=norm, lr=lr)
    return table.column(name, seed=data["seeds"] if seeds is None else seeds)


def _scored(data: dict, net: str, norm: str, seeds: Sequence[int]) -> np.ndarray:
    """Validation accuracy by rate and seed."""
    table = Table.of(data).where(part="race", net=net, norm=norm)
    return table.column("val_accuracy", lr=data["lrs"], seed=seeds)


def best_lr(data: dict, net: str, norm: str) -> float:
    """The best learning rate of a net, by its validation accuracy; see ``best_rate``."""
    return best_rate(data["lrs"], _scored(data, net, norm, data["tuning_seeds"]))


def usable_rate(data: dict, net: str, norm: str) -> np.ndarray:
    """The largest usable rate by validation accuracy, (seeds,); see ``usable_rates``."""
    return usable_rates(data["lrs"], _scored(data, net, norm, data["seeds"]))


def losses(data: dict, net: str, norm: str) -> np.ndarray:
    """Mean training loss over the run at the net's best rate, (seeds,)."""
    return column(data, net, norm, best_lr(data, net, norm), "loss")
