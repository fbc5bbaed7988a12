"""R4 of Ioffe 2017: groups of images that are alike, against mixed groups.

A batch has 80 images, eight of each class, in ten groups of eight: the gradient sees every class,
the statistics those of the group. The paper's batches hold two images of each of 16 labels. Here a
group holds four images of each of two classes (``two``) or, nearest to the paper, two of each of
four (``four``). These decide, in perceptrons and in convolutional nets. Groups of one class
(``pure``), with which the paper did not train, are a stress test, in perceptrons. Beside the
verdict: other schedules at the best rate; and statistics that count as constants, see
``r4_constant_statistics``.

The first edition measured the stress test alone (with seeds 540 to 555). Settings and
margins of this one were fixed before its seeds were run.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from bnlab.chapters.batch_renorm import r4_constant_statistics
from bnlab.chapters.batch_renorm.methods import (
    SCHEDULES,
    Method,
    at_best,
    best_lr,
    describe,
    select,
)
from bnlab.chapters.batch_renorm.two_nets import MOMENTUM, NETS, decades, measured, of_net
from bnlab.verdicts.table import fact_name
from bnlab.verdicts.work import HERE, Work

SEEDS = tuple(range(756, 772))
BATCH_SIZE, SAMPLES = 80, 8
NORMS = ("batch", "batch_renorm")
ALIKE = ("two", "four")  # decide
ARRANGEMENTS = {"mlp": ("mixed", *ALIKE, "pure"), "conv": ("mixed", *ALIKE)}
MATTERS = 0.01  # accuracy that BatchNorm must lose, so that a share of it can be recovered


def arranged(norm: str, arrangement: str, net: str = "mlp") -> Method:
    """A method with groups of eight images in an arrangement."""
    return Method(norm, BATCH_SIZE, SAMPLES, arrangement, momentum=MOMENTUM[net])


GROUP = arranged("group", "pure")  # it does not look at the group


def measure(
    seeds: Sequence[int] = SEEDS,
    work: Work = HERE,
    tuning: dict | None = None,
    controls: bool = True,
) -> dict:
    """Train with each arrangement of the groups, each method of each net at its best rate.

    Args:
        seeds: that count.
        work: does the trainings.
        tuning: an earlier measurement, whose rates are taken over.
        controls: measure group norm, other schedules and constant statistics too.

    Returns:
        See ``two_nets.measured``; and ``constant``, rows of ``r4_constant_statistics``.
    """
    tuned = {
        net: [arranged(norm, one, net) for one in arrangements for norm in NORMS]
        for net, arrangements in ARRANGEMENTS.items()
    }
    if controls:
        tuned["mlp"].append(GROUP)
    data = measured(seeds, tuned, work, tuning, _controls if controls else None)
    constant = []
    if controls:
        earlier = (tuning or {}).get("constant")
        constant = r4_constant_statistics.measure(seeds, work, earlier, NETS["mlp"])
    return {**data, "constant": constant}


def _controls(data: dict) -> list[tuple[Method, float]]:
    return [scheduled(data, name) for name in SCHEDULES]


def scheduled(data: dict, name: str) -> tuple[Method, float]:
    """Batch Renormalization of pure groups at its best rate, with another schedule."""
    method = arranged("batch_renorm", "pure")
    return replace(method, schedule=name), best_lr(data, method)


def repeat(data: dict, seeds: Sequence[int]) -> dict:
    """The trainings that decide, of all seeds: sums depend on how many nets lie side by side."""
    return measure(data["seeds"], tuning=data, controls=False)


def lost(data: dict, net: str, norm: str, arrangement: str) -> np.ndarray:
    """Test accuracy with mixed groups minus that with groups of an arrangement, (seeds,)."""
    part = of_net(data, net)
    mixed, alike = (
        at_best(part, arranged(norm, one, net), "test_running") for one in ("mixed", arrangement)
    )
    return mixed - alike


def values(data: dict) -> dict[str, np.ndarray]:
    """The effects of R4, one number a seed."""
    found = {
        f"{one}_{net}": decades(data, net, *(arranged(norm, one, net) for norm in NORMS))
        for net in NETS
        for one in ALIKE
    }
    found |= {f"kept_{net}": lost(data, net, "batch_renorm", "two") for net in NETS}
    batch, renorm = (lost(data, "mlp", norm, "pure") for norm in NORMS)
    return {**found, "loss": batch, "recovered": 1 - renorm / batch}


def facts(data: dict) -> dict[str, object]:
    """Numbers for sentences about R4; accuracies in per cent.

    The names of the convolutional net's begin with ``conv_``, as in ``batch_conv_two``.
    ``lost_...`` are points against mixed groups, ``lost_batch`` those of the stress test.
    ``recovered_...`` is the share of BatchNorm's points that Batch Renormalization does not lose,
    of the means; there is none where BatchNorm loses less than a point.
    ``times_...``: how many times as many errors BatchNorm has, by the mean of the logarithms.
    """
    found: dict[str, object] = {"seeds": len(data["seeds"])}
    for net, arrangements in ARRANGEMENTS.items():
        part, start = of_net(data, net), "" if net == "mlp" else "conv_"
        for one in arrangements:
            for norm in NORMS:
                describe(part, found, f"{norm}_{start}{one}", arranged(norm, one, net))
                found[f"lost_{norm}_{start}{one}"] = 100 * lost(data, net, norm, one).mean()
            batch, renorm = (found[f"lost_{norm}_{start}{one}"] for norm in NORMS)
            if batch > 100 * MATTERS:
                found[f"recovered_{start}{one}"] = 100 * (1 - renorm / batch)
            apart = decades(data, net, *(arranged(norm, one, net) for norm in NORMS)).mean()
            found[f"times_{start}{one}"] = 10**apart
    found |= {f"lost_{norm}": found[f"lost_{norm}_pure"] for norm in NORMS}
    if data["constant"]:
        found |= _of_controls(of_net(data, "mlp"))
        found |= r4_constant_statistics.facts(data["constant"])
    return found


def _of_controls(data: dict) -> dict[str, float]:
    found: dict[str, float] = {}
    describe(data, found, "group_pure", GROUP)
    for name in SCHEDULES:
        score = select(data, *scheduled(data, name), "test_running").mean()
        found[fact_name("schedule", name)] = 100 * score
    return found
