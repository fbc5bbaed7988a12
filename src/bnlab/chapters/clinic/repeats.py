"""The trainings behind the races of T2, T4, T5, T6 and T7, to be repeated row by row."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping

from bnlab.chapters.clinic import t2_tiny_batches, t4_accumulation, t5_decay, t6_order, t7_dropout
from bnlab.verdicts.again import Training, trainings_of_race
from bnlab.verdicts.race import Arm

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

REPEATS: dict[str, Callable[[dict], list[Training]]] = {
    name: functools.partial(trainings_of_race, arms=arms) for name, arms in ARMS.items()
}
