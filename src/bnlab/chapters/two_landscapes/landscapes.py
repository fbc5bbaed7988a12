"""The band over learning rates and the range along the gradient, of the same nets.

A demonstration, no claim: it says what the two pictures show, not what is true of BatchNorm. Rates,
lists of rates and ``PREDICTED`` were fixed before the seeds of ``SEEDS`` were run, knowing trial
runs with seeds 2158 and 2159.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence

import numpy as np

from bnlab.chapters.smoothness import s4_along_gradient as s4
from bnlab.data import load
from bnlab.train import DIVERGED, Run, Trainer, threads
from bnlab.verdicts.table import Table, fact_name
from bnlab.verdicts.work import HERE, Work

NORMS = ("none", "batch")
RATES = (0.003, 0.01, 0.03, 0.1)
SEEDS = (2150, 2151, 2152)
BASE = s4.BASE.replace(steps=200)
EVERY = 10  # steps between two looks
EARLY = 0.5  # of the steps: looks up to there are early
NUMBERS = ("loss", "lowest", "highest", "size")
COLUMNS = ("norm", "lr", "seed", *NUMBERS)
LISTS = {"low": (0, 3), "all": (0, 4), "high": (1, 4), "top": (2, 4)}
"""Lists of rates, as the first and the one after the last of the four."""

PREDICTED = {"band_low": (0.8, 1.0), "band_high": (1.3, 2.0), "range_top": (0.03, 0.3)}
"""With BatchNorm over without: mean width of a band, early range at the largest rate."""


def measure(
    base: Run = BASE,
    rates: Sequence[float] = RATES,
    seeds: Sequence[int] = SEEDS,
    work: Work = HERE,
    every: int = EVERY,
) -> dict:
    """Train both nets at every rate; at each look, take the loss and look along the gradient.

    All nets of a seed start from the same weights and see the same batches, so that at a look all
    numbers are of one batch, the one that comes next.

    Args:
        base: what is trained; by default an MLP on digits.
        rates: four learning rates, in rising order.
        seeds: initial weights and batches.
        work: does the trainings.
        every: steps between two looks.

    Returns:
        ``columns`` and ``rows``, one a net, rate and seed, with ``NUMBERS`` at each of ``looks``;
        fewer if the net diverged.
    """
    at = range(0, base.steps, every)
    plan = list(itertools.product(NORMS, rates, seeds))
    runs = [(base.replace(norm=norm, lr=lr, seed=seed), every) for norm, lr, seed in plan]
    found = work.starmap(look, runs)
    return {
        "base": base.to_dict(),
        "images": load(base.data, base.split_seed, base.image_size).source,
        "rates": list(rates),
        "seeds": list(seeds),
        "looks": list(at),
        "columns": list(COLUMNS),
        "rows": [[*case, *numbers] for case, numbers in zip(plan, found, strict=True)],
    }


@threads(1)
def look(run: Run, every: int) -> list[list[float]]:
    """``NUMBERS`` at each look of a training, (4, looks); fewer if the net diverged.

    They are the loss, its lowest and highest value along the gradient over the paper's steps, and
    the length of the gradient.
    """
    trainer, found, limit = Trainer(run, "cpu"), [], math.inf
    for step, numbers in enumerate(trainer.batches):
        if step % every == 0:
            loss = trainer.loss_now(numbers, step + 1)
            if not loss <= limit:
                break
            limit = DIVERGED * loss if step == 0 else limit
            seen = s4.along(trainer, numbers)
            found.append([seen.loss, seen.loss_min, seen.loss_max, seen.gradient_norm])
        trainer.update(numbers, step + 1)
    # A loss that is not finite would be no JSON.
    return [[float(f"{min(value, 1e300):.4g}") for value in part] for part in np.transpose(found)]


def curves(data: Mapping, norm: str, lr: float, name: str) -> np.ndarray:
    """A number at each look, (seeds, looks); infinite after a net diverged."""
    table, count = Table.of(data).where(norm=norm, lr=lr), len(data["looks"])
    by_seed = table.entries(name, seed=data["seeds"])
    return np.array([(found + [np.inf] * count)[:count] for found in by_seed])


def edges(data: Mapping, norm: str, rates: Sequence[float]) -> tuple[np.ndarray, np.ndarray]:
    """Lowest and highest loss over nets trained at these rates, (seeds, looks) each."""
    losses = np.array([curves(data, norm, lr, "loss") for lr in rates])
    return losses.min(0), losses.max(0)


def width(data: Mapping, norm: str, rates: Sequence[float]) -> np.ndarray:
    """Mean over the looks of the width of the band, (seeds,)."""
    return _between(*edges(data, norm, rates)).mean(1)


def _between(low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """From low to high; infinite where a net has diverged, also where all have."""
    return np.where(np.isinf(high), np.inf, high - np.where(np.isinf(low), 0, low))


def early_range(data: Mapping, norm: str, lr: float) -> np.ndarray:
    """Median over the early looks of the range along the gradient, (seeds,)."""
    ends = (curves(data, norm, lr, name) for name in ("lowest", "highest"))
    return _early(data, _between(*ends))


def _early(data: Mapping, found: np.ndarray) -> np.ndarray:
    """Median over the early looks, (seeds,)."""
    early = np.array(data["looks"]) <= EARLY * data["base"]["steps"]
    return np.median(found[:, early], axis=1)


def listed(data: Mapping, name: str) -> list[float]:
    """The rates of one of ``LISTS``."""
    first, end = LISTS[name]
    return data["rates"][first:end]


def band_ratio(data: Mapping, name: str) -> np.ndarray:
    """Width of the band over a list of rates with BatchNorm over that without, (seeds,)."""
    none, batch = (width(data, norm, listed(data, name)) for norm in NORMS)
    return ratio(batch, none)


def range_ratio(data: Mapping, lr: float) -> np.ndarray:
    """Early range along the gradient with BatchNorm over that without, (seeds,)."""
    none, batch = (early_range(data, norm, lr) for norm in NORMS)
    return ratio(batch, none)


def squared_ratio(data: Mapping, lr: float) -> np.ndarray:
    """Early squared length of the gradient with BatchNorm over that without, (seeds,)."""
    none, batch = (_early(data, curves(data, norm, lr, "size")) for norm in NORMS)
    return ratio(batch, none) ** 2


def ratio(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """One over the other: 0 or infinite where one of both is, undefined where both are."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return one / other


def geometric_mean(ratios: np.ndarray) -> float:
    """Of the seeds: 0, infinite or undefined if one of them is."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return float(np.exp(np.log(ratios).mean()))


def lost(data: Mapping) -> int:
    """How many nets diverged."""
    return sum(len(row[-1]) < len(data["looks"]) for row in data["rows"])


def facts(data: Mapping) -> dict[str, object]:
    """Numbers for sentences: geometric means over the seeds, of BatchNorm over none.

    ``band_NAME`` for each of ``LISTS``; ``range_LR`` for each rate, and ``range_top`` for the
    largest; ``squared_LR`` for the squared length of the gradient. ``wider_NAME`` and
    ``narrower_top`` count the seeds in which BatchNorm's band is the wider one, and its range at
    the largest rate the narrower one.
    """
    found: dict[str, object] = {"seeds": len(data["seeds"]), "top": data["rates"][-1]}
    for name in LISTS:
        ratios = band_ratio(data, name)
        found[f"band_{name}"] = geometric_mean(ratios)
        found[f"wider_{name}"] = int((ratios > 1).sum())
    for lr in data["rates"]:
        ratios = range_ratio(data, lr)
        found[fact_name("range", lr)] = found["range_top"] = geometric_mean(ratios)
        found["narrower_top"] = int((ratios < 1).sum())
        found[fact_name("squared", lr)] = geometric_mean(squared_ratio(data, lr))
    return found
