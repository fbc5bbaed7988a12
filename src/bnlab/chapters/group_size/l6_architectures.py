"""L6 of Lubana 2021: normalizers in two plain nets and a residual one, trained to the end.

Settings and margins were fixed before the seeds of ``SEEDS`` were run. The tuning seeds choose
each one's rate, the normalizer that is best overall, the net in which it is furthest behind, and
the best one there; the other seeds say by how much.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

import numpy as np

from bnlab.chapters.group_size.trainings import (
    BASE,
    best_lr,
    column,
    counted_rows,
    frame,
    kept_rows,
    searched_rows,
)
from bnlab.train import Run
from bnlab.verdicts.work import HERE, Work

SEEDS = tuple(range(788, 796))
STEPS = 600
LONG = BASE.replace(steps=STEPS, eval_every=100)
RATES: Mapping[str, Mapping[str, Sequence[float]]] = {
    "plain10": {
        "batch": (0.2, 0.4, 0.8),
        "layer": (0.05, 0.1, 0.2),
        "group_4": (0.1, 0.2, 0.4),
        "instance": (0.4, 0.8, 1.6),
    },
    "plain20": {
        "batch": (0.1, 0.2, 0.4),
        "layer": (0.025, 0.05, 0.1),
        "group_4": (0.05, 0.1, 0.2),
        "instance": (0.1, 0.2, 0.4),
    },
    "resnet": {
        "batch": (0.4, 0.8, 1.6),
        "layer": (0.1, 0.2, 0.4),
        "group_4": (0.1, 0.2, 0.4),
        "instance": (0.4, 0.8, 1.6),
    },
}
"""The rates tried first, see ``trainings.searched_rows``."""

NETS = tuple(RATES)
NORMS = tuple(RATES["plain10"])
USUAL = (0.1, 0.2, 0.4)


def measure(
    seeds: Sequence[int] = SEEDS,
    work: Work = HERE,
    nets: Sequence[str] = NETS,
    norms: Sequence[str] = NORMS,
    tuning: dict | None = None,
    base: Run = LONG,
) -> dict:
    """Train every normalizer in every net, at its best rate there.

    Args:
        seeds: whose trainings are the evidence.
        work: does the trainings.
        nets: names in ``trainings.NETS``.
        norms: names for ``trainings.fields``.
        tuning: an earlier measurement; its trainings with the tuning seeds are taken over.
        base: what all trainings share.

    Returns:
        ``base``, ``columns`` and ``rows``, one a net, normalizer, rate and seed.
    """
    first = {
        (net, norm): RATES.get(net, {}).get(norm, USUAL)
        for net, norm in itertools.product(nets, norms)
    }
    data = frame(nets, norms, seeds, base, by="val_accuracy")
    data["rows"] = kept_rows(tuning, list(first), base)
    data["rows"] = searched_rows(data, first, work)
    data["rows"] += counted_rows(data, work)
    return data


def at_best(
    data: dict, net: str, norm: str, name: str = "test_accuracy", tuning: bool = False
) -> np.ndarray:
    """A column at the best rate, (seeds,), of the counted or of the tuning seeds."""
    seeds = data["tuning_seeds"] if tuning else data["seeds"]
    return column(data, net, norm, best_lr(data, net, norm), name, seeds)


def chosen(data: dict) -> tuple[str, str, str]:
    """What the tuning seeds chose: the best normalizer overall, its worst net, the best there.

    By validation accuracy; of equal ones the first.
    """
    norms = data["norms"]
    score = np.array(
        [
            [at_best(data, net, norm, "val_accuracy", tuning=True).mean() for net in data["nets"]]
            for norm in norms
        ]
    )
    overall = int(score.mean(1).argmax())
    worst = int((score.max(0) - score[overall]).argmax())
    return norms[overall], data["nets"][worst], norms[int(score[:, worst].argmax())]


def values(data: dict) -> dict[str, np.ndarray]:
    """The effect of L6, one number a seed."""
    overall, net, best = chosen(data)
    return {"behind": at_best(data, net, best) - at_best(data, net, overall)}


def facts(data: dict) -> dict[str, object]:
    """Numbers for sentences about L6: ``layer_resnet`` is a test accuracy in per cent.

    ``last_loss`` is the largest mean training loss over the last steps, of all nets and
    normalizers.
    """
    overall, net, best = chosen(data)
    found = {
        "seeds": len(data["seeds"]),
        "overall": overall,
        "worst_net": net,
        "best_there": best,
        "behind": 100 * values(data)["behind"].mean(),
    }
    last = []
    for place in data["nets"]:
        for norm in data["norms"]:
            last.append(at_best(data, place, norm, "last_loss").mean())
            found[f"{norm}_{place}"] = 100 * at_best(data, place, norm).mean()
            found[f"{norm}_{place}_loss"] = at_best(data, place, norm, "loss").mean()
            found[f"{norm}_{place}_lr"] = best_lr(data, place, norm)
    return {**found, "last_loss": max(last)}
