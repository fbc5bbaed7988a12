"""L3 and L5 of Lubana 2021 on photographs: one measurement, from which both claims are read.

Group norm with groups of 2, of 4 and of all channels is trained at every rate of its search (L5),
five other normalizers at their best rate (L3). Settings and margins were fixed before the seeds of
``SEEDS`` were run; they were chosen knowing the results on digits and trials with the seed 2100.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from scipy import stats

from bnlab.chapters.group_size.l2_l4_cifar10 import cosines
from bnlab.chapters.group_size.trainings import fields
from bnlab.train import Run, threads
from bnlab.verdicts.beyond import go_beyond
from bnlab.verdicts.race import (
    COLUMNS,
    Arm,
    arm_facts,
    at_rate,
    decades,
    of_arm,
    race,
    rates_of,
    usable,
)
from bnlab.verdicts.table import Table
from bnlab.verdicts.work import HERE, Work

SEEDS = tuple(range(1356, 1364))
STEPS = 704  # one epoch
TUNING_SEEDS = (0, 1)
BASE = Run(
    data="cifar10",
    image_size=16,
    net="plain",
    depth=10,
    width=8,
    batch_size=64,
    optimizer_options={"momentum": 0.9, "weight_decay": 1e-4},
    augment="flip",
    schedule="cosine",
    steps=STEPS,
    eval_every=STEPS,
)
LOW, USUAL = (0.01, 0.03, 0.1), (0.03, 0.1, 0.3)
SIZES = {norm: Arm(fields(norm), USUAL) for norm in ("layer", "group_2", "group_4")}
"""Trained at every rate."""

OTHERS = {
    "group_8": Arm(fields("group_8"), USUAL),
    "instance": Arm(fields("instance"), USUAL),
    "batch": Arm(fields("batch"), USUAL),
    "variance": Arm(fields("variance"), LOW),
    "scaled_weight_standardization": Arm(fields("scaled_weight_standardization"), LOW),
}
"""Trained at their best rate."""

NORMS = (*SIZES, *OTHERS)
GROUPS = ("group_2", "group_4", "group_8", "layer")
"""Within group norm: of these nets, the first stage has 8 channels, the last one 32."""


def measure(
    seeds: Sequence[int] = SEEDS,
    work: Work = HERE,
    tuning: dict | None = None,
    device: str = "cpu",
    image_size: int | None = None,
) -> dict:
    """Similarity at the start, and the trainings, with each normalizer.

    Args:
        seeds: whose nets are the evidence.
        work: does the trainings.
        tuning: an earlier measurement, whose trainings with the tuning seeds are taken over.
        device: see ``race``.
        image_size: 32 or 16, in place of that of the base.

    Returns:
        As of ``race``, with one more column, ``cosine``. It stands in rows without a rate, one a
        normalizer and seed: of two images after the last convolution, before the first step.
    """
    data: dict = {"rows": []}
    for arms, everywhere in ((SIZES, True), (OTHERS, False)):
        found = race(
            arms,
            BASE,
            seeds,
            work,
            tuning=_races(tuning, arms),
            everywhere=everywhere,
            device=device,
            image_size=image_size,
            tuning_seeds=TUNING_SEEDS,
        )
        if everywhere:
            go_beyond(found, arms, work, device)
        data = {**found, "rows": data["rows"] + [[*row, None] for row in found["rows"]]}
    base = Run.from_dict(data["base"])
    plan = [(norm, seed, base) for norm in NORMS for seed in seeds]
    data["rows"] += work.starmap(_start_row, plan)
    return {**data, "arms": list(NORMS), "columns": [*COLUMNS, "cosine"]}


def _races(tuning: dict | None, arms: Mapping[str, Arm]) -> dict | None:
    """An earlier measurement as ``race`` returned it for these arms."""
    if tuning is None:
        return None
    rows = [row[: len(COLUMNS)] for row in Table.of(tuning).where(arm=list(arms)).rows]
    return {**tuning, "columns": list(COLUMNS), "rows": rows}


@threads(1)
def _start_row(norm: str, seed: int, base: Run) -> list:
    cosine = cosines(base.replace(**fields(norm), seed=seed))[-1]
    return [norm, None, seed, *[None] * (len(COLUMNS) - 3), float(f"{cosine:.4g}")]


def cosine(data: dict, norm: str) -> np.ndarray:
    """Mean cosine of two images after the last convolution at the start, (seeds,)."""
    return of_arm(data, norm).where(lr=None).column("cosine", seed=data["seeds"])


def tau(data: dict, norms: Sequence[str]) -> np.ndarray:
    """Kendall's tau of the cosine at the start and the mean loss over the run, (seeds,)."""
    alike = np.array([cosine(data, norm) for norm in norms]).T
    loss = np.array([at_rate(data, norm, "loss") for norm in norms]).T
    return np.array([stats.kendalltau(*pair).statistic for pair in zip(alike, loss, strict=True)])


def order_values(data: dict) -> dict[str, np.ndarray]:
    """The effects of L3, one number a seed."""
    return {"groups": tau(data, GROUPS), "order": tau(data, NORMS)}


def tradeoff_values(data: dict) -> dict[str, np.ndarray]:
    """The effects of L5, one number a seed: layer norm over groups of 2, and of 4."""
    found = {}
    for small, end in (("group_2", ""), ("group_4", "_4")):
        found[f"stability{end}"] = np.log10(usable(data, "layer") / usable(data, small))
        found[f"speed{end}"] = decades(data, "layer", small)
    return found


def order_facts(data: dict) -> dict[str, object]:
    """Numbers for sentences about L3: those of the arms, ``cosine_NORM`` and each ``tau``."""
    found = arm_facts(data)
    found |= {f"cosine_{norm}": cosine(data, norm).mean() for norm in NORMS}
    but_instance = [norm for norm in NORMS if norm != "instance"]
    for name, norms in (("groups", GROUPS), ("order", NORMS), ("but_instance", but_instance)):
        found[f"tau_{name}"] = tau(data, norms).mean()
    return found


def tradeoff_facts(data: dict) -> dict[str, object]:
    """Numbers for sentences about L5, beside those of the arms.

    ``usable_NORM`` is the largest usable rate, a geometric mean; ``largest_NORM`` the largest that
    was tried; ``usable_2``, ``slower_2`` (``_4``) are layer norm's numbers over those of
    small groups.
    """
    found = arm_facts(data)
    for norm in SIZES:
        rates = usable(data, norm)
        found[f"usable_{norm}"] = 10 ** np.log10(rates).mean()
        found[f"largest_{norm}"] = rates_of(data, norm)[-1]
    effects = tradeoff_values(data)
    for size, end in (("2", ""), ("4", "_4")):
        found[f"usable_{size}"] = 10 ** effects[f"stability{end}"].mean()
        found[f"slower_{size}"] = 10 ** effects[f"speed{end}"].mean()
    return found


def repeat(data: dict, seeds: Sequence[int]) -> dict:
    """Measure these seeds of the data again, at the rates that were chosen then."""
    return measure(seeds, tuning=data, image_size=data["base"]["image_size"])
