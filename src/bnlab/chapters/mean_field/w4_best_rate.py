"""W4 of Wei et al. 2019: where the best learning rate lies, in units of eta*.

Settings and margins were fixed before the seeds of ``SEEDS`` were run; they were chosen knowing an
earlier measurement with the seeds 680 to 687, on a coarser grid and without gamma 0.1, and trial
runs of gamma 0.1 with the seeds 0 to 3. The trainings and eta* are those of ``w2_rate_plane``, on a
grid that reaches further down: from a sixteenth of eta* to twice it, in steps of the fourth root
of 2.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bnlab.chapters.mean_field import w2_rate_plane
from bnlab.chapters.mean_field.w2_rate_plane import BASE, COLUMNS, GAMMAS, STARS, column, stars
from bnlab.verdicts.table import fact_name
from bnlab.verdicts.work import HERE, Work

SEEDS = tuple(range(732, 740))
POWERS = tuple(half / 2 for half in range(-16, 5))  # of root 2
EXPECTED = 0.5  # of eta*


def measure(
    seeds: Sequence[int] = SEEDS,
    work: Work = HERE,
    gammas: Sequence[float] = GAMMAS,
    powers: Sequence[float] = POWERS,
    device: str = "cpu",
) -> dict:
    """Train nets with BatchNorm at each rate.

    Args:
        seeds: of the weights and batches.
        work: measures and trains the nets.
        gammas: of the nets.
        powers: the rates are eta* times root 2 to these powers.
        device: see ``train``.

    Returns:
        ``base``, ``columns`` and ``rows``, one a training, as in W2.

    Raises:
        ValueError: for powers that do not rise.
    """
    if len(powers) < 3 or list(powers) != sorted(set(powers)):
        raise ValueError(f"powers must be at least 3 numbers that rise, got {list(powers)}.")
    nets = [(BASE.depth, "batch", gamma) for gamma in gammas]
    places = [(net, seed, list(powers), device) for net in nets for seed in seeds]
    return {
        "base": BASE.to_dict(),
        "gammas": list(gammas),
        "powers": list(powers),
        "seeds": list(seeds),
        "columns": list(COLUMNS),
        "rows": [row for found in work.starmap(w2_rate_plane.rows, places) for row in found],
    }


def repeat(data: dict, seeds: Sequence[int]) -> dict:
    """The same trainings for some seeds."""
    return measure(seeds, gammas=data["gammas"], powers=data["powers"])


def losses(data: dict, gamma: float) -> np.ndarray:
    """Test losses, (seeds, powers); infinite where the net diverged."""
    found = column(data, (BASE.depth, "batch", gamma), "test_loss")
    return np.where(np.isfinite(found), found, np.inf)


def best(data: dict, gamma: float, name: str = "through") -> np.ndarray:
    """The rate with the lowest test loss over eta*, (seeds,); ``name``: see ``stars``."""
    net = (BASE.depth, "batch", gamma)
    at = losses(data, gamma).argmin(1)
    rates = column(data, net, "rate")[np.arange(len(at)), at]
    return rates / stars(data, net, name)


def at_edge(data: dict) -> list[float]:
    """The gammas with a seed whose best rate is the smallest or the largest of the grid."""
    edges = (0, len(data["powers"]) - 1)
    return [g for g in data["gammas"] if np.isin(losses(data, g).argmin(1), edges).any()]


def part(gamma: float) -> str:
    """The name of the part that is about a gamma."""
    return fact_name("best", gamma)


def values(data: dict) -> dict[str, np.ndarray]:
    """The effects of W4, one number a seed: log10 of the best rate over eta*."""
    found = {part(gamma): np.log10(best(data, gamma)) for gamma in data["gammas"]}
    return {**found, "mean": np.mean(list(found.values()), axis=0)}


def facts(data: dict) -> dict[str, object]:
    """Numbers for sentences about W4; a gamma of 0.25 is written ``0_25``."""
    found: dict[str, object] = {
        "seeds": len(data["seeds"]),
        "mean": 10 ** values(data)["mean"].mean(),
    }
    for name in STARS:
        ratios = [10 ** np.log10(best(data, gamma, name)).mean() for gamma in data["gammas"]]
        found |= {f"{name}_low": min(ratios), f"{name}_high": max(ratios)}
    for gamma in data["gammas"]:
        found[part(gamma)] = 10 ** np.log10(best(data, gamma)).mean()
        tests = losses(data, gamma)
        half = data["powers"].index(-2)
        found[fact_name("lost", gamma)] = 10 ** np.log10(tests[:, half] / tests.min(1)).mean()
        last = np.isfinite(tests).all(0).nonzero()[0].max()
        found[fact_name("last", gamma)] = 2 ** (data["powers"][last] / 2)
    return found
