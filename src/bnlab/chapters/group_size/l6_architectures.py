"""L6 of Lubana 2021: normalizers in plain and in residual nets, with and without SkipInit.

Settings and margins were fixed before the seeds of ``SEEDS`` were run. The tuning seeds choose
each one's rate, the normalizer that is best overall, the net in which it is furthest behind, and
the best one there; the other seeds say by how much.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from bnlab.chapters.group_size.trainings import (
    BASE,
    best_lr,
    column,
    table,
    train_rows,
    tuning_rows,
)
from bnlab.train import Run
from bnlab.verdicts.work import HERE, Work

SEEDS = tuple(range(640, 648))
NETS = ("plain10", "plain20", "resnet", "skipinit")
NORMS = ("batch", "layer", "group_4", "instance")
STEPS = 100
SHORT = BASE.replace(steps=STEPS, eval_every=STEPS)
LRS = (0.03, 0.1, 0.3, 1.0)


def measure(
    seeds: Sequence[int] = SEEDS,
    work: Work = HERE,
    nets: Sequence[str] = NETS,
    norms: Sequence[str] = NORMS,
    tuning: dict | None = None,
    base: Run = SHORT,
) -> dict:
    """Train every normalizer in every net, at its best rate there.

    Args:
        seeds: whose trainings are the evidence.
        work: does the trainings.
        nets: names in ``trainings.NETS``.
        norms: names for ``l2_l4_at_start.setting``.
        tuning: an earlier measurement; its trainings with the tuning seeds are taken over.
        base: what all trainings share.

    Returns:
        ``base``, ``columns`` and ``rows``, one a net, normalizer, rate and seed.
    """
    rows = tuning_rows(tuning, nets, norms, work, seeds, LRS, base)
    data = table(nets, norms, seeds, rows, LRS, base)
    pairs = itertools.product(nets, norms)
    plan = [(*pair, best_lr(data, *pair), seed) for pair in pairs for seed in seeds]
    rows += train_rows(plan, work, base)
    return data


def accuracy(
    data: dict, net: str, norm: str, part: str = "test", tuning: bool = False
) -> np.ndarray:
    """Accuracy at the best rate, (seeds,), of the counted or of the tuning seeds."""
    seeds = data["tuning_seeds"] if tuning else data["seeds"]
    return column(data, net, norm, best_lr(data, net, norm), f"{part}_accuracy", seeds)


def chosen(data: dict) -> tuple[str, str, str]:
    """What the tuning seeds chose: the best normalizer overall, its worst net, the best there.

    By validation accuracy; of equal ones the first.
    """
    norms = data["norms"]
    score = np.array(
        [
            [accuracy(data, net, norm, "val", tuning=True).mean() for net in data["nets"]]
            for norm in norms
        ]
    )
    overall = int(score.mean(1).argmax())
    worst = int((score.max(0) - score[overall]).argmax())
    return norms[overall], data["nets"][worst], norms[int(score[:, worst].argmax())]


def values(data: dict) -> dict[str, np.ndarray]:
    """The effect of L6, one number a seed."""
    overall, net, best = chosen(data)
    return {"behind": accuracy(data, net, best) - accuracy(data, net, overall)}


def facts(data: dict) -> dict[str, object]:
    """Numbers for sentences about L6: ``layer_resnet`` is a test accuracy in per cent."""
    overall, net, best = chosen(data)
    found = {
        "seeds": len(data["seeds"]),
        "overall": overall,
        "worst_net": net,
        "best_there": best,
        "behind": 100 * values(data)["behind"].mean(),
    }
    for place, norm in itertools.product(data["nets"], data["norms"]):
        found[f"{norm}_{place}"] = 100 * accuracy(data, place, norm).mean()
        found[f"{norm}_{place}_lr"] = best_lr(data, place, norm)
    return found
