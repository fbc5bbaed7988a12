"""The trainings behind the claims of the clinic, to be repeated row by row.

T5 and T7 look at trainings at one rate, the same for all arms. Where that is the best rate of an
arm, the row of the race tells of them too; else they are an arm of their own, see ``SAME``.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence

from bnlab.chapters.clinic import (
    kinds,
    t1_modes,
    t2_tiny_batches,
    t3_frozen,
    t4_accumulation,
    t5_decay,
    t6_order,
    t7_dropout,
    t8_penalty,
)
from bnlab.train import Run
from bnlab.verdicts.again import Kind, Training, trainings_of_race
from bnlab.verdicts.race import Arm, best_lr
from bnlab.verdicts.table import Table

SAME = "same"
"""How the names end of arms that are trained for their looks, at the same rate as the others."""

GRADIENTS = "gradients"
"""The arm of T4 in which no nets race."""

ARMS: dict[str, Mapping[str, Arm]] = {
    "T2": t2_tiny_batches.arms(),
    "T4": t4_accumulation.arms(),
    "T5": {
        name: Arm({"optimizer_options": options}, t5_decay.RATES)
        for name, options in t5_decay.ARMS.items()
    },
    "T6": t6_order.arms(),
    "T7": {
        name: Arm({"net_options": options}, t7_dropout.RATES)
        for name, options in t7_dropout.ARMS.items()
    },
}


def t1_trainings(data: dict) -> list[Training]:
    """A row for each cause and seed."""
    base = Run.from_dict(data["base"])
    return [
        Training(cause, seed, t1_modes.run_of(cause, seed, base), row, kind=kinds.MODES)
        for cause, seed, *row in data["rows"]
    ]


def t2_trainings(data: dict) -> list[Training]:
    """The rows of the race; those of BatchNorm on batches of two tell of new statistics, too."""
    repaired = iter(t2_tiny_batches.repaired(data, 2).tolist())
    return [
        one
        if one.arm != "batch_2"
        else dataclasses.replace(one, row=[*one.row, next(repaired)], kind=kinds.REPAIRED)
        for one in trainings_of_race(data, ARMS["T2"])
    ]


def t3_trainings(data: dict) -> list[Training]:
    """The second training of each way at its best rate; the first one comes before it."""
    base, found = Run.from_dict(data["base"]), []
    for way, fields in t3_frozen.WAYS.items():
        lr = t3_frozen.best_lr(data, way)
        second = base.replace(**fields, lr=lr, batch_size=t3_frozen.BATCH)
        rows = Table.of(data).where(way=way, lr=lr, seed=data["seeds"]).rows
        found += [
            Training(way, seed, second.replace(seed=seed), row, kind=kinds.TUNED)
            for _, _, seed, *row in rows
        ]
    return found


def t4_trainings(data: dict) -> list[Training]:
    """The rows of the race; then those about gradients, an arm of their own."""
    base = Run.from_dict(data["base"]).replace(precision="float64")
    seen: dict[int, list] = {}
    for seed, _, *distances in data["gradients"]["rows"]:
        seen.setdefault(seed, []).extend(distances)
    alone = [
        Training(GRADIENTS, seed, base.replace(seed=seed), row, kind=kinds.GRADIENTS)
        for seed, row in seen.items()
    ]
    return trainings_of_race(data, ARMS["T4"]) + alone


def t5_trainings(data: dict) -> list[Training]:
    """The rows of the race, and the ends at the same rate that the claim compares."""
    looked_at = ("none", "weights", "gamma")
    return with_looks(data, "T5", data["ends"], looked_at, t5_decay.SAME_RATE, kinds.LENGTH)


def t7_trainings(data: dict) -> list[Training]:
    """The rows of the race, and the looks at the same rate that the claim compares."""
    looked_at = ("none", "before_5", "layer_5", "head_5")
    return with_looks(data, "T7", data["looks"], looked_at, t7_dropout.SAME_RATE, kinds.SHIFTS)


def t8_trainings(data: dict) -> list[Training]:
    """A row for each normalizer and seed, which holds what is found before and after training."""
    base, seen = Run.from_dict(data["base"]), {}
    for norm, _size, _trained, seed, *numbers in data["rows"]:
        seen.setdefault((norm, seed), []).extend(numbers)
    return [
        Training(
            norm,
            seed,
            base.replace(norm=norm, norm_options=t8_penalty.NORMS[norm], seed=seed),
            row,
            kind=kinds.INFLUENCE,
        )
        for (norm, seed), row in seen.items()
    ]


def with_looks(
    data: dict, name: str, looks: dict, looked_at: Sequence[str], lr: float, kind: Kind
) -> list[Training]:
    """The rows of a race, and of some arms what a table of looks at trainings at a rate says."""
    base, found = Run.from_dict(data["base"]), trainings_of_race(data, ARMS[name])
    seen = {(arm, seed): row for arm, seed, *row in looks["rows"] if arm in looked_at}
    at_best = {arm for arm in looked_at if best_lr(data, arm) == lr}
    whole = [
        one
        if one.arm not in at_best
        else dataclasses.replace(one, row=[*one.row, *seen[one.arm, one.seed]], kind=kind)
        for one in found
    ]
    alone = [
        Training(
            f"{arm}_{SAME}",
            seed,
            base.replace(**ARMS[name][arm].fields, lr=lr, seed=seed),
            row,
            kinds.untold,
            kind,
        )
        for (arm, seed), row in seen.items()
        if arm not in at_best
    ]
    return whole + alone


def arm_looked_at(data: dict, arm: str, lr: float) -> str:
    """The arm whose rows tell of the looks at this rate."""
    return arm if best_lr(data, arm) == lr else f"{arm}_{SAME}"


REPEATS: dict[str, Callable[[dict], list[Training]]] = {
    "T1": t1_trainings,
    "T2": t2_trainings,
    "T3": t3_trainings,
    "T4": t4_trainings,
    "T5": t5_trainings,
    "T6": lambda data: trainings_of_race(data, ARMS["T6"]),
    "T7": t7_trainings,
    "T8": t8_trainings,
}
