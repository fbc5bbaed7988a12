"""N5: what the search finds by score and by accuracy in the supernet, and a random net beside it.

The paper looks for the best architecture below a number of multiply-accumulates; here it is the
median of the space. Both searches look at *all* architectures below it, so that no evolution has
luck. The random net has the size of the one that the score finds.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence

import numpy as np

from bnlab import random
from bnlab.chapters.bn_nas.ranked import seen
from bnlab.chapters.bn_nas.space import BASE, SAMPLED, costs, named, paths
from bnlab.chapters.bn_nas.trainings import STEPS, Search, alone, own, score, searched
from bnlab.nets.supernet import Path
from bnlab.train import Run
from bnlab.verdicts.table import Table
from bnlab.verdicts.ties import first_best
from bnlab.verdicts.work import HERE, Work

SEEDS = tuple(range(1100, 1116))
FOUND = ("score", "accuracy", "random")
NEAR = 0.05
"""The random net's multiply-accumulates lie this close to those of the net found by score."""

ALONE = range(11, 17)
"""Which of the seeds of a unit train what was found."""

COLUMNS = ("found", "path", "seed", "macs", "parameters", "layers", "score", "accuracy", "alone")
"""``score`` and ``accuracy`` in the supernet; ``alone``: test accuracies of trainings alone."""


def measure(seeds: Sequence[int] = SEEDS, work: Work = HERE, base: Run = BASE) -> dict:
    """Search in each unit's supernet in two ways; train what is found alone."""
    asked = candidates(base)
    parts = [(base, Search(), seed, [STEPS], asked) for seed in seeds]
    found = work.starmap(searched, parts)
    chosen = [
        (name, path, seed, one)
        for seed, one in zip(seeds, found, strict=True)
        for name, path in _chosen(seed, asked, one).items()
    ]
    wanted = [(base, path, own(seed, k)) for _, path, seed, _ in chosen for k in ALONE]
    scores = iter(work.starmap(alone, wanted))
    rows = [
        [
            *(name, named(path), seed, *costs(path)),
            score(one["tables"][0], path),
            one["accuracies"][0][asked.index(path)],
            [next(scores) for _ in ALONE],
        ]
        for name, path, seed, one in chosen
    ]
    return {
        "base": base.to_dict(),
        "seeds": list(seeds),
        "asked": [named(path) for path in asked],
        "tables": [one["tables"][0] for one in found],
        "accuracies": [one["accuracies"][0] for one in found],
        "columns": list(COLUMNS),
        "rows": rows,
    }


def candidates(base: Run = BASE) -> list[Path]:
    """The architectures that cost at most as much as the median of the space."""
    known = {path: costs(path)[0] for path in paths(base)}
    limit = statistics.median(known.values())
    return [path for path, cost in known.items() if cost <= limit]


def _chosen(seed: int, asked: Sequence[Path], found: dict) -> dict[str, Path]:
    best = asked[first_best([score(found["tables"][0], path) for path in asked])]
    rival = asked[first_best(found["accuracies"][0])]
    return dict(zip(FOUND, (best, rival, random_like(seed, best, asked)), strict=True))


def random_like(seed: int, path: Path, asked: Sequence[Path]) -> Path:
    """Another of these architectures with nearly the same multiply-accumulates, drawn at random.

    If none lies within ``NEAR``, the nearest one.
    """
    others = [one for one in asked if one != path]
    away = {one: abs(costs(one)[0] / costs(path)[0] - 1) for one in others}
    near = [one for one in others if away[one] <= NEAR] or [min(others, key=away.get)]
    return near[random.permutation(seed, SAMPLED + 1, len(near))[0]]


def reached(data: dict, found: str) -> np.ndarray:
    """Test accuracy alone of what was found in one way, (seeds,)."""
    return Table.of(data).column("alone", found=[found], seed=data["seeds"])[0].mean(-1)


def values(data: dict) -> dict[str, np.ndarray]:
    """The effects of N5, one number a unit."""
    by_score, by_accuracy, at_random = (reached(data, found) for found in FOUND)
    return {"lost": by_accuracy - by_score, "beyond_random": by_score - at_random}


def facts(data: dict) -> dict[str, object]:
    """Numbers for sentences: per cent and points."""
    table, found = Table.of(data), {"seeds": len(data["seeds"]), "asked": len(data["asked"])}
    for name in FOUND:
        rows = table.where(found=name)
        found |= {
            f"test_{name}": 100 * reached(data, name).mean(),
            f"macs_{name}": rows.column("macs").mean(),
            f"parameters_{name}": rows.column("parameters").mean(),
            f"layers_{name}": rows.column("layers").mean(),
        }
    same = [
        len({row["path"] for row in table.where(seed=seed, found=list(FOUND[:2]))}) == 1
        for seed in data["seeds"]
    ]
    return found | {"same_net": sum(same), **seen(values(data))}
