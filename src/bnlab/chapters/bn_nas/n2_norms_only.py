"""N2: the score when only BatchNorm's parameters are trained, against all weights trained."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

import numpy as np

from bnlab.chapters.bn_nas.ranked import (
    ALL,
    FEW,
    each,
    ranked,
    seen,
    taus,
    taus_of_size,
    taus_with_size,
)
from bnlab.chapters.bn_nas.space import BASE, drawn
from bnlab.chapters.bn_nas.trainings import RATES, STEPS, TRAINED, Search, searched
from bnlab.train import Run
from bnlab.verdicts.table import Table
from bnlab.verdicts.work import HERE, Work

SEEDS = tuple(range(1100, 1116))
WIDTHS = (32,)
WIDE = 3
"""Beside the claim: does a supernet four times as wide learn when only normalizers are trained? The
first units and a few of their paths. It is told by their validation accuracy."""


def measure(
    seeds: Sequence[int] = SEEDS, work: Work = HERE, base: Run = BASE, earlier: dict | None = None
) -> dict:
    """Nets alone, and supernets of each kind of ``TRAINED``, see ``ranked``; and wider ones.

    ``widths`` has what was trained, the width, the unit and the mean validation accuracy.
    """
    found = ranked(seeds, work, base, TRAINED, earlier)
    cases = [
        (kind, width, seed) for kind in TRAINED[1:] for width in WIDTHS for seed in seeds[:WIDE]
    ]
    parts = [
        (base, Search(kind, RATES[kind], width=width), seed, [STEPS], drawn(seed)[:FEW])
        for kind, width, seed in cases
    ]
    wide = [
        [*case, round(float(np.mean(one["accuracies"])), 4)]
        for case, one in zip(cases, work.starmap(searched, parts), strict=True)
    ]
    return {**found, "widths": wide}


def values(data: dict) -> dict[str, np.ndarray]:
    """The effects of N2, one number a unit."""
    whole, layers = taus(data, "scores", ALL), taus_of_size(data, "layers")
    found = {}
    for kind in TRAINED[1:]:
        own = taus(data, "scores", ALL, kind)
        found |= {f"{kind}_less": whole - own, f"{kind}_learned": own - layers}
    return found


def facts(data: dict) -> dict[str, object]:
    """Numbers for sentences; names end in what was trained and the number of steps."""
    numbers = {"tau_layers": taus_of_size(data, "layers")}
    for kind, (mark, steps) in itertools.product(TRAINED, enumerate(data["marks"])):
        end = f"{kind}_{steps}"
        numbers |= {
            f"score_{end}": taus(data, "scores", mark, kind),
            f"score_alike_{end}": taus(data, "scores", mark, kind, alike=True),
            f"with_layers_{end}": taus_with_size(data, "layers", mark, kind),
            f"val_{end}": 100 * each(data, _mean_accuracy(mark), kind),
        }
    for kind, width in itertools.product(TRAINED[1:], WIDTHS):
        found = [val for *case, _, val in data["widths"] if case == [kind, width]]
        numbers[f"val_{kind}_width_{width}"] = 100 * np.array(found)
    return {name: found.mean() for name, found in numbers.items()} | {
        "seeds": len(data["seeds"]),
        **seen(values(data)),
    }


def _mean_accuracy(mark: int) -> Callable[[Table], float]:
    return lambda unit: np.mean([one[mark] for one in unit.entries("accuracies") if one])
