"""The trainings behind L3, L5 and L6 of Lubana 2021, and what is read from their rows.

Every normalizer has a learning rate of its own in each net, the best one over the tuning seeds.
Where rates are searched for, the search goes on by factors of two until the best one has a worse
one on each side. Settings were fixed before any counted seed was run; they were chosen knowing
trial runs with the seeds 0 and 1, and the first edition's results.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

import numpy as np

from bnlab.chapters.group_size.l2_l4_at_start import setting
from bnlab.train import History, Run
from bnlab.verdicts.table import Table
from bnlab.verdicts.trainings import train_all
from bnlab.verdicts.tuning import CHANCE, best_rate, check_same_run, check_seeds, mean_loss
from bnlab.verdicts.work import Work

STEPS = 300
BASE = Run(net="plain", depth=10, width=16, batch_size=32, steps=STEPS, eval_every=STEPS)
TUNING_SEEDS = (0, 1)
LAST = 50
"""Steps at the end of a training whose mean loss says whether it has come to an end."""

LATE = 2 / 3
"""Validation accuracy is the mean of what is measured after this part of a training."""

LOWEST, HIGHEST = 1e-3, 30.0
"""Beyond these rates the search stops."""

NETS: dict[str, dict[str, object]] = {
    "plain10": {},
    "plain20": {"depth": 20},
    "mlp6": {"net": "mlp", "depth": 6, "width": 64},
    "mlp12": {"net": "mlp", "depth": 12, "width": 64},
    "resnet": {"net": "resnet", "depth": 5},
    "skipinit": {"net": "resnet", "depth": 5, "net_options": {"branch": "skipinit"}},
}
OF_WEIGHTS = ("weight_norm", "scaled_weight_standardization")
ENGINE = "compiled"
COLUMNS = (
    "part",
    "net",
    "norm",
    "lr",
    "seed",
    "loss",
    "last_loss",
    "val_accuracy",
    "test_accuracy",
    "diverged_at",
    "cosine",
    "sharpness",
)

Setting = tuple[str, str, float, int]  # net, normalizer, rate, seed
Pair = tuple[str, str]  # net, normalizer


def fields(norm: str) -> dict[str, object]:
    """Fields of a Run: as ``l2_l4_at_start.setting``, and for normalizers of weights."""
    if norm in OF_WEIGHTS:
        return {"weight_norm": norm}
    if norm == "evonorm_s0":
        return {"norm": norm, "norm_options": {"group_size": 4}}
    return setting(norm)


def make_run(net: str, norm: str, lr: float, seed: int, base: Run = BASE) -> Run:
    """The Run of a net of ``NETS`` with a normalizer called as in ``fields``.

    All else is that of ``base``.
    """
    return base.replace(**NETS[net], **fields(norm), lr=lr, seed=seed)


def train_rows(plan: Sequence[Setting], work: Work, base: Run = BASE) -> list[list]:
    """A row for each training, in the order of the plan."""
    histories = train_all(work, [make_run(*each, base) for each in plan], ENGINE)
    pairs = zip(plan, histories, strict=True)
    return [["race", *each, *_scores(history), None, None] for each, history in pairs]


def _scores(history: History) -> list:
    diverged = history.diverged_at is not None
    losses, steps = history.loss[: history.diverged_at], history.run.steps
    before_last = max(0, steps - LAST)
    late = history.val_accuracy[history.step >= LATE * steps]
    return [
        mean_loss(losses, steps),
        mean_loss(losses[before_last:], steps - before_last),
        CHANCE if diverged else round(float(np.mean(late)), 4),
        CHANCE if diverged else round(history.test_accuracy, 4),
        history.diverged_at,
    ]


def told(history: History) -> list:
    """The columns behind the seed of a row of the race."""
    return [*_scores(history), None, None]


def kept_rows(tuning: dict | None, pairs: Sequence[Pair], base: Run) -> list[list]:
    """Of an earlier measurement, if there is one, the trainings that chose rates.

    Raises:
        ValueError: if it was made with another Run.
    """
    if tuning is None:
        return []
    check_same_run(tuning, base)
    rows = Table.of(tuning).where(part="race", seed=TUNING_SEEDS).rows
    return [row for row in rows if tuple(row[1:3]) in pairs]


def searched_rows(data: dict, first: Mapping[Pair, Sequence[float]], work: Work) -> list[list]:
    """The rows of ``data``, and the trainings that find the best rate of each pair.

    Args:
        data: of ``frame``, with or without rows.
        first: for each net and normalizer the rates to begin with.
        work: does the trainings.

    Raises:
        ValueError: if one of the seeds to be counted is a tuning seed.
    """
    check_seeds(data["seeds"], data["tuning_seeds"])
    rows, base = list(data["rows"]), Run.from_dict(data["base"])
    while True:
        now = {**data, "rows": rows}
        rates = {pair: _next_rates(now, pair, first[pair]) for pair in first}
        plan = [(*pair, lr, seed) for pair in first for lr in rates[pair] for seed in TUNING_SEEDS]
        if not plan:
            return rows
        rows += train_rows(plan, work, base)


def _next_rates(data: dict, pair: Pair, first: Sequence[float]) -> list[float]:
    """Rates to try next: the first ones, then one beyond the best as long as that is an edge."""
    tried = rates_of(data, *pair)
    if not tried:
        return list(first)
    best = best_lr(data, *pair)
    down = [best / 2] if best == tried[0] and best / 2 >= LOWEST else []
    up = [best * 2] if best == tried[-1] and best * 2 <= HIGHEST else []
    return down + up


def frame(
    nets: Sequence[str], norms: Sequence[str], seeds: Sequence[int], base: Run, by: str
) -> dict:
    """What a measurement returns, without its rows.

    Args:
        nets: names in ``NETS``.
        norms: names for ``fields``.
        seeds: whose trainings are the evidence.
        base: what all trainings share.
        by: the column that chooses a rate, ``loss`` (the lowest) or ``val_accuracy``.
    """
    return {
        "engine": ENGINE,
        "base": base.to_dict(),
        "nets": list(nets),
        "norms": list(norms),
        "by": by,
        "seeds": list(seeds),
        "tuning_seeds": list(TUNING_SEEDS),
        "columns": list(COLUMNS),
        "rows": [],
    }


def counted_rows(data: dict, work: Work) -> list[list]:
    """The trainings of the counted seeds, each at the best rate of its net and normalizer."""
    pairs = itertools.product(data["nets"], data["norms"])
    plan = [(*pair, best_lr(data, *pair), seed) for pair in pairs for seed in data["seeds"]]
    return train_rows(plan, work, Run.from_dict(data["base"]))


def column(
    data: dict, net: str, norm: str, lr: float | None, name: str, seeds: Sequence[int] | None = None
) -> np.ndarray:
    """One column, seed by seed; ``lr`` None for the start."""
    part = "start" if lr is None else "race"
    table = Table.of(data).where(part=part, net=net, norm=norm, lr=lr)
    return table.column(name, seed=data["seeds"] if seeds is None else seeds)


def rates_of(data: dict, net: str, norm: str) -> list[float]:
    """The rates that were tried with the tuning seeds, in rising order."""
    seeds = data["tuning_seeds"]
    table = Table.of(data).where(part="race", net=net, norm=norm, seed=seeds)
    return sorted(lr for (lr,) in table.distinct("lr"))


def best_lr(data: dict, net: str, norm: str) -> float:
    """The best learning rate of a net over the tuning seeds; see ``best_rate``."""
    rates, name = rates_of(data, net, norm), data["by"]
    table = Table.of(data).where(part="race", net=net, norm=norm)
    scores = table.column(name, lr=rates, seed=data["tuning_seeds"])
    return best_rate(rates, -scores if name == "loss" else scores)


def losses(data: dict, net: str, norm: str) -> np.ndarray:
    """Mean training loss over the run at the net's best rate, (seeds,)."""
    return column(data, net, norm, best_lr(data, net, norm), "loss")
