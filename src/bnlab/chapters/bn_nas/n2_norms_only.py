"""N2: the score when only BatchNorm's parameters are trained, against all weights trained."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from bnlab.chapters.bn_nas.ranked import ALL, each, ranked, taus, taus_of_size, taus_with_size
from bnlab.chapters.bn_nas.space import BASE
from bnlab.chapters.bn_nas.trainings import TRAINED
from bnlab.train import Run
from bnlab.verdicts.work import HERE, Work

SEEDS = tuple(range(1100, 1116))


def measure(
    seeds: Sequence[int] = SEEDS, work: Work = HERE, base: Run = BASE, earlier: dict | None = None
) -> dict:
    """Nets alone, and supernets of each kind of ``TRAINED``; see ``ranked``."""
    return ranked(seeds, work, base, TRAINED, earlier)


def values(data: dict) -> dict[str, np.ndarray]:
    """The effects of N2, one number a unit."""
    whole, layers = taus(data, "scores", ALL), taus_of_size(data, "layers")
    found = {}
    for kind in TRAINED[1:]:
        own = taus(data, "scores", ALL, kind)
        found |= {
            f"{kind}_tau": own,
            f"{kind}_less": whole - own,
            f"{kind}_learned": own - layers,
            f"{kind}_alike": taus(data, "scores", ALL, kind, alike=True),
        }
    return found


def facts(data: dict) -> dict[str, object]:
    """Numbers for sentences; names end in what was trained and the number of steps."""
    numbers = {"tau_layers": taus_of_size(data, "layers")}
    for kind, (mark, steps) in itertools.product(TRAINED, enumerate(data["marks"])):
        end = f"{kind}_{steps}"
        numbers |= {
            f"score_{end}": taus(data, "scores", mark, kind),
            f"score_alike_{end}": taus(data, "scores", mark, kind, alike=True),
            f"accuracy_{end}": taus(data, "accuracies", mark, kind),
            f"with_layers_{end}": taus_with_size(data, "layers", mark, kind),
            f"val_{end}": 100 * each(data, _mean_accuracy(mark), kind),
        }
    return {name: found.mean() for name, found in numbers.items()} | {"seeds": len(data["seeds"])}


def _mean_accuracy(mark: int):
    return lambda unit: unit.column("accuracies")[:, mark].mean()
