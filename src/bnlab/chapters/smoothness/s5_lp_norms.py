"""S5 of Santurkar 2018: normalizers that divide by an l1, l2 or l-infinity norm.

What BatchNorm gains over the net without a normalizer, in log terms, is the whole gain; judged is
which share of it is missing with the other norm. So a net that gains nothing misses all of it, and
the net without a normalizer, from other initial weights, is the placebo that must fail this test.

Each net races at its own best rate: that with the lowest mean training loss over the run, which is
what is compared, with the tuning seeds. (In the first edition validation images chose; their best
rates are told beside it.) The look along the gradient is that of S4, at its rate, the same for all
nets. The seeds that count are new; 700 and 701 are missing, since the page has shown them.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from bnlab.chapters.covariate_shift import moving_inputs
from bnlab.chapters.covariate_shift.moving_inputs import select
from bnlab.chapters.smoothness import s4_along_gradient
from bnlab.chapters.smoothness import s5_linear_net as linear_net
from bnlab.train import Run
from bnlab.verdicts.table import Table
from bnlab.verdicts.trainings import train_all
from bnlab.verdicts.tuning import best_rate, check_seeds
from bnlab.verdicts.work import HERE, Work

SEEDS = tuple(range(702, 716))
TUNING_SEEDS = tuple(range(8))
LP = ("l1_batch", "l2_batch", "linf_batch")
NORMS = ("none", "batch", *LP)
LRS = (0.03, 0.056, 0.1, 0.18, 0.3, 0.56, 1.0, 1.8, 3.0, 5.6)
DEPTH, STEPS = 6, 300
LOOK_LR = 0.1
LOOKS = tuple(range(s4_along_gradient.FIRST, s4_along_gradient.EARLY, s4_along_gradient.EVERY))
SMOOTHNESS = ("range", "change", "beta")
BASE = Run(net="mlp", depth=DEPTH, width=64, lr=LOOK_LR, batch_size=64, steps=STEPS)
ENGINE = "compiled"
COLUMNS = (*moving_inputs.COLUMNS[:-1], "numbers")


def measure(
    seeds: Sequence[int] = SEEDS,
    work: Work = HERE,
    tuning: dict | None = None,
    linear: bool = True,
) -> dict:
    """Race the five nets, look along their gradients, and train the deep linear net.

    Args:
        seeds: whose runs are the evidence.
        work: does the trainings.
        tuning: an earlier measurement; its trainings with the tuning seeds are taken over.
        linear: train the control of the deep linear net too; else only the two that decide.

    Returns:
        ``base``, ``columns`` and ``rows``. Of the part ``race`` one a net, rate and seed, as in
        S1; of ``look`` one a net and seed, whose ``numbers`` are those of S4, medians over the
        early looks; of ``linear`` one a net, rate and seed, see ``linear_net.row``.
    """
    check_seeds(seeds, TUNING_SEEDS)
    new, tuners = (*TUNING_SEEDS, *seeds), TUNING_SEEDS[: linear_net.TUNERS]
    rows = Table.of(tuning).where(seed=TUNING_SEEDS).rows if tuning else []
    plan = itertools.product(NORMS, LRS, seeds if tuning else new)
    runs = [BASE.replace(norm=norm, lr=lr, seed=seed) for norm, lr, seed in plan]
    rows = rows + [moving_inputs.race_row(history) for history in train_all(work, runs, ENGINE)]
    rows += work.starmap(look_row, itertools.product(NORMS, seeds))
    rows += [] if tuning else linear_net.tune(tuners, work)
    rows += linear_net.counted(rows, tuners, seeds, work, linear)
    return {
        "engine": ENGINE,
        "base": BASE.to_dict(),
        "depths": [DEPTH],
        "seeds": list(seeds),
        "tuning_seeds": list(TUNING_SEEDS),
        "linear_tuning": list(tuners),
        "columns": list(COLUMNS),
        "rows": rows,
    }


def repeat(data: dict, seeds: Sequence[int]) -> dict:
    """The same trainings for some seeds."""
    return measure(seeds, tuning=data)


def look_row(norm: str, seed: int) -> list:
    """The medians of the early looks of S4, in float64."""
    run = BASE.replace(norm=norm, seed=seed, steps=s4_along_gradient.EARLY, precision="float64")
    found = s4_along_gradient.look(run, at=LOOKS)
    numbers = [float(f"{value:.4g}") for value in np.median(found, axis=1)]
    return ["look", DEPTH, norm, LOOK_LR, seed, None, None, None, None, numbers]


def tuned(data: dict, norm: str, name: str) -> np.ndarray:
    """A column of the tuning seeds' races, (rates, seeds)."""
    table = Table.of(data).where(part="race", norm=norm)
    return table.column(name, lr=LRS, seed=data["tuning_seeds"])


def best_lr(data: dict, norm: str) -> float:
    """The rate at which a net has the lowest mean training loss, with the tuning seeds."""
    return best_rate(LRS, -tuned(data, norm, "loss"))


def validation_lr(data: dict, norm: str) -> float:
    """The rate that the validation images choose, with the tuning seeds."""
    return best_rate(LRS, tuned(data, norm, "val_accuracy"))


def losses(data: dict, norm: str, lr: float | None = None) -> np.ndarray:
    """Mean training loss over the run, at a rate or the net's best one, (seeds,)."""
    return select(data, "race", norm, lr or best_lr(data, norm), "loss")


def early(data: dict, norm: str, name: str = "range") -> np.ndarray:
    """One of the numbers of S4, median over the early looks, (seeds,)."""
    at = s4_along_gradient.NUMBERS.index(name)
    return select(data, "look", norm, LOOK_LR, "numbers")[:, at]


def missing(none: np.ndarray, batch: np.ndarray, other: np.ndarray) -> np.ndarray:
    """The share of BatchNorm's gain, in log terms, that another net lacks, (seeds,).

    It is 0 for a net that is as good as BatchNorm, and 1 for one without any gain.
    """
    return np.log(other / batch) / np.log(none / batch)


def missing_loss(data: dict, norm: str) -> np.ndarray:
    """The share of the gain in the race that a net lacks, each at its own best rate."""
    return missing(*(losses(data, which) for which in ("none", "batch", norm)))


def missing_smoothness(data: dict, norm: str, name: str) -> np.ndarray:
    """The share of the shrinking along the gradient that a net lacks."""
    return missing(*(early(data, which, name) for which in ("none", "batch", norm)))


def placebo(data: dict, name: str = "loss") -> np.ndarray:
    """What the net without a normalizer lacks, if the next seed's stands for another norm."""
    found = {
        norm: losses(data, norm) if name == "loss" else early(data, norm, name)
        for norm in ("none", "batch")
    }
    return missing(found["none"], found["batch"], np.roll(found["none"], -1))


def values(data: dict) -> dict[str, np.ndarray]:
    """The effects of S5, one number a seed; the worst of the three is chosen for each seed."""
    found = {norm.split("_")[0]: missing_loss(data, norm) for norm in LP}
    for name in SMOOTHNESS:
        found[name] = np.max([missing_smoothness(data, norm, name) for norm in LP], axis=0)
    batch, l1 = (linear_net.numbers(data, norm) for norm in ("batch", "l1_batch"))
    return {**found, "linear": np.log10(batch / l1)}


def facts(data: dict) -> dict[str, object]:
    """Numbers for sentences about S5; what is missing is in per cent of BatchNorm's gain."""
    found: dict[str, object] = {"seeds": len(data["seeds"])}
    for norm in NORMS:
        found[f"lr_{norm}"] = best_lr(data, norm)
        found[f"val_lr_{norm}"] = at = validation_lr(data, norm)
        found[f"loss_{norm}"] = losses(data, norm).mean()
        found[f"test_{norm}"] = 100 * select(data, "race", norm, at, "test_accuracy").mean()
        found[f"behind_{norm}"] = _times(losses(data, norm), losses(data, "batch"))
        same = (losses(data, which, LOOK_LR) for which in (norm, "batch"))
        found[f"same_{norm}"] = _times(*same)
        chosen = (losses(data, n, validation_lr(data, n)) for n in ("none", "batch", norm))
        found[f"val_missing_{norm}"] = 100 * missing(*chosen).mean()
        found[f"missing_{norm}"] = 100 * missing_loss(data, norm).mean()
        for name in SMOOTHNESS:
            found[f"{name}_{norm}"] = np.median(early(data, norm, name))
            found[f"{name}_less_{norm}"] = _times(
                early(data, "none", name), early(data, norm, name)
            )
            found[f"{name}_missing_{norm}"] = 100 * missing_smoothness(data, norm, name).mean()
    found["placebo"] = 100 * placebo(data).mean()
    return found | _linear_facts(data)


def _linear_facts(data: dict) -> dict[str, object]:
    batch, found = linear_net.numbers(data, "batch"), {}
    for norm in linear_net.trained(data):
        rows = linear_net.numbers(data, norm)
        found[f"linear_lr_{norm}"] = linear_net.best_lr(data, norm)
        found[f"linear_{norm}"] = rows.mean()
        found[f"linear_ratio_{norm}"] = _times(batch, rows)
        found[f"linear_ahead_{norm}"] = int((rows < batch).sum())
        found[f"spread_{norm}"] = linear_net.numbers(data, norm, "spread").mean()
    if linear_net.RESCALED in linear_net.trained(data):
        logs = [np.log(found[f"linear_ratio_{norm}"]) for norm in (linear_net.RESCALED, "l1_batch")]
        found["linear_explained"] = 100 * logs[0] / logs[1]
    return found


def _times(above: np.ndarray, below: np.ndarray) -> float:
    """How many times as large, geometric mean over the seeds."""
    return float(10 ** np.log10(above / below).mean())
