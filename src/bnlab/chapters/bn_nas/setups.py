"""The search for a set-up: in which trainings is there an order of nets to predict at all?

``python -m bnlab.chapters.bn_nas.setups`` trains all of it with seeds that are not counted, and
writes ``setups.json`` beside this module. Two questions: how well do two trainings of the same nets
alone agree (the noise ceiling), and at which rate does each kind of supernet learn most? The rates
were chosen by that, on validation images. How the scores rank stands beside it: one sees what
another choice would have given.

Set-up and rates were chosen from shorter trials of this kind, before the claims were measured; the
table was completed while they were. In it nets that are trained twice as long agree better still;
so few nets do not tell such differences. (The stored taus are tau-b, which is a little
larger where a size ties nets; the command gives tau-a, as the claims have it.)
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from bnlab.chapters.bn_nas.ranked import SIZES
from bnlab.chapters.bn_nas.ranks import agreement, ceiling
from bnlab.chapters.bn_nas.space import BASE, costs, drawn
from bnlab.chapters.bn_nas.trainings import ALONE, MARKS, Search, alone, own, score, searched, truth
from bnlab.store import read_result, write_result
from bnlab.verdicts.work import HERE, Work

FILE = Path(__file__).with_suffix(".json")
KEPT = Path(".cache/setups/bn_nas")
COMMAND = "python -m bnlab.chapters.bn_nas.setups"
SEEDS = (2000, 2001)
NETS, ASKED = 16, 8
SHORT = (
    {},
    {"steps": 30},
    {"steps": 120},
    {"width": 16, "steps": 30},
    {"lr": 0.1, "label_noise": 0.5},
)
"""What is changed in the trainings alone."""

RATES = {
    "all": (0.01, 0.03, 0.1, 0.3),
    "norms": (0.1, 0.3, 1.0, 3.0),
    "last": (0.1, 0.5, 1.0),
}
SEARCHES = tuple(Search(kind, lr) for kind, rates in RATES.items() for lr in rates)
COLUMNS = (
    "steps",
    "lr",
    "width",
    "label_noise",
    "seed",
    "test",
    "ceiling",
    "ceiling_alike",
    *SIZES,
)
"""Trainings alone: mean accuracy, noise ceiling, and tau of what costs nothing."""

SUPERNETS = ("trained", "lr", "seed", "val", "scores", "alike")
"""Supernets: mean validation accuracy of the first paths at the end; tau of scores, and of scores
among nets with equally many layers, at each of ``MARKS``."""


def search(work: Work = HERE, seeds: Sequence[int] = SEEDS) -> dict:
    """Train all of it: two tables."""
    true = truth(work, BASE, seeds)
    wanted = [(one, seed) for one in SEARCHES for seed in seeds]
    found = work.starmap(
        searched, [(BASE, one, seed, MARKS, drawn(seed)[:ASKED]) for one, seed in wanted]
    )
    supernets = [
        _supernet(one, seed, np.array(true[seed]).T, looked)
        for (one, seed), looked in zip(wanted, found, strict=True)
    ]
    nets = work.starmap(nets_alone, [(changes, seed) for changes in SHORT for seed in seeds])
    return {
        "base": BASE.to_dict(),
        "seeds": list(seeds),
        "columns": list(COLUMNS),
        "rows": nets,
        "supernet_columns": list(SUPERNETS),
        "supernets": supernets,
    }


def nets_alone(changes: dict, seed: int) -> list:
    """A row with ``COLUMNS``."""
    base, paths = BASE.replace(**changes), drawn(seed, NETS)
    table = np.array([[alone(base, path, own(seed, k)) for path in paths] for k in ALONE])
    macs, parameters, layers = np.array([costs(path) for path in paths]).T
    return [
        *(getattr(base, name) for name in COLUMNS[:4]),
        seed,
        _short(table.mean()),
        _short(ceiling(table)),
        _short(ceiling(table, layers)),
        *(_short(agreement(table, size)) for size in (layers, macs, parameters)),
    ]


def _supernet(one: Search, seed: int, true: np.ndarray, found: dict) -> list:
    paths = drawn(seed)
    layers = np.array([costs(path)[2] for path in paths])
    scores = [np.array([score(table, path) for path in paths]) for table in found["tables"]]
    return [
        one.trained,
        one.lr,
        seed,
        _short(np.mean(found["accuracies"][-1])),
        [_short(agreement(true, each)) for each in scores],
        [_short(agreement(true, each, layers)) for each in scores],
    ]


def _short(number: float) -> float:
    return round(float(number), 3)


def load() -> dict:
    """The stored tables of the search."""
    return read_result(FILE, COMMAND)


def main() -> None:
    """Search, and write the tables; interrupted, it goes on when called again."""
    work = Work(KEPT, progress=True)
    write_result(FILE, search(work))
    work.forget()


if __name__ == "__main__":
    main()
