"""R3 of Ioffe 2017: few samples to normalize over; and what goes wrong in the controls.

Settings and margins were fixed before the seeds that count were run, see ``methods``. Four
samples decide. Beside them: groups of other sizes in the same batch of 32; batches that are as
small as their groups; other momenta and schedules at the best rate for four samples.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from bnlab.chapters.batch_renorm import r3_limits_at_work
from bnlab.chapters.batch_renorm.methods import (
    BASE,
    SCHEDULES,
    SEEDS,
    Method,
    at_best,
    best_lr,
    describe,
    measured,
    select,
)
from bnlab.train import Run
from bnlab.verdicts.table import fact_name
from bnlab.verdicts.work import HERE, Work

DECISIVE = 4
SIZES = (32, 8, 4, 2)  # of batches
GROUPS = (32, 4, 2)  # of groups in a batch of 32
MOMENTA = (0.5, 0.1, 0.01, 0.001)  # of the control
NORMS = ("batch", "batch_renorm", "group")
RUNNING = NORMS[:2]


def in_groups(norm: str, samples: int) -> Method:
    """A method with groups of ``samples`` in a batch of 32; group norm does not look at them."""
    return Method(norm, samples=32 if norm == "group" else samples)


def in_batches(norm: str, samples: int) -> Method:
    """A method with batches of ``samples``."""
    return Method(norm, batch_size=samples, samples=samples)


def measure(
    seeds: Sequence[int] = SEEDS,
    work: Work = HERE,
    tuning: dict | None = None,
    groups: Sequence[int] = GROUPS,
    sizes: Sequence[int] = SIZES,
    controls: bool = True,
    base: Run = BASE,
) -> dict:
    """Train at each number of samples, each method at its best rate.

    Args:
        seeds: that count.
        work: does the trainings.
        tuning: an earlier measurement, whose rates are taken over.
        groups: sizes of groups in a batch of 32.
        sizes: of batches that are normalized as a whole.
        controls: measure the other momenta and schedules too, and r and d at work.
        base: what all trainings share.

    Returns:
        See ``measured``; and ``limits``, see ``r3_limits_at_work.watch``.

    Raises:
        ValueError: if the size of groups that decides is missing.
    """
    if DECISIVE not in groups:
        raise ValueError(f"groups must contain {DECISIVE}, which decides, got {list(groups)}.")
    methods = [in_groups(norm, size) for size in groups for norm in NORMS]
    methods += [in_batches(norm, size) for size in sizes for norm in NORMS]
    fixed = _controls if controls else None
    data = measured(seeds, list(dict.fromkeys(methods)), work, tuning, fixed, base)
    limits = _limits(data, work, base) if controls else []
    return {**data, "groups": list(groups), "sizes": list(sizes), "limits": limits}


def _limits(data: dict, work: Work, base: Run) -> list[list]:
    method, lr = controlled(data, "batch_renorm")
    runs = [method.run(lr, seed, base) for seed in data["seeds"][:4]]
    (found,) = work.starmap(r3_limits_at_work.watch, [(runs, method.setting)])
    return found


def _controls(data: dict) -> list[tuple[Method, float]]:
    plan = [controlled(data, norm, momentum=m) for norm in RUNNING for m in MOMENTA]
    return plan + [controlled(data, "batch_renorm", schedule=name) for name in SCHEDULES]


def controlled(data: dict, norm: str, **changes: object) -> tuple[Method, float]:
    """A method at its best rate for four samples, with one thing changed."""
    method = in_groups(norm, DECISIVE)
    return replace(method, **changes), best_lr(data, method)


def repeat(data: dict, seeds: Sequence[int]) -> dict:
    """The trainings that decide, of all seeds: sums depend on how many nets lie side by side."""
    return measure(data["seeds"], tuning=data, groups=[DECISIVE], sizes=[], controls=False)


def values(data: dict) -> dict[str, np.ndarray]:
    """The effect of R3, one number a seed."""
    batch, renorm = (at_best(data, in_groups(n, DECISIVE), "test_running") for n in RUNNING)
    return {"four": renorm - batch}


def facts(data: dict) -> dict[str, object]:
    """Numbers for sentences about R3; accuracies in per cent.

    Of the accuracy that is lost, ``inference_...`` is what recomputed statistics give back, and
    ``training_...`` what is then missing to the largest groups.

    ``test_running_batch_4`` is that of groups of four in a batch of 32, ``..._alone_4`` that of
    batches of four; ``momentum_...`` and ``schedule_...`` are the controls.
    """
    found: dict[str, object] = {"seeds": len(data["seeds"])}
    whole = sorted(data["groups"], reverse=True)
    for make, end, sizes in (
        (in_groups, "", whole),
        (in_batches, "alone_", data["sizes"]),
    ):
        for size in sizes:
            for norm in NORMS:
                label = f"{norm}_{end}{size}"
                describe(data, found, label, make(norm, size))
                repaired = found[f"test_recomputed_{label}"]
                found[f"inference_{label}"] = repaired - found[f"test_running_{label}"]
                found[f"training_{label}"] = found[f"test_recomputed_{norm}_{whole[0]}"] - repaired
            scores = [at_best(data, make(norm, size), "test_running") for norm in RUNNING]
            found[f"gain_{end}{size}"] = 100 * (scores[1] - scores[0]).mean()
    if data["limits"]:
        found |= _of_controls(data) | r3_limits_at_work.facts(data["limits"])
    return found


def _of_controls(data: dict) -> dict[str, float]:
    found = {}
    for norm in RUNNING:
        for momentum in MOMENTA:
            method, lr = controlled(data, norm, momentum=momentum)
            for how in ("running", "recomputed"):
                score = 100 * select(data, method, lr, f"test_{how}").mean()
                found[fact_name(norm, how, "at", momentum)] = score
    for name in SCHEDULES:
        method, lr = controlled(data, "batch_renorm", schedule=name)
        found[fact_name("schedule", name)] = 100 * select(data, method, lr, "test_running").mean()
        found[fact_name("schedule", name, "loss")] = select(data, method, lr, "loss").mean()
    return found
