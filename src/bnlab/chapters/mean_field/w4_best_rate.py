"""W4 of Wei et al. 2019: where the best learning rate lies, in units of eta*.

Settings and margins were fixed before the seeds of ``SEEDS`` were run; they were chosen knowing
trial runs with the seeds 0 and 1. The trainings are those of ``w2_rate_plane``, with the same eta*,
on a grid that reaches further down: from an eighth of eta* to twice it, in steps of root 2.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bnlab.chapters.mean_field import w2_rate_plane
from bnlab.chapters.mean_field.w2_rate_plane import BASE, GAMMAS, column, stars
from bnlab.verdicts.table import fact_name
from bnlab.verdicts.work import HERE, Work

SEEDS = tuple(range(680, 688))
POWERS = tuple(range(-6, 3))
EXPECTED = 0.5  # of eta*


def measure(
    seeds: Sequence[int] = SEEDS,
    work: Work = HERE,
    gammas: Sequence[float] = GAMMAS,
    powers: Sequence[int] = POWERS,
    device: str = "cpu",
) -> dict:
    """Train nets with BatchNorm at each rate; the arguments are those of W2."""
    return w2_rate_plane.measure(seeds, work, gammas, (), powers, device=device)


def repeat(data: dict, seeds: Sequence[int]) -> dict:
    """The same trainings for some seeds."""
    return measure(seeds, gammas=data["gammas"], powers=data["powers"])


def losses(data: dict, gamma: float) -> np.ndarray:
    """Test losses, (seeds, powers); infinite where the net diverged."""
    found = column(data, (BASE.depth, "batch", gamma), "test_loss")
    return np.where(np.isfinite(found), found, np.inf)


def best(data: dict, gamma: float) -> np.ndarray:
    """The rate with the lowest test loss over eta*, (seeds,)."""
    net = (BASE.depth, "batch", gamma)
    at = losses(data, gamma).argmin(1)
    rates = column(data, net, "rate")[np.arange(len(at)), at]
    return rates / stars(data, net)


def values(data: dict) -> dict[str, np.ndarray]:
    """The effect of W4, one number a seed."""
    found = np.log10([best(data, gamma) / EXPECTED for gamma in data["gammas"]])
    return {"distance": np.abs(found).mean(0)}


def facts(data: dict) -> dict[str, object]:
    """Numbers for sentences about W4; a gamma of 0.25 is written ``0_25``."""
    found: dict[str, object] = {"seeds": len(data["seeds"])}
    for gamma in data["gammas"]:
        end = fact_name(gamma)
        found[f"best_{end}"] = 10 ** np.log10(best(data, gamma)).mean()
        finite = np.isfinite(losses(data, gamma)).all(0)
        found[f"lost_{end}"] = np.mean(
            losses(data, gamma)[:, data["powers"].index(-2)] / losses(data, gamma).min(1)
        )
        found[f"last_{end}"] = 2 ** (np.array(data["powers"])[finite].max() / 2)
    found["factor"] = 10 ** values(data)["distance"].mean()
    return found
