"""B9 of Bjorck 2018: how much of BatchNorm's gain one BatchNorm before the classifier gives.

Three residual nets: without a normalizer, with BatchNorm everywhere, and with one BatchNorm alone,
before the last layer. They are compared with each at its own best rate, and with all at the rate
that is best for BatchNorm everywhere.

In a first result, with the seeds 948 to 955, the share of the gain was the effect. One bare net had
failed, so that the gain was uncertain, and no share of it could be told. Since then the question is
whether the one BatchNorm is above the middle of the two other nets, in points of accuracy.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from bnlab.train import History, Run
from bnlab.verdicts.table import Table
from bnlab.verdicts.trainings import train_all
from bnlab.verdicts.tuning import best_rate, check_seeds, scores
from bnlab.verdicts.work import HERE, Work

SEEDS = tuple(range(956, 964))
TUNING_SEEDS = tuple(range(8))
NETS = {
    "none": {"norm": "none"},
    "head": {"norm": "none", "method": "head_norm"},
    "batch": {"norm": "batch"},
}
LRS = (0.003, 0.006, 0.012, 0.025, 0.05, 0.1, 0.2, 0.4, 0.8)
BASE = Run(net="resnet", depth=8, width=16, lr=LRS[0], batch_size=32, steps=300, eval_every=300)
ENGINE = "torch"
PAPER = 2 / 3  # of the gain
COLUMNS = ("net", "lr", "seed", "val_accuracy", "test_accuracy", "diverged_at")


def measure(
    seeds: Sequence[int] = SEEDS, work: Work = HERE, tuning: dict | None = None, base: Run = BASE
) -> dict:
    """Train the three nets at all rates with the tuning seeds, then at the rates that count.

    Args:
        seeds: whose test accuracies are the evidence.
        work: does the trainings.
        tuning: an earlier measurement; its trainings with the tuning seeds are taken over.
        base: what all trainings share.

    Returns:
        ``engine``, ``base``, ``columns`` and ``rows``, one a training.
    """
    check_seeds(seeds, TUNING_SEEDS)
    every = [(net, lr) for net in NETS for lr in LRS]
    data = {
        "engine": ENGINE,
        "base": base.to_dict(),
        "seeds": list(seeds),
        "tuning_seeds": list(TUNING_SEEDS),
        "columns": list(COLUMNS),
        "rows": _taken_over(tuning) if tuning else _rows(work, base, every, TUNING_SEEDS),
    }
    common = best_lr(data, "batch")
    counted = dict.fromkeys((net, lr) for net in NETS for lr in (best_lr(data, net), common))
    return {**data, "rows": [*data["rows"], *_rows(work, base, counted, seeds)]}


def repeat(data: dict, seeds: Sequence[int]) -> dict:
    """The same trainings for some seeds."""
    return measure(seeds, tuning=data, base=Run.from_dict(data["base"]))


def _taken_over(tuning: dict) -> list[list]:
    return Table.of(tuning).where(seed=tuning["tuning_seeds"]).rows


def _rows(work: Work, base: Run, places: Sequence, seeds: Sequence[int]) -> list[list]:
    plan = [(net, lr, seed) for (net, lr), seed in itertools.product(places, seeds)]
    runs = [base.replace(lr=lr, seed=seed, **NETS[net]) for net, lr, seed in plan]
    found = train_all(work, runs, ENGINE)
    return [[*place, *_end(history)] for place, history in zip(plan, found, strict=True)]


def _end(history: History) -> list:
    """Validation and test accuracy, and when it diverged."""
    if history.diverged_at is not None:
        return [None, None, history.diverged_at]
    return [round(float(history.val_accuracy[-1]), 4), round(history.test_accuracy, 4), None]


def tuned(data: dict, net: str) -> np.ndarray:
    """Validation accuracy by rate and tuning seed, (len(LRS), tuning seeds); diverged: chance."""
    table = Table.of(data).where(net=net)
    return scores(table, "val_accuracy", lr=LRS, seed=data["tuning_seeds"])


def best_lr(data: dict, net: str) -> float:
    """The best rate of a net, by its validation accuracy on the tuning seeds."""
    return best_rate(LRS, tuned(data, net))


def accuracies(data: dict, net: str, lr: float) -> np.ndarray:
    """Test accuracy of a net at a rate, (seeds,); a net that diverged: chance."""
    return scores(Table.of(data).where(net=net, lr=lr), "test_accuracy", seed=data["seeds"])


def compared(data: dict) -> dict[str, dict[str, np.ndarray]]:
    """Test accuracy of the three nets, each at its ``own`` best rate and at the ``common`` one."""
    common = best_lr(data, "batch")
    return {
        "own": {net: accuracies(data, net, best_lr(data, net)) for net in NETS},
        "common": {net: accuracies(data, net, common) for net in NETS},
    }


def above(score: dict[str, np.ndarray], share: float) -> np.ndarray:
    """Test accuracy of one BatchNorm less that at which it has ``share`` of the gain, (seeds,).

    It is above 0 where one BatchNorm gives more than this share of what BatchNorm everywhere gains.
    Nothing is divided, so that a seed without a gain does no harm.
    """
    return score["head"] - (1 - share) * score["none"] - share * score["batch"]


def values(data: dict) -> dict[str, np.ndarray]:
    """The effects of B9, one number a seed."""
    score = compared(data)
    return {
        "own": above(score["own"], 0.5),
        "common": above(score["common"], 0.5),
        "two_thirds": above(score["own"], PAPER),
        "gain": score["own"]["batch"] - score["own"]["none"],
    }


def facts(data: dict) -> dict[str, object]:
    """Numbers for sentences about B9; shares are those of single seeds, and their median."""
    effect, score = values(data), compared(data)
    found: dict[str, object] = {"seeds": len(data["seeds"]), "steps": data["base"]["steps"]}
    for net in NETS:
        found[f"{net}_lr"] = best_lr(data, net)
        for name, by_net in score.items():
            found[f"{net}_{name}"] = 100 * by_net[net].mean()
            found[f"{net}_{name}_median"] = 100 * float(np.median(by_net[net]))
        at_common = Table.of(data).where(net=net, lr=best_lr(data, "batch"), seed=data["seeds"])
        found[f"{net}_lost"] = sum(end is not None for end in at_common.entries("diverged_at"))
    for name, by_net in score.items():
        gain, part = by_net["batch"] - by_net["none"], by_net["head"] - by_net["none"]
        shares = 100 * part[gain > 0] / gain[gain > 0]  # of a seed without a gain there is none
        found |= {
            f"{name}_gains": int((gain > 0).sum()),
            f"{name}_share": float(np.median(shares)),
            f"{name}_least_share": shares.min(),
            f"{name}_most_share": shares.max(),
        }
    return {
        **found,
        **{name: 100 * effect[name].mean() for name in ("gain", "own", "two_thirds")},
        "below": -100 * effect["common"].mean(),
        "none_worst": 100 * score["own"]["none"].min(),
    }
