"""S1 of Santurkar 2018: a race with and without BatchNorm, and how far the layers' inputs move.

Settings and margins were fixed before the seeds of ``SEEDS`` were run; they were chosen knowing
trial runs with the tuning seeds, and the first edition's result (seeds 500 to 515). The rate at
which the movements are compared is the best one of the net without a normalizer, by validation
images of the tuning seeds.

The core is the speed, the success that the paper sets out to explain. That the distributions are
about as stable is its observation beside it; its abstract leans on the intervention of S2.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from bnlab.chapters.covariate_shift import moving_inputs
from bnlab.chapters.covariate_shift.moving_inputs import MOVES, RACED, apart, movement, select
from bnlab.chapters.learning_rates import b1_rates as sweep
from bnlab.train import Run
from bnlab.verdicts.table import Table, fact_name
from bnlab.verdicts.trainings import train_all
from bnlab.verdicts.tuning import check_seeds
from bnlab.verdicts.work import HERE, Work

NORMS = sweep.NORMS
SEEDS = tuple(range(248, 264))
TUNING_SEEDS = sweep.TUNING_SEEDS
LRS = sweep.LRS
DEPTHS = (6, 15)  # the first decides; the second shows how far the claim reaches
BASE = Run(net="mlp", width=64, lr=0.1, batch_size=64, steps=300)
ENGINE = "compiled"


def measure(
    seeds: Sequence[int] = SEEDS,
    work: Work = HERE,
    depths: Sequence[int] = DEPTHS,
    tuning: dict | None = None,
) -> dict:
    """Train at every rate, depth and seed; then look inside at the rates that were best.

    Args:
        seeds: whose runs are the evidence.
        work: does the trainings.
        depths: of the net; the first one decides.
        tuning: an earlier measurement; its trainings with the tuning seeds are taken over.

    Returns:
        ``base``, ``columns`` and ``rows``: of the ``race`` one a depth, net, rate and seed,
        trained by the compiled step; of the ``look`` inside one a depth, net, rate and seed,
        trained by PyTorch.
    """
    check_seeds(seeds, TUNING_SEEDS)
    new, rows = (*TUNING_SEEDS, *seeds), []
    if tuning:
        new, rows = seeds, Table.of(tuning).where(depth=depths, seed=TUNING_SEEDS).rows
    rows += race(depths, NORMS, LRS, new, work)
    data = {
        "engine": ENGINE,
        "base": BASE.to_dict(),
        "depths": list(depths),
        "seeds": list(seeds),
        "tuning_seeds": list(TUNING_SEEDS),
        "columns": list(RACED),
        "rows": rows,
    }
    looks = [
        (BASE.replace(depth=depth, lr=lr, seed=seed), norm)
        for depth in depths
        for norm, lr in looked_at(data, depth)
        for seed in seeds
    ]
    rows += work.starmap(moving_inputs.watch, looks)
    return data


def race(
    depths: Sequence[int],
    norms: Sequence[str],
    lrs: Sequence[float],
    seeds: Sequence[int],
    work: Work,
) -> list[list]:
    """The rows of trainings in which nobody looks inside."""
    plan = itertools.product(depths, norms, lrs, seeds)
    runs = [BASE.replace(depth=d, norm=norm, lr=lr, seed=seed) for d, norm, lr, seed in plan]
    return [moving_inputs.raced_row(history) for history in train_all(work, runs, ENGINE)]


def looked_at(data: dict, depth: int | None = None) -> list[tuple[str, float]]:
    """Nets and rates of the look inside, at a depth or the one that decides.

    Both nets at the best rate of the one without a normalizer, and BatchNorm at its own too.
    """
    plain, batch = (best_lr(data, depth or data["depths"][0], norm) for norm in NORMS)
    return list(dict.fromkeys([("none", plain), ("batch", plain), ("batch", batch)]))


def repeat(data: dict, seeds: Sequence[int]) -> dict:
    """The same trainings for some seeds."""
    return measure(seeds, depths=data["depths"], tuning=data)


def racing(data: dict) -> dict:
    """The data without the looks inside, as the functions of the sweep expect them."""
    return {**data, "rows": Table.of(data).where(part="race").rows}


def best_lr(data: dict, depth: int, norm: str) -> float:
    """The rate with the highest mean validation accuracy over the tuning seeds."""
    return sweep.best_lr(racing(data), depth, norm)


def at_best(data: dict, depth: int, norm: str, name: str) -> np.ndarray:
    """A column of the race, the net at its best rate, (seeds,)."""
    return select(data, "race", norm, best_lr(data, depth, norm), name, depth)


def decades(data: dict, depth: int, name: str) -> np.ndarray:
    """log10 of a loss without a normalizer over that with BatchNorm, each at its best rate."""
    return np.log10(at_best(data, depth, "none", name) / at_best(data, depth, "batch", name))


def values(data: dict, depth: int | None = None) -> dict[str, np.ndarray]:
    """The effects of S1, one number a seed, at the depth that decides or another."""
    depth = depth or data["depths"][0]
    usable = {norm: sweep.usable_rate(racing(data), depth, norm) for norm in NORMS}
    same = best_lr(data, depth, "none")
    score = {norm: at_best(data, depth, norm, "test_accuracy") for norm in NORMS}
    return {
        "loss": decades(data, depth, "loss"),
        "rate": np.log10(usable["batch"] / usable["none"]),
        "accuracy": score["batch"] - score["none"],
        **{name: apart(data, ("none", same), ("batch", same), name, depth) for name in MOVES},
    }


def facts(data: dict) -> dict[str, object]:
    """Numbers for sentences about S1."""
    found = {"seeds": len(data["seeds"])}
    for depth in data["depths"]:
        effect = values(data, depth)
        ends = decades(data, depth, "end")
        found |= {
            f"ratio_{depth}": 10 ** effect["rate"].mean(),
            f"faster_{depth}": 10 ** effect["loss"].mean(),
            f"gain_{depth}": 100 * effect["accuracy"].mean(),
            f"end_{depth}": 10 ** -ends.mean(),
            f"ends_lower_{depth}": int((ends < 0).sum()),
        }
        plain, own = (best_lr(data, depth, norm) for norm in NORMS)
        for name in MOVES:
            found[fact_name("calmer", name, depth)] = 10 ** effect[name].mean()
            if own != plain:
                at_own = apart(data, ("none", plain), ("batch", own), name, depth)
                found[fact_name("own_calmer", name, depth)] = 10 ** at_own.mean()
        for norm, lr in (("none", plain), ("batch", own)):
            found[f"{norm}_lr_{depth}"] = lr
            found[f"{norm}_loss_{depth}"] = at_best(data, depth, norm, "loss").mean()
            ended = at_best(data, depth, norm, "end")
            found[f"{norm}_end_{depth}"] = 10 ** np.log10(ended).mean()
            found[f"{norm}_test_{depth}"] = 100 * at_best(data, depth, norm, "test_accuracy").mean()
            for name in MOVES:
                moves = np.median(movement(data, norm, plain, name, depth), axis=1).mean()
                found[fact_name(norm, name, depth)] = 100 * moves
    return found
