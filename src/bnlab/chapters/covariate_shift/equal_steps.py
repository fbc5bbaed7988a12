"""What is left of S3 if the nets make steps of one length: an intervention on the step.

A layer's gradient shifts as far as the steps before it go, and a step is the rate times the
gradient, which differs between the nets. Here the step that is looked at has one of ``LENGTHS``,
whatever the gradient, and the shift is taken relative to the size of the gradient. The training
itself is as in S3.
"""

from __future__ import annotations

import math

import numpy as np
from torch.nn.functional import cross_entropy

from bnlab.data import batches
from bnlab.measure import measure_covariate_shift
from bnlab.train import Run, Trainer, threads

LENGTHS = (0.03, 0.1)  # of the step of all weights; trial runs made steps of 0.1 to 0.5
COLUMNS = ("depth", "norm", "lr", "seed", "step", "length", "shift", "cosine")


@threads(1)
def rows(run: Run, looks: tuple[int, ...]) -> list[list]:
    """Train, and look at some steps.

    Args:
        run: of more steps than the last look.
        looks: updates before each step that is looked at.

    Returns:
        A row a look, until the net diverges: length of the step that the training makes; then for
        each of ``LENGTHS`` the distance of the gradients over the size of the gradient before,
        and their cosine, medians over the layers but the first.
    """
    trainer, found = Trainer(run, "cpu"), []
    plan = list(batches(trainer.data.train_y, run.sampler, run.seed, run.batch_size, run.steps))
    for record in trainer.steps(looks=False):
        if record.diverged:
            break
        if record.step not in looks:
            continue
        batch = trainer.batch(plan[record.step], record.step + 1)

        def at(lr: float, batch: tuple = batch) -> tuple[float, float, float]:
            shift = measure_covariate_shift(trainer.net, cross_entropy, *batch, lr, mode="train")
            size = math.sqrt(np.square(shift.before).sum())
            relative = np.nan_to_num(shift.l2[1:] / np.maximum(shift.before[1:], 1e-30))
            return size, float(np.median(relative)), float(np.median(shift.cosine[1:]))

        size, *_ = at(0.0)
        told = [at(length / max(size, 1e-30)) for length in LENGTHS] if size else []
        shifts, cosines = ([one[k] for one in told] for k in (1, 2))
        numbers = [size * run.lr, shifts or [0.0] * 2, np.nan_to_num(cosines or [1.0] * 2)]
        found.append([run.depth, run.norm, run.lr, run.seed, record.step, *map(_short, numbers)])
    return found


def _short(value: object) -> object:
    """Four digits."""
    if isinstance(value, float):
        return float(f"{value:.4g}")
    return [float(f"{one:.4g}") for one in value]
