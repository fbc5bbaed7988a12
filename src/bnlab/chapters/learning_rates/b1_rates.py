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
from collections.abc import Callable, Iterable, Sequence

import numpy as np

from bnlab.errors import check_name
from bnlab.train import Run
from bnlab.verdicts.parallel import TrainAll, train_here
from bnlab.verdicts.ties import largest_usable

NORMS = ("none", "batch")
SEEDS = tuple(range(100, 116))
TUNING_SEEDS = tuple(
    range(8)
)  # these choose learning rates, on validation images, and nothing else
LRS = (0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)
SMALL_LR = 0.01
USABLE = 0.05  # a rate is usable if its accuracy is this close to the best of the same seed
CHANCE = 0.1  # the score of a net that diverged: one class in ten
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

Progress = Callable[[Iterable], Iterable]


def measure(
    seeds: Sequence[int] = SEEDS,
    progress: Progress = iter,
    scale: str = "digits",
    depths: Sequence[int] | None = None,
    tuning: dict | None = None,
    device: str = "cpu",
    engine: str | None = None,
    train_all: TrainAll = train_here,
    **changes: object,
) -> dict:
    """Train with and without BatchNorm at every learning rate, depth and seed.

    Args:
        seeds: whose test accuracies are the evidence.
        progress: wraps the loop over the trainings.
        scale: ``digits``, or ``cifar10`` for a residual net on a GPU.
        depths: of the net; the first one decides.
        tuning: an earlier measurement; its trainings with the tuning seeds are taken over.
        device: see ``train``.
        engine: see ``train``; by default ``compiled`` for digits, else ``torch``.
        train_all: gives the History of each Run, in their order; by default here, one by one.
        **changes: to the Run of this scale, such as ``steps``.

    Returns:
        ``engine``, ``base`` (the Run that all share), ``columns`` and ``rows``, one a training,
        for the ``tuning_seeds`` and the ``seeds``.
    """
    check_name("scale", scale, BASES)
    base, depths = BASES[scale].replace(**changes), tuple(depths or DEPTHS[scale])
    engine = engine or ENGINES[scale]
    kept = _taken_over(tuning, base, depths) if tuning else []
    tuning_seeds = tuple(tuning["tuning_seeds"]) if tuning else TUNING_SEEDS
    both = set(seeds) & set(tuning_seeds)
    if both:
        raise ValueError(f"seeds {sorted(both)} chose the learning rates; count other seeds.")
    rows, new = list(kept), seeds if tuning else (*tuning_seeds, *seeds)
    plan = list(itertools.product(depths, NORMS, LRS, new))
    runs = [base.replace(depth=d, norm=norm, lr=lr, seed=seed) for d, norm, lr, seed in plan]
    histories = train_all(runs, engine, device)
    for (depth, norm, lr, seed), history in zip(progress(plan), histories, strict=True):
        rows.append(
            [
                depth,
                norm,
                lr,
                seed,
                round(float(history.val_accuracy[-1]), 4),
                None if history.diverged_at is not None else round(history.test_accuracy, 4),
                history.diverged_at,
            ]
        )
    # A quick look that takes over the tuning does without the long control.
    long = []
    if not tuning:
        control = base.replace(depth=depths[0], lr=SMALL_LR, steps=LONG * base.steps)
        long = _long_control(control, seeds, lambda runs: train_all(runs, engine, device), progress)
    return {
        "engine": engine,
        "base": base.to_dict(),
        "depths": list(depths),
        "seeds": list(seeds),
        "tuning_seeds": list(tuning_seeds),
        "columns": list(COLUMNS),
        "rows": rows,
        "long": long,
    }


def repeat(data: dict, seeds: Sequence[int]) -> dict:
    """The same trainings for some seeds, by the same engine."""
    return measure(seeds, tuning=data, engine=data["engine"])


def _long_control(
    base: Run, seeds: Sequence[int], train_all: Callable, progress: Progress
) -> list[list]:
    """[norm, seed, test accuracy] of the control."""
    plan, rows = list(itertools.product(NORMS, seeds)), []
    histories = train_all([base.replace(norm=norm, seed=seed) for norm, seed in plan])
    for (norm, seed), history in zip(progress(plan), histories, strict=True):
        diverged = history.diverged_at is not None
        rows.append([norm, seed, CHANCE if diverged else round(history.test_accuracy, 4)])
    return rows


def _taken_over(tuning: dict, base: Run, depths: Sequence[int]) -> list[list]:
    """The rows of an earlier measurement that chose its learning rates, if they fit this one."""
    if Run.from_dict(tuning["base"]) != base or not set(depths) <= set(tuning["depths"]):
        raise ValueError(
            "the earlier measurement was made with another Run or other depths; leave 'tuning' "
            "out, so that the learning rates are chosen anew."
        )
    return [row for row in tuning["rows"] if row[0] in depths and row[3] in tuning["tuning_seeds"]]


def accuracies(
    data: dict, depth: int, norm: str, seeds: Sequence[int], part: str = "test"
) -> np.ndarray:
    """Final accuracy by learning rate and seed, (len(LRS), len(seeds)); diverged nets: chance."""
    table = {}
    for row in data["rows"]:
        record = dict(zip(data["columns"], row, strict=True))
        if record["depth"] == depth and record["norm"] == norm:
            diverged = record["diverged_at"] is not None
            score = CHANCE if diverged else record[f"{part}_accuracy"]
            table[record["lr"], record["seed"]] = score
    return np.array([[table[lr, seed] for seed in seeds] for lr in LRS])


def best_lr(data: dict, depth: int, norm: str) -> float:
    """The learning rate with the highest mean validation accuracy over the tuning seeds."""
    scores = accuracies(data, depth, norm, data["tuning_seeds"], "val").mean(1)
    return LRS[int(scores.argmax())]


def usable_rate(data: dict, depth: int, norm: str) -> np.ndarray:
    """For each seed the largest rate at which the net is nearly as good as at its best, (seeds,).

    Nearly: a validation accuracy within ``USABLE`` of the net's best over all rates, same seed.
    """
    scores = accuracies(data, depth, norm, data["seeds"], "val")
    return largest_usable(LRS, scores, USABLE)


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
        final = {n: np.mean([row[2] for row in data["long"] if row[0] == n]) for n in NORMS}
        found |= {f"{norm}_long": 100 * score for norm, score in final.items()}
        found["behind_long"] = 100 * (final["none"] - final["batch"])
    return found
