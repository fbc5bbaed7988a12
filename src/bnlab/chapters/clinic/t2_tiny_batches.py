"""T2: batches of eight, four, two and one image, with BatchNorm and with what may replace it.

All trainings see as many images, so that one on smaller batches takes more steps. Each normalizer
has at each size its own best rate, by validation accuracy of the tuning seeds. A batch of one is
refused with BatchNorm and Batch Renormalization, as torch refuses it ("Expected more than 1 value
per channel when training"): there is nothing to train.

The running statistics of BatchNorm have torch's usual momentum. Whether they are what fails, or the
training, is told by statistics that are computed anew: the arms whose names end in ``RECOMPUTED``.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bnlab.chapters.clinic.setting import (
    BASE,
    ENGINE,
    TUNING_SEEDS,
    accuracy,
    recomputed,
    tensors,
    train_one,
)
from bnlab.train import Run, make_trainer, threads
from bnlab.verdicts.race import Arm, arm_facts, at_rate, best_lr, lead, race
from bnlab.verdicts.tuning import CHANCE
from bnlab.verdicts.work import HERE, Work

SEEDS = tuple(range(1257, 1273))
IMAGES = 4800
SIZES = (8, 4, 2, 1)
RATES = (0.01, 0.03, 0.1, 0.3)
NORMS: dict[str, dict[str, object]] = {
    "batch": {},
    "batch_renorm": {},
    "group": {"group_size": 8},
    "layer": {},
}
POOLING = ("batch", "batch_renorm")
"""What needs more than one image, on vectors."""
RECOMPUTED = "recomputed"
BASE = BASE.replace(batch_size=8, steps=IMAGES // 8, eval_every=IMAGES // 8)


def arms(base: Run = BASE, sizes: Sequence[int] = SIZES) -> dict[str, Arm]:
    """A normalizer and a size each."""
    images = base.steps * base.batch_size
    found = {}
    for size in sizes:
        steps = images // size
        fields = {"batch_size": size, "steps": steps, "eval_every": steps}
        for norm, options in NORMS.items():
            if size > 1 or norm not in POOLING:
                fields = {**fields, "norm": norm, "norm_options": options}
                found[f"{norm}_{size}"] = Arm(fields, RATES)
    return found


def measure(
    seeds: Sequence[int] = SEEDS,
    work: Work = HERE,
    tuning: dict | None = None,
    base: Run = BASE,
    sizes: Sequence[int] = SIZES,
) -> dict:
    """Tune and train every arm; then BatchNorm again, with statistics computed anew.

    Returns:
        What ``race`` returns, with rows of the arms whose statistics were computed anew.
    """
    plan = arms(base, sizes)
    data = race(
        plan, base, seeds, work, tuning=tuning, tuning_seeds=TUNING_SEEDS, train_one=train_one
    )
    again = [
        (f"batch_{size}", best_lr(data, f"batch_{size}"), seed)
        for size in sizes
        if size > 1
        for seed in seeds
    ]
    runs = [base.replace(**plan[arm].fields, lr=lr, seed=seed) for arm, lr, seed in again]
    found = work.map(train_recomputed, runs)
    data["rows"] += [
        [f"{arm}_{RECOMPUTED}", lr, seed, *one]
        for (arm, lr, seed), one in zip(again, found, strict=True)
    ]
    return {**data, "engine": ENGINE, "sizes": list(sizes)}


def repeat(data: dict, seeds: Sequence[int]) -> dict:
    """The same trainings for some seeds, at the rates that were chosen."""
    return measure(seeds, tuning=data, base=Run.from_dict(data["base"]), sizes=data["sizes"])


@threads(1)
def train_recomputed(run: Run) -> list:
    """As ``train_one``, without the losses; accuracies after a repair of the statistics."""
    trainer = make_trainer(run, ENGINE, "cpu")
    *_, last = trainer.steps(looks=False)
    if last.diverged:
        return [None, None, CHANCE, CHANCE, last.step]
    net = recomputed(trainer.net, tensors(trainer, "train")[0])
    return [None, None, *(accuracy(net, *tensors(trainer, part)) for part in ("val", "test")), None]


def repaired(data: dict, size: int) -> np.ndarray:
    """Test accuracy of BatchNorm with statistics computed anew, (seeds,)."""
    arm = f"batch_{size}"
    return at_rate(data, f"{arm}_{RECOMPUTED}", "test_accuracy", best_lr(data, arm))


def values(data: dict) -> dict[str, np.ndarray]:
    """The effects of T2, one number a seed."""
    return {
        "two": lead(data, "group_2", "batch_2"),
        "training": at_rate(data, "group_2", "test_accuracy") - repaired(data, 2),
        "layer": lead(data, "layer_2", "batch_2"),
        "renorm": lead(data, "batch_renorm_2", "batch_2"),
        "four": lead(data, "group_4", "batch_4"),
        "eight": lead(data, "group_8", "batch_8"),
        "one_group": lead(data, "group_8", "group_1"),
        "one_layer": lead(data, "layer_8", "layer_1"),
    }


def facts(data: dict) -> dict[str, object]:
    """Numbers for sentences about T2: those of ``arm_facts``, repaired accuracies in per cent."""
    found = {f"repaired_{s}": 100 * repaired(data, s).mean() for s in data["sizes"] if s > 1}
    return {**arm_facts(data), **found, "images": IMAGES}
