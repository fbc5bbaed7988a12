"""M4 of Fei 2020: does the last BatchNorm allow larger rates, and are the two halves needed?

All in the residual net. (A plain net of 12 layers without a normalizer trains at no rate here, so
"within five points of its own best" says nothing about it.) The net with the last BatchNorm alone
is compared with the same net without it, which has the same scalars at the ends of its branches:
nothing else is changed. And with the net whose normalizers were just left out.

Beside the verdict, an ablation: the two halves, each alone, both, neither, and BatchNorm, at a
moderate and at a large rate.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from bnlab.chapters.mimicnorm.trainings import BASE, COLUMNS, accuracies, completed
from bnlab.train import Run
from bnlab.verdicts.table import Table, fact_name
from bnlab.verdicts.tuning import CHANCE, usable_rates
from bnlab.verdicts.work import HERE, Work

SEEDS = tuple(range(860, 868))
NET = "residual"
LRS = {
    "last_norm": (0.03, 0.1, 0.3, 1.0, 3.0),
    "neither": (0.01, 0.03, 0.1, 0.3, 1.0),
    "none": (0.001, 0.003, 0.01, 0.03, 0.1, 0.3),
}
SWEPT = tuple(LRS)
ABLATED = ("batch", "mimic", "last_norm", "weight_mean", "neither")
MODERATE, LARGE = 0.1, 1.0
STEPS = 300
TOO_LARGE = 0.3  # for the net without the last BatchNorm, in trials
FAILED = 0.8  # test accuracy of a net that failed, though it did not diverge


def measure(
    seeds: Sequence[int] = SEEDS, work: Work = HERE, earlier: dict | None = None, base: Run = BASE
) -> dict:
    """Train the swept methods at all rates, and the others of the ablation at two.

    Args:
        seeds: that count; each seed's usable rate is judged against its own best.
        work: does the trainings.
        earlier: a measurement whose trainings are taken over, as far as they are the same.
        base: what all trainings share.
    """
    places = dict.fromkeys(
        [
            *((method, lr) for method, rates in LRS.items() for lr in rates),
            *itertools.product(ABLATED, (MODERATE, LARGE)),
        ]
    )
    cases = [(NET, method, lr, seed) for method, lr in places for seed in seeds]
    return {
        "base": base.to_dict(),
        "seeds": list(seeds),
        "columns": list(COLUMNS),
        "rows": completed(work, base, cases, [STEPS], earlier),
    }


def repeat(data: dict, seeds: Sequence[int]) -> dict:
    """The same trainings for some seeds."""
    return measure(seeds, base=Run.from_dict(data["base"]))


def swept(data: dict, method: str, part: str = "test") -> np.ndarray:
    """Accuracy by rate and seed, (rates, seeds); diverged nets: chance."""
    return accuracies(Table.of(data).where(method=method), LRS[method], data["seeds"], part)


def usable(data: dict, method: str) -> np.ndarray:
    """Logarithm (decades) of the largest usable rate by validation accuracy, (seeds,)."""
    return np.log10(usable_rates(LRS[method], swept(data, method, "val")))


def at_rate(data: dict, method: str, lr: float) -> np.ndarray:
    """Test accuracy of a method at a rate, (seeds,); diverged nets: chance."""
    return accuracies(Table.of(data).where(method=method), [lr], data["seeds"])[0]


def values(data: dict) -> dict[str, np.ndarray]:
    """The effects of M4, one number a seed."""
    found = usable(data, "last_norm")
    with_it, without = (at_rate(data, method, TOO_LARGE) for method in ("last_norm", "neither"))
    return {
        "rate": found - usable(data, "neither"),
        "trains": with_it - without,
        "bare": found - usable(data, "none"),
    }


def facts(data: dict) -> dict[str, object]:
    """Numbers for sentences: rates, and accuracies in per cent.

    ``test_METHOD_moderate`` and ``..._large`` are those of the ablation, with the ``worst`` seed,
    the number of seeds that ``failed`` (below 80 %) and that ``diverged``.
    """
    found: dict[str, object] = {
        "seeds": len(data["seeds"]),
        "steps": STEPS,
        "moderate": MODERATE,
        "large": LARGE,
    }
    for method in SWEPT:
        score, best = swept(data, method), swept(data, method, "val").mean(1)
        found |= {
            f"usable_{method}": 10 ** usable(data, method).mean(),
            f"best_{method}": 100 * score[int(best.argmax())].mean(),
            f"best_lr_{method}": LRS[method][int(best.argmax())],
        }
        for lr, numbers in zip(LRS[method], score, strict=True):
            found[fact_name("at", method, lr)] = 100 * numbers.mean()
    effects = values(data)
    found |= {f"{name}_times": 10 ** effects[name].mean() for name in ("rate", "bare")}
    found |= {"too_large": TOO_LARGE, "trains": 100 * effects["trains"].mean()}
    for method in ("last_norm", "neither"):
        ends = Table.of(data).where(method=method, lr=TOO_LARGE).entries("diverged_at")
        found[f"diverged_{method}"] = sum(one is not None for one in ends)
    for method, (name, lr) in itertools.product(
        ABLATED, (("moderate", MODERATE), ("large", LARGE))
    ):
        score, end = at_rate(data, method, lr), f"{method}_{name}"
        ends = Table.of(data).where(method=method, lr=lr).entries("diverged_at")
        found |= {
            f"test_{end}": 100 * score.mean(),
            f"worst_{end}": 100 * score.min(),
            f"failed_{end}": int((score < FAILED).sum()),
            f"diverged_{end}": sum(one is not None for one in ends),
        }
    return {**found, "chance": 100 * CHANCE}
