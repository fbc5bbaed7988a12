"""The rows of N1, N2 and N3: scores of nets in supernets, beside the nets trained alone.

Each seed is a unit of its own, see ``trainings``; a number of a unit is one number of its seed.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from bnlab.chapters.bn_nas.ranks import agreement, ceiling, partial, tau_b
from bnlab.chapters.bn_nas.space import costs, drawn, named
from bnlab.chapters.bn_nas.trainings import MARKS, RATES, Search, score, searched, truth
from bnlab.nets.supernet import Path
from bnlab.train import Run
from bnlab.verdicts.interval import interval
from bnlab.verdicts.table import Table
from bnlab.verdicts.tuning import check_same_run
from bnlab.verdicts.work import Work

COLUMNS = (
    *("trained", "path", "seed", "macs", "parameters", "layers"),
    *("alone", "scores", "accuracies"),
)
"""``trained`` says what was trained in the supernet; ``alone`` has the test accuracy in two
trainings of the net alone; ``scores`` and ``accuracies`` have the indicator and the validation
accuracy in the supernet at each of ``MARKS``. Where not all weights are trained, only the first
``FEW`` nets of a unit have accuracies: they tell whether it learns."""

FEW = 8

TENTH, QUARTER, HALF, ALL = range(len(MARKS))
SIZES = ("layers", "macs", "parameters")


def ranked(
    seeds: Sequence[int],
    work: Work,
    base: Run,
    trained: Sequence[str],
    earlier: Mapping | None = None,
) -> dict:
    """Train each unit's nets alone and its supernets; score the nets at the marks.

    Args:
        seeds: of the units.
        work: does the trainings.
        base: what they share.
        trained: kinds of supernets, of ``TRAINED``.
        earlier: another measurement of this kind, whose trainings are taken over.
    """
    alone = _taken_over(earlier, base)
    alone |= truth(work, base, [seed for seed in seeds if seed not in alone])
    there = {} if earlier is None else _by_supernet(earlier)
    wanted = [(kind, seed) for kind in trained for seed in seeds]
    missing = [case for case in wanted if case not in there]
    found = work.starmap(
        searched,
        [
            (base, Search(kind, RATES[kind]), seed, MARKS, _asked(kind, seed))
            for kind, seed in missing
        ],
    )
    for (kind, seed), one in zip(missing, found, strict=True):
        there[kind, seed] = list(_rows(kind, seed, alone[seed], one))
    return {
        "base": base.to_dict(),
        "seeds": list(seeds),
        "marks": list(MARKS),
        "columns": list(COLUMNS),
        "rows": [row for case in wanted for row in there[case]],
    }


def _asked(kind: str, seed: int) -> list[Path]:
    return drawn(seed) if kind == "all" else drawn(seed)[:FEW]


def _rows(kind: str, seed: int, alone: list, found: dict) -> Iterator[list]:
    accuracies = itertools.chain(zip(*found["accuracies"], strict=True), itertools.repeat(()))
    for path, pair, reached in zip(drawn(seed), alone, accuracies, strict=False):
        scores = [score(table, path) for table in found["tables"]]
        yield [kind, named(path), seed, *costs(path), pair, scores, list(reached)]


def _taken_over(earlier: Mapping | None, base: Run) -> dict[int, list]:
    if earlier is None:
        return {}
    check_same_run(earlier, base)
    first = Table.of(earlier).where(trained=earlier["rows"][0][0])
    return {seed: first.where(seed=seed).entries("alone") for (seed,) in first.distinct("seed")}


def _by_supernet(earlier: Mapping) -> dict[tuple[str, int], list]:
    table = Table.of(earlier)
    return {
        (kind, seed): list(table.where(trained=kind, seed=seed).rows)
        for kind, seed in table.distinct("trained", "seed")
    }


# A number of each unit


def each(data: Mapping, of: Callable[[Table], float], trained: str = "all") -> np.ndarray:
    """A number of each unit's rows of one kind of supernet, (seeds,)."""
    table = Table.of(data).where(trained=trained)
    return np.array([of(table.where(seed=seed)) for seed in data["seeds"]])


def truth_of(unit: Table) -> np.ndarray:
    """The accuracies of a unit's nets alone, (2, A)."""
    return unit.column("alone").T


def taus(
    data: Mapping, name: str, mark: int, trained: str = "all", alike: bool = False
) -> np.ndarray:
    """Tau of ``scores`` or ``accuracies`` at a mark with the truth, (seeds,).

    ``alike`` counts only pairs of nets that have the same number of layers.
    """

    def of(unit: Table) -> float:
        layers = unit.column("layers") if alike else None
        return agreement(truth_of(unit), unit.column(name)[:, mark], layers)

    return each(data, of, trained)


def taus_of_size(data: Mapping, size: str, alike: bool = False) -> np.ndarray:
    """Tau of the number of layers, of MACs or of parameters with the truth, (seeds,)."""

    def of(unit: Table) -> float:
        layers = unit.column("layers") if alike else None
        return agreement(truth_of(unit), unit.column(size), layers)

    return each(data, of)


def ceilings(data: Mapping, alike: bool = False) -> np.ndarray:
    """Tau of the nets' first training alone with the second, (seeds,)."""

    def of(unit: Table) -> float:
        return ceiling(truth_of(unit), unit.column("layers") if alike else None)

    return each(data, of)


def taus_with_size(data: Mapping, size: str, mark: int, trained: str = "all") -> np.ndarray:
    """Tau-b of the score at a mark with a size, (seeds,): near 1, the score measures size."""
    return each(data, lambda u: tau_b(u.column("scores")[:, mark], u.column(size)), trained)


def taus_beside_size(data: Mapping, size: str, mark: int, trained: str = "all") -> np.ndarray:
    """Partial tau of the score at a mark with the truth, a size held fixed, (seeds,)."""
    return each(
        data,
        lambda u: partial(truth_of(u), u.column("scores")[:, mark], u.column(size)),
        trained,
    )


def seen(values: Mapping[str, np.ndarray]) -> dict[str, float]:
    """The smallest deviation of each effect's mean that its units would have shown.

    It is half of the width of the 95 % interval: the power that was reached.
    """
    ends = {name: interval(each) for name, each in values.items() if len(each) > 1}
    return {f"seen_{name}": (high - low) / 2 for name, (low, high) in ends.items()}
