"""B1 of Bjorck 2018: test accuracy over learning rates, with and without BatchNorm.

The sweep over rates runs for 300 steps; at the small rate both nets also train to the end, ten
times as long, with seeds of their own. The trainings on digits are done by the compiled step, so
that the page can repeat each of them to the last bit. What was changed after a first result is told
by the claim's ``changes``.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from bnlab.train import History, Run
from bnlab.verdicts.table import Table
from bnlab.verdicts.trainings import train_all
from bnlab.verdicts.tuning import CHANCE, best_rate, check_seeds, scores, usable_rates
from bnlab.verdicts.work import HERE, Work

NORMS = ("none", "batch")
SEEDS = tuple(range(100, 116))
TUNING_SEEDS = tuple(range(8))
LRS = (0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)
SMALL_LR = 0.01
BASE = Run(net="mlp", width=64, lr=SMALL_LR, batch_size=64, steps=300)
DEPTHS = (12, 6)  # the first decides; the second shows how far the claim reaches
ENGINE = "compiled"
LONG = 10  # to the end: so many times the steps, at the small rate
LONG_SEED = 700  # what is added to a seed for its long training: nobody had looked at those seeds
LONG_COLUMNS = ("norm", "seed", "accuracy", "loss")
COLUMNS = ("depth", "norm", "lr", "seed", "val_accuracy", "test_accuracy", "diverged_at")


def measure(
    seeds: Sequence[int] = SEEDS,
    work: Work = HERE,
    depths: Sequence[int] = DEPTHS,
    tuning: dict | None = None,
    engine: str = ENGINE,
    base: Run = BASE,
) -> dict:
    """Train with and without BatchNorm at every learning rate, depth and seed.

    Args:
        seeds: whose test accuracies are the evidence.
        work: does the trainings.
        depths: of the net; the first one decides.
        tuning: an earlier measurement; its trainings with the tuning seeds are taken over.
        engine: see ``train``.
        base: what all trainings share.

    Returns:
        ``engine``, ``base`` (the Run that all share), ``columns`` and ``rows``, one a training,
        for the ``tuning_seeds`` and the ``seeds``.
    """
    depths = tuple(depths)
    kept = _taken_over(tuning, base, depths) if tuning else []
    tuning_seeds = tuple(tuning["tuning_seeds"]) if tuning else TUNING_SEEDS
    check_seeds(seeds, tuning_seeds)
    new = seeds if tuning else (*tuning_seeds, *seeds)
    plan = itertools.product(depths, NORMS, LRS, new)
    runs = [base.replace(depth=d, norm=norm, lr=lr, seed=seed) for d, norm, lr, seed in plan]
    rows = [*kept, *map(_row, train_all(work, runs, engine))]
    end = base.replace(depth=depths[0], lr=SMALL_LR, steps=LONG * base.steps)
    longer = [end.replace(norm=norm, seed=seed + LONG_SEED) for norm in NORMS for seed in seeds]
    long = train_all(work, longer, engine)
    return {
        "engine": engine,
        "base": base.to_dict(),
        "depths": list(depths),
        "seeds": list(seeds),
        "tuning_seeds": list(tuning_seeds),
        "columns": list(COLUMNS),
        "rows": rows,
        "long_columns": list(LONG_COLUMNS),
        "long": [_long_row(history) for history in long],
    }


def _row(history: History) -> list:
    """One training: what it was, and what became of it."""
    run, lost = history.run, history.diverged_at is not None
    return [
        run.depth,
        run.norm,
        run.lr,
        run.seed,
        round(float(history.val_accuracy[-1]), 4),
        None if lost else round(history.test_accuracy, 4),
        history.diverged_at,
    ]


def _long_row(history: History) -> list:
    """What became of a training to the end, with its loss over the last tenth."""
    lost = history.diverged_at is not None
    score = CHANCE if lost else round(history.test_accuracy, 4)
    loss = history.loss[-len(history.loss) // LONG :].mean()
    return [history.run.norm, history.run.seed, score, float(f"{loss:.4g}")]


def repeat(data: dict, seeds: Sequence[int]) -> dict:
    """The same trainings for some seeds, by the same engine."""
    return measure(seeds, tuning=data, engine=data["engine"])


def _taken_over(tuning: dict, base: Run, depths: Sequence[int]) -> list[list]:
    """The rows of an earlier measurement that chose its learning rates, if they fit this one."""
    if Run.from_dict(tuning["base"]) != base or not set(depths) <= set(tuning["depths"]):
        raise ValueError(
            "the earlier measurement was made with another Run or other depths; leave 'tuning' "
            "out, so that the learning rates are chosen anew."
        )
    return Table.of(tuning).where(depth=depths, seed=tuning["tuning_seeds"]).rows


def accuracies(
    data: dict, depth: int, norm: str, seeds: Sequence[int], part: str = "test"
) -> np.ndarray:
    """Final accuracy by learning rate and seed, (len(LRS), len(seeds)); diverged nets: chance."""
    table = Table.of(data).where(depth=depth, norm=norm)
    return scores(table, f"{part}_accuracy", lr=LRS, seed=seeds)


def best_lr(data: dict, depth: int, norm: str) -> float:
    """The best learning rate of a net, by its validation accuracy; see ``best_rate``."""
    return best_rate(LRS, accuracies(data, depth, norm, data["tuning_seeds"], "val"))


def usable_rate(data: dict, depth: int, norm: str) -> np.ndarray:
    """The largest usable rate by validation accuracy, (seeds,); see ``usable_rates``."""
    return usable_rates(LRS, accuracies(data, depth, norm, data["seeds"], "val"))


def at_own_rates(data: dict, depth: int) -> dict[str, np.ndarray]:
    """The effects of B1 that the sweep over rates has at each depth, one number a seed."""
    score = {norm: accuracies(data, depth, norm, data["seeds"]) for norm in NORMS}
    own = {norm: score[norm][LRS.index(best_lr(data, depth, norm))] for norm in NORMS}
    rate = {norm: usable_rate(data, depth, norm) for norm in NORMS}
    return {"own": own["batch"] - own["none"], "rate": np.log10(rate["batch"] / rate["none"])}


def to_the_end(data: dict, name: str = "accuracy") -> dict[str, np.ndarray]:
    """A column of the trainings to the end at the small rate, one number a seed and norm."""
    table = Table(data.get("long_columns", LONG_COLUMNS[:3]), data["long"])
    return {norm: table.where(norm=norm).column(name) for norm in NORMS}


def values(data: dict) -> dict[str, np.ndarray]:
    """The effects of B1, one number a seed, at the first depth that was measured."""
    end = to_the_end(data)
    return {"small": end["batch"] - end["none"], **at_own_rates(data, data["depths"][0])}


def facts(data: dict) -> dict[str, object]:
    """Numbers for sentences about B1; a name that ends in the depth belongs to that depth."""
    found: dict[str, object] = {"seeds": len(data["seeds"]), "small_lr": SMALL_LR}
    for depth in data["depths"]:
        effect = at_own_rates(data, depth)
        for norm in NORMS:
            score = accuracies(data, depth, norm, data["seeds"]).mean(1)
            lr = best_lr(data, depth, norm)
            found[f"{norm}_lr_{depth}"] = lr
            found[f"{norm}_best_{depth}"] = 100 * score[LRS.index(lr)]
            found[f"{norm}_small_{depth}"] = 100 * score[LRS.index(SMALL_LR)]
            found[f"{norm}_top_lr_{depth}"] = LRS[int(score.argmax())]
            found[f"{norm}_top_{depth}"] = 100 * score.max()
        found[f"ratio_{depth}"] = 10 ** effect["rate"].mean()
        found[f"own_{depth}"] = 100 * effect["own"].mean()
        found[f"behind_{depth}"] = found[f"none_small_{depth}"] - found[f"batch_small_{depth}"]
        found[f"top_{depth}"] = found[f"batch_top_{depth}"] - found[f"none_top_{depth}"]
    end = {norm: score.mean() for norm, score in to_the_end(data).items()}
    found |= {f"{norm}_long": 100 * score for norm, score in end.items()}
    found["behind_long"] = 100 * (end["none"] - end["batch"])
    if "long_columns" in data:
        found |= {f"{norm}_long_loss": x.mean() for norm, x in to_the_end(data, "loss").items()}
    return found
