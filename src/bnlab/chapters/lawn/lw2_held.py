"""LW2 of Gupta 2021: Adam with LAWN against Adam alone, with weight decay, and stopped early.

At two learning rates: at one that was pinned before anything was measured each method chooses its
weight decay or its free phase alone; then each method chooses its own rate too. Controls: weight
decay, tuned over a grid of the same size; Adam alone, stopped at the step with the best
validation accuracy and at the rate that is best for that; decoupled weight decay (AdamW); and what
was chosen with wrong labels, trained where no label is wrong.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from bnlab.chapters.lawn.lw1_growth import PINNED
from bnlab.chapters.lawn.methods import (
    ALONE,
    BASE,
    DECAY,
    DECOUPLED,
    LAWN,
    Method,
    Place,
    best,
    tuned,
)
from bnlab.chapters.lawn.seen import at_end, describe_seen, seen
from bnlab.train import Run
from bnlab.verdicts.work import HERE, Work

SEEDS = tuple(range(884, 892))
FEWER = {
    DECAY: ((0.0003, 0.001, 0.003, 0.01, 0.03), (0.003, 0.01, 0.03)),
    LAWN: ((0.0003, 0.001, 0.003, 0.01, 0.03), (0.0, 1 / 30, 0.1)),
    DECOUPLED: ((0.001, 0.003, 0.01, 0.03), (1.0, 3.0, 10.0)),
}
"""Rates, and weight decays or free phases, of LW2: grids of one size around the best of trials."""


class Fewer(Method):
    """A method that chooses from ``FEWER``."""

    @property
    def grid(self) -> list[tuple[float, float]]:
        """Rates and amounts among which it chooses."""
        return list(itertools.product(*FEWER[self.how]))


METHODS = {ALONE: Method("adam"), DECAY: Fewer("adam", DECAY), LAWN: Fewer("adam", LAWN)}
ADAMW = Fewer("adam", DECOUPLED)


def measure(
    seeds: Sequence[int] = SEEDS,
    work: Work = HERE,
    tuning: dict | None = None,
    base: Run = BASE,
    controls: bool = True,
) -> dict:
    """Choose rates, weight decays and free phases, then watch each method.

    Args:
        seeds: that count.
        work: does the trainings.
        tuning: an earlier measurement, whose choices are taken over.
        base: what all trainings share.
        controls: also watch Adam alone at the rate that is best for stopping, AdamW, and all
            three methods where no label is wrong.

    Returns:
        The tuning in ``rows``, what was seen in ``seen``.
    """
    data = tuned(work, base, [*METHODS.values(), ADAMW], tuning, seeds)
    data["controls"] = controls
    return {**data, **seen(work, base, ways(data).values(), seeds)}


def repeat(data: dict, seeds: Sequence[int]) -> dict:
    """The same trainings for some seeds."""
    return measure(seeds, tuning=data, base=Run.from_dict(data["base"]))


def ways(data: dict) -> dict[str, Place]:
    """Each method at both rates, and the controls, by their names in ``facts``."""
    found = {}
    for how, method in METHODS.items():
        found[f"{how}_pinned"] = best(data, method, PINNED)
        found[f"{how}_own"] = best(data, method)
    if data["controls"]:
        found["stopped_own"] = best(data, METHODS[ALONE], by="stopped_val")
        found["decoupled_own"] = best(data, ADAMW)
        found |= {f"{how}_clean": found[f"{how}_own"].on(0.0) for how in METHODS}
    return found


def compared(data: dict, rate: str) -> dict[str, np.ndarray]:
    """The parts of LW2 at ``pinned`` or ``own`` rates, one number a seed."""
    alone, decay, lawn = (ways(data)[f"{how}_{rate}"] for how in METHODS)
    decades = {
        name: np.log10(at_end(data, lawn, name) / at_end(data, alone, name))
        for name in ("logits", "gradient")
    }
    return {
        "gradient": decades["gradient"],
        "logits": -decades["logits"],
        "accuracy": at_end(data, lawn, "test") - at_end(data, decay, "test"),
    }


def values(data: dict) -> dict[str, np.ndarray]:
    """The effects of LW2, one number a seed."""
    return {
        f"{name}_{rate}": numbers
        for rate in ("pinned", "own")
        for name, numbers in compared(data, rate).items()
    }


def facts(data: dict) -> dict[str, object]:
    """Numbers for sentences about LW2; accuracies and their differences in per cent.

    ``gain`` is LAWN's lead over Adam alone, ``behind`` its distance to weight decay, and ``ahead``
    the same the other way round.
    """
    found: dict[str, object] = {"seeds": len(data["seeds"]), "steps": data["base"]["steps"]}
    places = ways(data)
    for label, place in places.items():
        describe_seen(data, found, label, place)
    for rate in ("pinned", "own", "clean") if data["controls"] else ("pinned", "own"):
        lawn = found[f"lawn_{rate}_test"]
        found[f"gain_{rate}"] = lawn - found[f"alone_{rate}_test"]
        found[f"behind_{rate}"] = found[f"decay_{rate}_test"] - lawn
    for rate in ("pinned", "own"):
        parts = compared(data, rate)
        for name in ("gradient", "logits"):
            found[f"{name}_ratio_{rate}"] = 10 ** parts[name].mean()
    if data["controls"]:
        found["ahead_clean"] = -found["behind_clean"]
        lawn = found["lawn_own_test"]
        found["behind_stopped"] = found["stopped_own_stopped_test"] - lawn
        found["behind_decoupled"] = found["decoupled_own_test"] - lawn
    return found
