"""B1 of Bjorck 2018: test accuracy over learning rates, with and without BatchNorm.

Settings and margins were fixed before the seeds of ``SEEDS`` were run; they were chosen knowing
trial runs with other seeds, at depths 6 and 12. One definition was changed after a review of the
first result: the largest usable rate was first judged by test accuracy, against the better of the
two nets; now by validation accuracy, each net against its own best. That made the effect smaller.
And a control was added, the small rate with ten times the steps; it does not enter the verdict.
The trainings on digits were first run by PyTorch. They were repeated with the compiled step, so
that the page can repeat each of them to the last bit; nothing else was changed.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from bnlab.errors import check_name
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
BASES = {
    "digits": Run(net="mlp", width=64, lr=SMALL_LR, batch_size=64, steps=300),
    "cifar10": Run(
        data="cifar10",
        net="resnet",
        width=16,
        lr=SMALL_LR,
        batch_size=128,
        steps=2000,
        eval_every=200,
        optimizer_options={"momentum": 0.9},
    ),
}
DEPTHS = {  # the first decides; the second shows how far the claim reaches
    "digits": (12, 6),
    "cifar10": (9,),  # 9 blocks: the ResNet-20 of He et al. 2016
}
ENGINES = {"digits": "compiled", "cifar10": "torch"}
LONG = 10  # the control: so many times the steps, at the small rate
COLUMNS = ("depth", "norm", "lr", "seed", "val_accuracy", "test_accuracy", "diverged_at")


def measure(
    seeds: Sequence[int] = SEEDS,
    work: Work = HERE,
    scale: str = "digits",
    depths: Sequence[int] | None = None,
    tuning: dict | None = None,
    device: str = "cpu",
    engine: str | None = None,
    base: Run | None = None,
) -> dict:
    """Train with and without BatchNorm at every learning rate, depth and seed.

    Args:
        seeds: whose test accuracies are the evidence.
        work: does the trainings.
        scale: ``digits``, or ``cifar10`` for a residual net on a GPU.
        depths: of the net; the first one decides.
        tuning: an earlier measurement; its trainings with the tuning seeds are taken over.
        device: see ``train``.
        engine: see ``train``; by default ``compiled`` for digits, else ``torch``.
        base: what all trainings share; by default the Run of this scale.

    Returns:
        ``engine``, ``base`` (the Run that all share), ``columns`` and ``rows``, one a training,
        for the ``tuning_seeds`` and the ``seeds``.
    """
    check_name("scale", scale, BASES)
    base, depths = base or BASES[scale], tuple(depths or DEPTHS[scale])
    engine = engine or ENGINES[scale]
    kept = _taken_over(tuning, base, depths) if tuning else []
    tuning_seeds = tuple(tuning["tuning_seeds"]) if tuning else TUNING_SEEDS
    check_seeds(seeds, tuning_seeds)
    new = seeds if tuning else (*tuning_seeds, *seeds)
    plan = itertools.product(depths, NORMS, LRS, new)
    runs = [base.replace(depth=d, norm=norm, lr=lr, seed=seed) for d, norm, lr, seed in plan]
    rows = [*kept, *map(_row, train_all(work, runs, engine, device))]
    # A quick look that takes over the tuning does without the long control.
    control = base.replace(depth=depths[0], lr=SMALL_LR, steps=LONG * base.steps)
    longer = [control.replace(norm=norm, seed=seed) for norm in NORMS for seed in seeds]
    long = [] if tuning else train_all(work, longer, engine, device)
    return {
        "engine": engine,
        "base": base.to_dict(),
        "depths": list(depths),
        "seeds": list(seeds),
        "tuning_seeds": list(tuning_seeds),
        "columns": list(COLUMNS),
        "rows": rows,
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
    """[norm, seed, test accuracy] of the control."""
    lost = history.diverged_at is not None
    score = CHANCE if lost else round(history.test_accuracy, 4)
    return [history.run.norm, history.run.seed, score]


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


def values(data: dict, depth: int | None = None) -> dict[str, np.ndarray]:
    """The effects of B1, one number a seed; at the first depth that was measured, or another."""
    seeds = data["seeds"]
    depth = depth or data["depths"][0]
    score = {norm: accuracies(data, depth, norm, seeds) for norm in NORMS}
    at = {norm: LRS.index(best_lr(data, depth, norm)) for norm in NORMS}
    small = LRS.index(SMALL_LR)
    rate = {norm: usable_rate(data, depth, norm) for norm in NORMS}
    return {
        "small": score["batch"][small] - score["none"][small],
        "own": score["batch"][at["batch"]] - score["none"][at["none"]],
        "rate": np.log10(rate["batch"] / rate["none"]),
    }


def facts(data: dict) -> dict[str, object]:
    """Numbers for sentences about B1; a name that ends in the depth belongs to that depth."""
    found: dict[str, object] = {"seeds": len(data["seeds"]), "small_lr": SMALL_LR}
    for depth in data["depths"]:
        effect = values(data, depth)
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
        found[f"behind_{depth}"] = -100 * effect["small"].mean()
        found[f"top_{depth}"] = found[f"batch_top_{depth}"] - found[f"none_top_{depth}"]
    if data["long"]:
        table = Table(("norm", "seed", "accuracy"), data["long"])
        final = {norm: table.where(norm=norm).column("accuracy").mean() for norm in NORMS}
        found |= {f"{norm}_long": 100 * score for norm, score in final.items()}
        found["behind_long"] = 100 * (final["none"] - final["batch"])
    return found
