"""T4: gradients of eight batches of four, added up, are not the gradient of a batch of 32.

With BatchNorm each of the eight forward passes has statistics of four images: the sum is, to
rounding, the gradient of Ghost Batch Normalization with groups of four in a batch of 32. With Layer
Normalization, where no image meets another one, it is the gradient of the batch of 32.

The gradients are compared in float64, at the start and at the end of a training, by PyTorch. The
trainings are compared too: BatchNorm on batches of 32, the same in groups of four (which is what
accumulation trains), and BatchNorm on batches of four, each at its own best rate. All three see as
many images.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from torch import nn

from bnlab.chapters.clinic.setting import BASE, ENGINE, TUNING_SEEDS, start_from, train_one, trained
from bnlab.train import Run, make_trainer, threads
from bnlab.verdicts.race import Arm, arm_facts, lead, race
from bnlab.verdicts.table import Table
from bnlab.verdicts.work import HERE, Work

SEEDS = tuple(range(1064, 1080))
PARTS, MICRO = 8, 4
"""Forward passes a step, and images in each of them."""
RATES = (0.03, 0.1, 0.3, 1.0)
GHOST = {"norm": "ghost_batch", "norm_options": {"ghost_size": MICRO}}
GRADIENTS = ("ghost", "whole", "layer")
COLUMNS = ("seed", "trained", *GRADIENTS)


def arms(base: Run = BASE) -> dict[str, Arm]:
    """What is trained: on the whole batch, in groups, on small batches."""
    steps = base.steps * PARTS
    small = {"batch_size": MICRO, "steps": steps, "eval_every": steps}
    return {"whole": Arm({}, RATES), "ghost": Arm(GHOST, RATES), "small": Arm(small, RATES)}


def measure(
    seeds: Sequence[int] = SEEDS, work: Work = HERE, tuning: dict | None = None, base: Run = BASE
) -> dict:
    """Compare the gradients, and race the trainings.

    Returns:
        What ``race`` returns; ``gradients`` has ``columns`` and ``rows`` of its own: before and
        after a training, the relative difference between the accumulated gradient and that of
        ghost batches, that of the whole batch, and the latter with Layer Normalization.
    """
    data = race(
        arms(base),
        base,
        seeds,
        work,
        tuning=tuning,
        tuning_seeds=TUNING_SEEDS,
        train_one=train_one,
    )
    found = work.starmap(differences, [(base.replace(seed=seed),) for seed in seeds])
    rows = [[seed, *row] for seed, pair in zip(seeds, found, strict=True) for row in pair]
    return {**data, "engine": ENGINE, "gradients": {"columns": list(COLUMNS), "rows": rows}}


def repeat(data: dict, seeds: Sequence[int]) -> dict:
    """The same trainings for some seeds, at the rates that were chosen."""
    return measure(seeds, tuning=data, base=Run.from_dict(data["base"]))


@threads(1)
def differences(run: Run) -> list[list]:
    """At the start and the end of a training, whether it is the end, and the ``GRADIENTS``."""
    run = run.replace(precision="float64")
    layer, ghost = run.replace(norm="layer", norm_options={}), run.replace(**GHOST)
    rows = []
    for is_trained in (False, True):
        states = {
            one.norm: (trained(one) if is_trained else make_trainer(one, ENGINE, "cpu")).net
            for one in (run, layer)
        }
        summed, of_layer = (gradient(one, states[one.norm], PARTS) for one in (run, layer))
        of_ghost, whole = (gradient(one, states[run.norm]) for one in (ghost, run))
        same = relative(of_layer, gradient(layer, states["layer"]))
        rows.append([is_trained, relative(summed, of_ghost), relative(summed, whole), same])
    return rows


def gradient(run: Run, net: nn.Module, parts: int = 1) -> np.ndarray:
    """The gradient of the first batch of a Run at the weights of a net, accumulated over parts."""
    trainer = make_trainer(run, "torch", "cpu")
    start_from(trainer, net.state_dict())
    numbers = np.split(next(trainer.batches), parts)
    return np.mean([trainer.gradient(*trainer.batch(one, 1))[2] for one in numbers], axis=0)


def relative(one: np.ndarray, other: np.ndarray) -> float:
    """||one - other|| / ||other||, four digits."""
    return float(f"{np.linalg.norm(one - other) / np.linalg.norm(other):.4g}")


def differences_of(data: dict, name: str) -> np.ndarray:
    """The differences of each seed before and after the training, (seeds, 2)."""
    return Table.of(data["gradients"]).column(name, seed=data["seeds"], trained=[False, True])


def values(data: dict) -> dict[str, np.ndarray]:
    """The effects of T4, one number a seed; differences of 0 count as 1e-17."""
    most = {name: differences_of(data, name).max(1) for name in ("ghost", "layer")}
    return {
        "whole": differences_of(data, "whole").min(1),
        **{name: np.log10(np.maximum(one, 1e-17)) for name, one in most.items()},
        "accuracy": lead(data, "whole", "ghost"),
        "small": lead(data, "ghost", "small"),
    }


def facts(data: dict) -> dict[str, object]:
    """Numbers for sentences about T4: those of ``arm_facts``, and the differences."""
    found = {f"{name}_most": differences_of(data, name).max() for name in GRADIENTS}
    found["whole_least"] = differences_of(data, "whole").min()
    return {**arm_facts(data), **found, "parts": PARTS, "micro": MICRO}
