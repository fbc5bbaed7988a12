"""What the widget Choices should find, computed in Python from the files that it reads."""

from __future__ import annotations

import json
from collections.abc import Iterator

import numpy as np

from bnlab import random
from bnlab.chapters.bn_nas.space import costs, paths
from bnlab.lab.choices.choices import SEARCH
from bnlab.lab.choices.choices_truth import truth
from bnlab.lab.choices.supernets import space
from tests.web.widget_page import ASSETS

EVOLUTION, SAME_SIZE = 80, 81
PATHS = paths()
MACS = np.array([costs(path)[0] for path in PATHS])
PARAMETERS, LAYERS = np.array([costs(path)[1:] for path in PATHS]).T
SIZES = [len(names) for names in space().names]


def right() -> np.ndarray:
    """Test images that each net gets right, (seeds, paths)."""
    return np.array(truth()["right"])


def stored_scales(trained: str, seed: int, step: int) -> list[int]:
    """Scales of a stored supernet, in thousandths."""
    text = (ASSETS / "replay" / "choices.js").read_text("utf-8")
    data = json.loads(text.partition(" = ")[2].rstrip(";\n"))
    axes = data["axes"]
    number = axes["trained"].index(trained) * len(axes["seed"]) + axes["seed"].index(seed)
    return data["scales"][number][data["steps"].index(step)]


def scores(scales: list[int]) -> np.ndarray:
    """The score of each path, in thousandths."""
    starts = np.cumsum([0, *SIZES[:-1]])
    return np.array([sum(scales[s + op] for s, op in zip(starts, p, strict=True)) for p in PATHS])


def rank(values: np.ndarray, at: int) -> int:
    """1 for the largest; equal values share a rank."""
    return 1 + int((values > values[at]).sum())


def within(budget: int) -> list[int]:
    """Numbers of the paths that the budget allows."""
    most = budget * MACS.max()
    return [i for i, size in enumerate(MACS) if 100 * size <= most]


def tau(values: np.ndarray) -> float:
    """Kendall's tau-a with each seed's accuracies, averaged."""
    return float(np.mean([_tau(values, row) for row in right()]))


def _tau(x: np.ndarray, y: np.ndarray) -> float:
    x, y = (np.sign(np.subtract.outer(v, v)) for v in (np.asarray(x), np.asarray(y)))
    return float((x * y).sum() / (len(x) * (len(x) - 1)))


def ceiling() -> float:
    """The same of each seed's accuracies with the others'."""
    rows = right()
    return float(np.mean([_tau(row, rows.sum(0) - row) for row in rows]))


def draws(seed: int, stream: int) -> Iterator[int]:
    """The numbers of a stream, one after the other."""
    for number in range(2**32):
        yield int(random.bits(seed, stream, 1, number)[0])


def evolve(of: np.ndarray, allowed: list[int], seed: int) -> list[int]:
    """The best path after each round."""
    numbers, fits, seen = draws(seed, EVOLUTION), set(allowed), set()
    best: list[int] = []
    history = []

    def below(high: int) -> int:
        return next(numbers) % high

    def any_path() -> list[int]:
        return [below(size) for size in SIZES]

    def parent() -> tuple[int, ...]:
        return PATHS[best[below(len(best))]]

    def mutant() -> list[int]:
        return [
            below(size) if (next(numbers) >> 8) * 2**-24 < SEARCH["rate"] else op
            for size, op in zip(SIZES, parent(), strict=True)
        ]

    def child() -> list[int]:
        one, other = parent(), parent()
        return [b if below(2) else a for a, b in zip(one, other, strict=True)]

    for number in range(SEARCH["rounds"] + 1):
        tried: list[int] = []
        makers = [(SEARCH["mutants"], mutant), (SEARCH["children"], child)] if number else []
        for count, make in makers:
            _fill(tried, count, make, fits, seen)
        _fill(tried, SEARCH["population"] - len(tried), any_path, fits, seen)
        best = sorted([*best, *tried], key=lambda i: (-of[i], i))[: SEARCH["parents"]]
        history.append(best[0])
    return history


def _fill(tried: list[int], count: int, make, fits: set[int], seen: set[int]) -> None:
    for _ in range(10 * count):
        if count == 0:
            return
        path = PATHS.index(tuple(make()))
        if path in fits and path not in seen:
            seen.add(path)
            tried.append(path)
            count -= 1


def same_size(number: int, allowed: list[int]) -> list[int]:
    """Other paths whose size is within a twentieth, or else the nearest one."""
    others = [i for i in allowed if i != number]
    away = np.abs(MACS - MACS[number])
    near = [i for i in others if away[i] <= 0.05 * MACS[number]]
    return near or [min(others, key=lambda i: (away[i], i))]


def random_one(numbers: list[int], seed: int) -> int:
    """One of these."""
    return numbers[next(draws(seed, SAME_SIZE)) % len(numbers)]


def name(number: int) -> str:
    """As the page writes an architecture."""
    return " · ".join(space().named(PATHS[number]))
