"""LW1 of Gupta 2021: what becomes of weights, logits and gradient in training with Adam alone.

At two learning rates: one that was pinned before anything was measured, and the one that the
validation images prefer. Beside the verdict: the same two rates without wrong labels, and the
preferred rate with ten times as many steps.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bnlab.chapters.lawn.methods import BASE, Method, Place, best, tuned
from bnlab.chapters.lawn.seen import along, describe_seen, seen
from bnlab.train import Run
from bnlab.verdicts.work import HERE, Work

SEEDS = tuple(range(884, 900))
PINNED = 0.01
ADAM = Method("adam")
GROWN = ("weights", "logits")
LONG = 10  # times as many steps
LONG_SEEDS = 8
FIRST = 0.1  # share of the training from which growth is counted


def measure(
    seeds: Sequence[int] = SEEDS,
    work: Work = HERE,
    tuning: dict | None = None,
    base: Run = BASE,
    controls: bool = True,
) -> dict:
    """Choose the rate, then watch Adam at both rates.

    Args:
        seeds: that count.
        work: does the trainings.
        tuning: an earlier measurement, whose rate is taken over.
        base: what all trainings share.
        controls: watch the long training, and those without wrong labels, too.

    Returns:
        The tuning in ``rows``, what was seen in ``seen``, and of long trainings in ``long``.
    """
    data = {**tuned(work, base, [ADAM], tuning, seeds), "controls": controls}
    data |= seen(work, base, ways(data).values(), seeds)
    if controls:
        longer = base.replace(steps=LONG * base.steps, eval_every=LONG * base.eval_every)
        data["long_seeds"] = list(seeds[:LONG_SEEDS])
        data["long"] = seen(work, longer, [ways(data)["own"]], data["long_seeds"])["seen"]
    return data


def repeat(data: dict, seeds: Sequence[int]) -> dict:
    """The same trainings for some seeds."""
    return measure(seeds, tuning=data, base=Run.from_dict(data["base"]))


def ways(data: dict) -> dict[str, Place]:
    """Both rates, with wrong labels and as a control without, by their names in ``facts``."""
    wrong = {"pinned": Place(ADAM, PINNED), "own": best(data, ADAM)}
    clean = {f"clean_{name}": place.on(0.0) for name, place in wrong.items()}
    return {**wrong, **clean} if data["controls"] else wrong


def of_long(data: dict) -> dict:
    """The data with the long trainings, at the preferred rate, in place of the others."""
    return {**data, "seen": data["long"], "seeds": data["long_seeds"]}


def growth(data: dict, place: Place, name: str) -> np.ndarray:
    """Decades by which something grows from the first tenth to the end, (seeds,)."""
    steps, numbers = along(data, place, "step")[0], along(data, place, name)
    first = int(np.searchsorted(steps, FIRST * steps[-1]))
    return np.log10(numbers[:, -1] / numbers[:, first])


def values(data: dict) -> dict[str, np.ndarray]:
    """The effects of LW1, one number a seed."""
    found = {}
    for rate in ("pinned", "own"):
        place = ways(data)[rate]
        found |= {f"{name}_{rate}": growth(data, place, name) for name in GROWN}
        found[f"gradient_{rate}"] = -growth(data, place, "gradient")
    return found


def facts(data: dict) -> dict[str, object]:
    """Numbers for sentences about LW1; accuracies in per cent, growth as a factor.

    ``own_weights_percent`` is the growth of the weights at the preferred rate, in per cent.
    """
    found: dict[str, object] = {"seeds": len(data["seeds"]), "steps": data["base"]["steps"]}
    for label, place in ways(data).items():
        _tell(data, found, label, place)
    found["own_weights_percent"] = 100 * (found["own_weights_grown"] - 1)
    if data["controls"]:
        _tell(of_long(data), found, "long", ways(data)["own"])
        found["long_seeds"] = len(data["long_seeds"])
        found["long_steps"] = LONG * data["base"]["steps"]
    return found


def _tell(data: dict, found: dict, label: str, place: Place) -> None:
    describe_seen(data, found, label, place)
    for name in GROWN:
        found[f"{label}_{name}_grown"] = 10 ** growth(data, place, name).mean()
    for name in ("loss", "gradient", "tangent"):
        found[f"{label}_{name}_shrunk"] = 10 ** -growth(data, place, name).mean()
