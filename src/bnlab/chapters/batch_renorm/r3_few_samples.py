"""R3 of Ioffe 2017: few samples to normalize over; and what goes wrong in the controls.

Four samples decide: in groups of four in a batch of 32, as in the paper, and in batches of four;
in perceptrons and in convolutional nets. Beside them: groups and batches of other sizes; other
momenta and schedules at the best rate for four samples. The first edition measured the perceptrons
alone and counted points of accuracy alone (with seeds 540 to 555). Settings and margins of this one
were fixed before its seeds were run.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from bnlab.chapters.batch_renorm import r3_limits_at_work
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

SEEDS = tuple(range(740, 756))
DECISIVE = 4
SIZES = (32, 8, 4, 2)  # of batches
GROUPS = (32, 4, 2)  # of groups in a batch of 32
MOMENTA = (0.5, 0.1, 0.01, 0.001)  # of the control
NORMS = ("batch", "batch_renorm", "group")
RUNNING = NORMS[:2]


def in_groups(norm: str, samples: int, net: str = "mlp") -> Method:
    """A method with groups of ``samples`` in a batch of 32; group norm does not look at them."""
    return Method(norm, samples=32 if norm == "group" else samples, momentum=MOMENTUM[net])


def in_batches(norm: str, samples: int, net: str = "mlp") -> Method:
    """A method with batches of ``samples``."""
    return Method(norm, batch_size=samples, samples=samples, momentum=MOMENTUM[net])


def measure(
    seeds: Sequence[int] = SEEDS,
    work: Work = HERE,
    tuning: dict | None = None,
    groups: Sequence[int] = GROUPS,
    sizes: Sequence[int] = SIZES,
    controls: bool = True,
) -> dict:
    """Train at each number of samples, each method of each net at its best rate.

    Args:
        seeds: that count.
        work: does the trainings.
        tuning: an earlier measurement, whose rates are taken over.
        groups: sizes of groups in a batch of 32.
        sizes: of batches of the perceptrons that are normalized as a whole.
        controls: measure the other momenta and schedules too, and r and d at work.

    Returns:
        See ``two_nets.measured``; and ``limits``, see ``r3_limits_at_work.watch``.

    Raises:
        ValueError: if the size that decides is missing.
    """
    if DECISIVE not in groups or DECISIVE not in sizes:
        raise ValueError(
            f"groups and sizes must contain {DECISIVE}, which decides, got {list(groups)} and "
            f"{list(sizes)}."
        )
    tuned = {
        "mlp": [
            *(in_groups(norm, size) for size in groups for norm in NORMS),
            *(in_batches(norm, size) for size in sizes for norm in NORMS),
        ],
        "conv": [
            *(in_groups(norm, size, "conv") for size in groups for norm in NORMS),
            *(in_batches(norm, DECISIVE, "conv") for norm in RUNNING),
        ],
    }
    tuned = {net: list(dict.fromkeys(methods)) for net, methods in tuned.items()}
    data = measured(seeds, tuned, work, tuning, _controls if controls else None)
    limits = _limits(data, work) if controls else []
    return {**data, "groups": list(groups), "sizes": list(sizes), "limits": limits}


def _limits(data: dict, work: Work) -> list[list]:
    method, lr = controlled(of_net(data, "mlp"), "batch_renorm")
    runs = [method.run(lr, seed, NETS["mlp"]) for seed in data["seeds"][:4]]
    (found,) = work.starmap(r3_limits_at_work.watch, [(runs, method.setting)])
    return found


def _controls(data: dict) -> list[tuple[Method, float]]:
    plan = [controlled(data, norm, momentum=m) for norm in RUNNING for m in MOMENTA]
    return plan + [controlled(data, "batch_renorm", schedule=name) for name in SCHEDULES]


def controlled(data: dict, norm: str, **changes: object) -> tuple[Method, float]:
    """A method at its best rate for four samples, with one thing changed; of one net."""
    method = in_groups(norm, DECISIVE)
    return replace(method, **changes), best_lr(data, method)


def repeat(data: dict, seeds: Sequence[int]) -> dict:
    """The trainings that decide, of all seeds: sums depend on how many nets lie side by side."""
    four = [DECISIVE]
    return measure(data["seeds"], tuning=data, groups=four, sizes=four, controls=False)


def values(data: dict) -> dict[str, np.ndarray]:
    """The effects of R3, one number a seed."""
    found = {}
    for net in NETS:
        for make, end in ((in_groups, ""), (in_batches, "_alone")):
            pair = [make(norm, DECISIVE, net) for norm in RUNNING]
            found[f"{net}{end}"] = decades(data, net, *pair)
    batch, renorm = (
        at_best(of_net(data, "mlp"), in_groups(norm, DECISIVE), "test_running") for norm in RUNNING
    )
    return {**found, "four": renorm - batch}


def facts(data: dict) -> dict[str, object]:
    """Numbers for sentences about R3; accuracies in per cent.

    Of the accuracy that is lost, ``inference_...`` is what recomputed statistics give back, and
    ``training_...`` what is then missing to the largest groups.

    ``test_running_batch_4`` is that of groups of four in a batch of 32, ``..._alone_4`` that of
    batches of four; ``momentum_...`` and ``schedule_...`` are the controls. The names of the
    convolutional net's begin with ``conv_``. ``fewer_...`` is by how many per cent Batch
    Renormalization has fewer errors than BatchNorm, by the mean of the logarithms; median and
    worst seed are those of groups of four in the convolutional net.
    """
    found: dict[str, object] = {"seeds": len(data["seeds"])}
    whole = sorted(data["groups"], reverse=True)
    for net, make, end, sizes in (
        ("mlp", in_groups, "", whole),
        ("mlp", in_batches, "alone_", data["sizes"]),
        ("conv", in_groups, "conv_", whole),
        ("conv", in_batches, "conv_alone_", [DECISIVE]),
    ):
        part = of_net(data, net)
        for size in sizes:
            for norm in RUNNING if end == "conv_alone_" else NORMS:
                label = f"{norm}_{end}{size}"
                describe(part, found, label, make(norm, size, net))
                if net == "mlp":
                    _apart(found, label, f"{norm}_{whole[0]}")
            batch, renorm = (found[f"test_running_{norm}_{end}{size}"] for norm in RUNNING)
            found[f"gain_{end}{size}"] = renorm - batch
    for norm in RUNNING:
        errors = 1 - at_best(
            of_net(data, "conv"), in_groups(norm, DECISIVE, "conv"), "test_running"
        )
        found[f"median_errors_{norm}_conv"] = 100 * float(np.median(errors))
        found[f"worst_errors_{norm}_conv"] = 100 * errors.max()
    for name, numbers in values(data).items():
        if name != "four":
            found[f"fewer_{name}"] = 100 * (1 - 10 ** -numbers.mean())
    if data["limits"]:
        found |= _of_controls(of_net(data, "mlp")) | r3_limits_at_work.facts(data["limits"])
    return found


def _apart(found: dict, label: str, whole: str) -> None:
    """Add what inference and what training has cost; ``whole``: with the largest groups."""
    repaired = found[f"test_recomputed_{label}"]
    found[f"inference_{label}"] = repaired - found[f"test_running_{label}"]
    found[f"training_{label}"] = found[f"test_recomputed_{whole}"] - repaired


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
