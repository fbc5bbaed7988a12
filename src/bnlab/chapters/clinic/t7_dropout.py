"""T7: dropout before BatchNorm: the variance that it remembers is not the one that it meets.

Dropout keeps the mean and makes the variance larger, in training mode alone. So the running
variance of a BatchNorm behind it is that of numbers with dropout, and evaluation mode meets numbers
without. *Shift* is log10 of the running variance over the variance of the same numbers in
evaluation mode, over the training images: a mean over channels and layers. The control is the same
net without dropout, and dropout once behind the last BatchNorm.

Whether accuracy suffers is told by an intervention: the statistics are computed anew without
dropout, with the weights as they are. And the nets are raced, each at its own best rate.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from bnlab.chapters.clinic.setting import (
    BASE,
    ENGINE,
    TUNING_SEEDS,
    accuracy,
    recomputed,
    tensors,
    train_one,
    trained,
)
from bnlab.norms import BatchNorm
from bnlab.train import Run, threads
from bnlab.verdicts.race import Arm, arm_facts, lead, race
from bnlab.verdicts.table import Table
from bnlab.verdicts.work import HERE, Work

SEEDS = tuple(range(1456, 1472))
STEPS = 600
BASE = BASE.replace(steps=STEPS, eval_every=STEPS)
RATES = (0.03, 0.1, 0.3, 1.0)
SAME_RATE = 0.1
"""At which the variances are compared, the same for all."""
ARMS: dict[str, dict[str, object]] = {
    "none": {},
    "before_2": {"dropout": 0.2},
    "before_5": {"dropout": 0.5},
    "layer_5": {"dropout": 0.5, "dropout_at": "after_layer"},
    "head_5": {"dropout": 0.5, "dropout_at": "before_head"},
}
COLUMNS = ("arm", "seed", "shifts", "accuracy", "repaired")


def measure(
    seeds: Sequence[int] = SEEDS, work: Work = HERE, tuning: dict | None = None, base: Run = BASE
) -> dict:
    """Race the nets, and look at the variances at the same rate.

    Returns:
        What ``race`` returns; ``looks`` has ``columns`` and ``rows`` of its own: the shift of each
        BatchNorm, and the test accuracy before and after the statistics are computed anew.
    """
    arms = {name: Arm({"net_options": options}, RATES) for name, options in ARMS.items()}
    data = race(
        arms, base, seeds, work, tuning=tuning, tuning_seeds=TUNING_SEEDS, train_one=train_one
    )
    rows = work.starmap(look, [(arm, base.replace(seed=s)) for arm in ARMS for s in seeds])
    return {**data, "engine": ENGINE, "looks": {"columns": list(COLUMNS), "rows": rows}}


def repeat(data: dict, seeds: Sequence[int]) -> dict:
    """The same trainings for some seeds, at the rates that were chosen."""
    return measure(seeds, tuning=data, base=Run.from_dict(data["base"]))


@threads(1)
def look(arm: str, run: Run) -> list:
    """``COLUMNS`` at the end of a training at the same rate."""
    trainer = trained(run.replace(lr=SAME_RATE, net_options=ARMS[arm]))
    (x, _), test = tensors(trainer, "train"), tensors(trainer, "test")
    found = shifts(trainer.net, x)
    repaired = accuracy(recomputed(trainer.net, x), *test)
    return [arm, run.seed, found, accuracy(trainer.net, *test), repaired]


@torch.no_grad()
def shifts(net: nn.Module, x: Tensor) -> list[float]:
    """log10 of running variance over variance in evaluation mode, a mean for each BatchNorm."""
    seen: list[float] = []

    def hook(module: nn.Module, inputs: tuple[Tensor], _output: Tensor) -> None:
        meets = inputs[0].var(0)
        seen.append(round((module.running_var / meets).log10().mean().item(), 4))

    hooks = [m.register_forward_hook(hook) for m in net.modules() if isinstance(m, BatchNorm)]
    try:
        net.eval()(x)
    finally:
        for one in hooks:
            one.remove()
    return seen


def looks(data: dict, arm: str, name: str) -> np.ndarray:
    """A column of the looks of an arm, (seeds,) or (seeds, layers)."""
    return Table.of(data["looks"]).where(arm=arm).column(name, seed=data["seeds"])


def values(data: dict) -> dict[str, np.ndarray]:
    """The effects of T7, one number a seed."""
    shift = {arm: looks(data, arm, "shifts").mean(1) for arm in ARMS}
    return {
        "before": shift["before_5"],
        "layer": shift["layer_5"],
        "head": shift["head_5"],
        "none": shift["none"],
        "lost": looks(data, "before_5", "repaired") - looks(data, "before_5", "accuracy"),
        "worse": lead(data, "none", "before_5"),
        "place": lead(data, "head_5", "before_5"),
    }


def facts(data: dict) -> dict[str, object]:
    """Numbers for sentences about T7: those of ``arm_facts``; factors of the variance by layer."""
    found: dict[str, object] = {}
    for arm in ARMS:
        by_layer = 10 ** looks(data, arm, "shifts").mean(0)
        found |= {f"factor_{arm}_{k}": one for k, one in enumerate(by_layer, 1)}
        found[f"repaired_{arm}"] = 100 * looks(data, arm, "repaired").mean()
        found[f"same_rate_{arm}"] = 100 * looks(data, arm, "accuracy").mean()
    return {**arm_facts(data), **found}
