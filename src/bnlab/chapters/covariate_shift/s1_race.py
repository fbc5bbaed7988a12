"""S1 of Santurkar 2018: a race with and without BatchNorm, and how far the layers' inputs move.

Settings and margins were fixed before the seeds of ``SEEDS`` were run; they were chosen knowing
trial runs with the tuning seeds. The rate at which the movements are compared is the plain net's
best one, by validation images of the tuning seeds.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from bnlab.chapters.covariate_shift import moving_inputs
from bnlab.chapters.covariate_shift.moving_inputs import COLUMNS, select
from bnlab.chapters.learning_rates import b1_rates as sweep
from bnlab.train import Run
from bnlab.verdicts.table import Table
from bnlab.verdicts.trainings import train_all
from bnlab.verdicts.tuning import check_seeds
from bnlab.verdicts.work import HERE, Work

NORMS = sweep.NORMS
SEEDS = tuple(range(500, 516))
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
        trained by the compiled step; of the ``look`` inside one a net, rate and seed, at the depth
        that decides, trained by PyTorch.
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
        "columns": list(COLUMNS),
        "rows": rows,
    }
    plan = itertools.product(looked_at(data), seeds)
    looks = [(BASE.replace(depth=depths[0], lr=lr, seed=s), norm) for (norm, lr), s in plan]
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
    return [moving_inputs.race_row(history) for history in train_all(work, runs, ENGINE)]


def looked_at(data: dict) -> list[tuple[str, float]]:
    """Nets and rates of the look inside.

    Both nets at the best rate of the one without a normalizer, and BatchNorm at its own too.
    """
    plain, batch = (best_lr(data, data["depths"][0], norm) for norm in NORMS)
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


def losses(data: dict, depth: int, norm: str, lr: float) -> np.ndarray:
    """Mean training loss over the run, (seeds,)."""
    return select(data, "race", norm, lr, "loss", depth)


def movement(data: dict, above: tuple[str, float], below: tuple[str, float]) -> np.ndarray:
    """Decades by which the inputs of one net move more, median over the layers, (seeds,).

    Args:
        data: with looks inside.
        above: normalizer and rate of the one net.
        below: normalizer and rate of the other.
    """
    moves = [select(data, "look", *net, "moves") for net in (above, below)]
    return np.median(np.log10(moves[0] / moves[1]), axis=1)


def values(data: dict, depth: int | None = None) -> dict[str, np.ndarray]:
    """The effects of S1, one number a seed; at another depth only those of the race."""
    decisive = data["depths"][0]
    depth = depth or decisive
    best = {norm: best_lr(data, depth, norm) for norm in NORMS}
    loss = {norm: losses(data, depth, norm, best[norm]) for norm in NORMS}
    usable = {norm: sweep.usable_rate(racing(data), depth, norm) for norm in NORMS}
    found = {
        "loss": np.log10(loss["none"] / loss["batch"]),
        "rate": np.log10(usable["batch"] / usable["none"]),
    }
    if depth == decisive:
        same = best["none"]
        found["stable"] = movement(data, ("none", same), ("batch", same))
    return found


def facts(data: dict) -> dict[str, object]:
    """Numbers for sentences about S1."""
    found = {"seeds": len(data["seeds"])}
    for depth in data["depths"]:
        effect = values(data, depth)
        found[f"ratio_{depth}"] = 10 ** effect["rate"].mean()
        found[f"faster_{depth}"] = 10 ** effect["loss"].mean()
        for norm in NORMS:
            lr = best_lr(data, depth, norm)
            found[f"{norm}_lr_{depth}"] = lr
            found[f"{norm}_loss_{depth}"] = losses(data, depth, norm, lr).mean()
    plain, own = (best_lr(data, data["depths"][0], norm) for norm in NORMS)
    found["calmer"] = 10 ** movement(data, ("none", plain), ("batch", plain)).mean()
    if own != plain:
        found["calmer_own"] = 10 ** movement(data, ("none", plain), ("batch", own)).mean()
    for norm in NORMS:
        moves = select(data, "look", norm, plain, "moves")
        found[f"{norm}_moves"] = 100 * np.median(moves, axis=1).mean()
    return found
