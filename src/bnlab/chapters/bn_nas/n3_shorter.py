"""N3: the score after a tenth of the supernet's steps, against its accuracy after all of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bnlab.chapters.bn_nas.ranked import ALL, TENTH, ranked, seen, taus, taus_of_size
from bnlab.chapters.bn_nas.space import BASE
from bnlab.train import Run
from bnlab.verdicts.work import HERE, Work

SEEDS = tuple(range(1100, 1116))


def measure(
    seeds: Sequence[int] = SEEDS, work: Work = HERE, base: Run = BASE, earlier: dict | None = None
) -> dict:
    """Nets alone, and supernets with all weights trained; see ``ranked``."""
    return ranked(seeds, work, base, ["all"], earlier)


def values(data: dict) -> dict[str, np.ndarray]:
    """The effects of N3, one number a unit."""
    tenth = taus(data, "scores", TENTH)
    return {
        "tenth": taus(data, "accuracies", ALL) - tenth,
        "learned": tenth - taus_of_size(data, "layers"),
        "grows": taus(data, "scores", ALL) - tenth,
    }


def facts(data: dict) -> dict[str, object]:
    """Numbers for sentences: taus; names end in the number of steps, 0 before training."""
    numbers = {"score_0": taus_of_size(data, "layers")}
    for mark, steps in enumerate(data["marks"]):
        numbers[f"score_{steps}"] = taus(data, "scores", mark)
        numbers[f"accuracy_{steps}"] = taus(data, "accuracies", mark)
    marks = data["marks"]
    return (
        {name: found.mean() for name, found in numbers.items()}
        | seen(values(data))
        | {
            "seeds": len(data["seeds"]),
            "tenth": marks[TENTH],
            "steps": marks[ALL],
        }
    )
