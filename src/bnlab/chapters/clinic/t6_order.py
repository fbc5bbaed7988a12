"""T6: BatchNorm before or after the ReLU, with or without a bias before it; two by two.

Each of the four nets has its own best rate, by validation accuracy of the tuning seeds, in nets of
two and of six hidden layers, which decide together. Only the order and the biases differ: the
weights start the same.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from bnlab.chapters.clinic.setting import BASE, ENGINE, TUNING_SEEDS, train_one
from bnlab.train import Run
from bnlab.verdicts.race import Arm, arm_facts, decades, lead, race
from bnlab.verdicts.work import HERE, Work

SEEDS = tuple(range(1440, 1456))
DEPTHS = (2, 6)
RATES = (0.1, 0.3, 1.0, 3.0)
ORDERS = {"before": "norm_relu", "after": "relu_norm"}
BIAS = {"bias": True, "bare": False}


def arms(depths: Sequence[int] = DEPTHS) -> dict[str, Arm]:
    """The nets, ``after_bare_6`` for one without biases whose BatchNorm is behind the ReLU."""
    return {
        f"{order}_{bias}_{depth}": Arm(
            {"depth": depth, "net_options": _options(order, bias)}, RATES
        )
        for depth, order, bias in itertools.product(depths, ORDERS, BIAS)
    }


def _options(order: str, bias: str) -> dict[str, object]:
    # What is usual is left out: then the Run is that of the other chapters.
    options: dict[str, object] = {} if order == "before" else {"order": ORDERS[order]}
    return options if BIAS[bias] else {**options, "bias": False}


def measure(
    seeds: Sequence[int] = SEEDS,
    work: Work = HERE,
    tuning: dict | None = None,
    base: Run = BASE,
    depths: Sequence[int] = DEPTHS,
) -> dict:
    """Tune and train all nets; returns what ``race`` returns."""
    data = race(
        arms(depths),
        base,
        seeds,
        work,
        tuning=tuning,
        tuning_seeds=TUNING_SEEDS,
        train_one=train_one,
    )
    return {**data, "engine": ENGINE, "depths": list(depths)}


def repeat(data: dict, seeds: Sequence[int]) -> dict:
    """The same trainings for some seeds, at the rates that were chosen."""
    base = Run.from_dict(data["base"])
    return measure(seeds, tuning=data, base=base, depths=data["depths"])


def values(data: dict) -> dict[str, np.ndarray]:
    """The effects of T6, one number a seed."""
    found = {}
    for depth in data["depths"]:
        found |= {
            f"after_{depth}": lead(data, f"after_bias_{depth}", f"before_bias_{depth}"),
            f"speed_{depth}": decades(data, f"before_bias_{depth}", f"after_bias_{depth}"),
            f"bias_before_{depth}": lead(data, f"before_bias_{depth}", f"before_bare_{depth}"),
            f"bias_after_{depth}": lead(data, f"after_bias_{depth}", f"after_bare_{depth}"),
        }
    return found


def facts(data: dict) -> dict[str, object]:
    """Numbers for sentences about T6: those of ``arm_facts``."""
    return arm_facts(data)
