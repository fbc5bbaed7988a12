"""LW2 of Gupta 2021 on CIFAR-10: Adam with LAWN against Adam alone, and with weight decay.

In a small VGG without normalizers, which is homogeneous as a whole but for its biases, with right
labels and a rate that rises and falls. Each method chooses its rate, and with it its weight decay
or its free phase, of four. Then the counted seeds are trained, and at the end the logits and the
gradient are looked at, on some training images.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from bnlab.engines.engine import history_of
from bnlab.train import Run, make_trainer, threads
from bnlab.verdicts.race import COLUMNS as RACED
from bnlab.verdicts.race import Arm, at_rate, best_lr, of_arm, outcome, race
from bnlab.verdicts.ties import first_best
from bnlab.verdicts.tuning import check_seeds
from bnlab.verdicts.work import HERE, Work

SEEDS = tuple(range(1404, 1412))
WARMUP, STEPS = 100, 1056
IMAGES = 5000  # training images that are looked at
BASE = Run(
    data="cifar10",
    image_size=16,
    net="plain",
    net_options={"downsample": "max_pool"},
    depth=6,
    width=16,
    optimizer="adam",
    schedule="cosine",
    schedule_options={"warmup": WARMUP},
    batch_size=64,
    steps=STEPS,
    eval_every=STEPS,
)
RATES = (0.001, 0.003, 0.01)
TUNING_SEEDS = (0, 1)


def _decay(amount: float) -> Arm:
    return Arm({"optimizer_options": {"weight_decay": amount}}, RATES)


def _lawn(steps: int) -> Arm:
    return Arm({"optimizer": "lawn_adam", "optimizer_options": {"free_steps": steps}}, RATES)


METHODS = {
    "alone": {"alone": Arm({}, RATES)},
    "decay": {f"decay_{-power}": _decay(10.0**power) for power in (-5, -4, -3, -2)},
    "lawn": {
        f"lawn_{steps}": _lawn(steps) for steps in (WARMUP // 3, WARMUP, 3 * WARMUP, 6 * WARMUP)
    },
}
"""Each method with the settings among which it chooses: ``decay_5`` is a weight decay of 1e-5,
``lawn_100`` LAWN with a free phase of 100 steps, as long as the warm-up."""

ARMS = {name: arm for settings in METHODS.values() for name, arm in settings.items()}
COLUMNS = (*RACED, "logits", "gradient")
"""Those of a race; of the counted seeds also the mean size of the logits, and the norm of the
gradient, at the end."""


def measure(
    seeds: Sequence[int] = SEEDS,
    work: Work = HERE,
    tuning: dict | None = None,
    device: str = "cpu",
    image_size: int | None = None,
) -> dict:
    """Choose the rate and the setting of each method, then look at the end of its trainings.

    Returns:
        What ``race`` returns, with ``COLUMNS``; the counted seeds of the chosen arms alone.
    """
    check_seeds(seeds, TUNING_SEEDS)
    raced = tuning and {**tuning, "rows": [row[: len(RACED)] for row in tuning["rows"]]}
    raced = raced and {**raced, "columns": list(RACED)}
    data = race(
        ARMS,
        BASE,
        (),
        work,
        tuning=raced,
        device=device,
        image_size=image_size,
        tuning_seeds=TUNING_SEEDS,
    )
    base = Run.from_dict(data["base"])
    plan = [(*chosen(data, how), seed) for how in METHODS for seed in seeds]
    runs = [base.replace(**ARMS[arm].fields, lr=lr, seed=seed) for arm, lr, seed in plan]
    found = work.starmap(ended, [(run, device) for run in runs])
    rows = [[*row, None, None] for row in data["rows"]]
    rows += [[*case, *numbers] for case, numbers in zip(plan, found, strict=True)]
    return {**data, "seeds": list(seeds), "columns": list(COLUMNS), "rows": rows}


def repeat(data: dict, seeds: Sequence[int]) -> dict:
    """The same trainings for some seeds."""
    return measure(seeds, tuning=data, image_size=data["base"]["image_size"])


def chosen(data: dict, method: str) -> tuple[str, float]:
    """The setting of a method and its rate, by validation accuracy of the tuning seeds."""
    places = [(arm, best_lr(data, arm)) for arm in METHODS[method]]
    scores = [
        of_arm(data, arm).where(lr=lr, seed=data["tuning_seeds"]).column("val_accuracy").mean()
        for arm, lr in places
    ]
    return places[first_best(scores)]


@threads(1)
def ended(run: Run, device: str) -> list:
    """Train: what ``outcome`` says of a training, then size of the logits, norm of the gradient.

    These are of the first ``IMAGES`` training images; the gradient is that of the loss, by all
    parameters, before LAWN or weight decay does anything to it. A net that diverged has neither.
    """
    trainer = make_trainer(run, "torch", device)
    records = list(trainer.steps())
    numbers = outcome(history_of(run, records, trainer.test_accuracy(), 0.0, trainer))
    if records[-1].diverged:
        return [*numbers, None, None]
    x, y = (part[:IMAGES] for part in trainer.part("train"))
    with torch.no_grad():
        logits = float(trainer.net(x).abs().mean())
    _, _, gradient = trainer.gradient(x, y)
    return [*numbers, *(float(f"{one:.5g}") for one in (logits, np.linalg.norm(gradient)))]


def at_end(data: dict, method: str, name: str) -> np.ndarray:
    """A column of a method at its chosen setting and rate, one number a counted seed."""
    arm, lr = chosen(data, method)
    return at_rate(data, arm, name, lr)


def values(data: dict) -> dict[str, np.ndarray]:
    """The effects of LW2, one number a seed."""
    lawn, alone = (
        {name: np.log10(at_end(data, how, name)) for name in ("gradient", "logits")}
        for how in ("lawn", "alone")
    )
    accuracy = [at_end(data, how, "test_accuracy") for how in ("lawn", "decay")]
    return {
        "gradient_own": lawn["gradient"] - alone["gradient"],
        "logits_own": alone["logits"] - lawn["logits"],
        "accuracy_own": accuracy[0] - accuracy[1],
    }


def facts(data: dict) -> dict[str, object]:
    """Numbers for sentences, names end in the method; accuracies in per cent, leads in points.

    ``tried_ARM`` is the validation accuracy of a setting at its best rate, of the tuning seeds.
    """
    found: dict[str, object] = {"seeds": len(data["seeds"]), "steps": data["base"]["steps"]}
    for how in METHODS:
        arm, lr = chosen(data, how)
        test = 100 * at_end(data, how, "test_accuracy")
        found |= {f"arm_{how}": arm, f"lr_{how}": lr, f"end_{how}": at_end(data, how, "end").mean()}
        found |= {f"test_{how}": test.mean(), f"worst_{how}": test.min()}
        for name in ("logits", "gradient"):
            found[f"{name}_{how}"] = 10 ** np.log10(at_end(data, how, name)).mean()
    for arm in ARMS:
        tried = of_arm(data, arm).where(lr=best_lr(data, arm), seed=data["tuning_seeds"])
        found[f"tried_{arm}"] = 100 * tried.column("val_accuracy").mean()
    effects = values(data)
    found |= {
        f"{name}_ratio": 10 ** effects[f"{name}_own"].mean() for name in ("gradient", "logits")
    }
    gain = at_end(data, "lawn", "test_accuracy") - at_end(data, "alone", "test_accuracy")
    return found | {"gain": 100 * gain.mean(), "behind": -100 * effects["accuracy_own"].mean()}
