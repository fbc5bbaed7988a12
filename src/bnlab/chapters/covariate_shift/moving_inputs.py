"""A training with looks at the inputs of the layers, for S1 and S2 of Santurkar 2018.

What was measured of a training is one row. In a race nobody looks inside; in a look, one does.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from bnlab.measure.shift.input_shift import look, measure_input_shift
from bnlab.norms import NoisyBatchNorm
from bnlab.runs.optimizers import make_optimizer
from bnlab.train import History, Run, Trainer, threads
from bnlab.verdicts.table import Table
from bnlab.verdicts.tuning import CHANCE, mean_loss

COLUMNS = (
    "part",
    "depth",
    "norm",
    "lr",
    "seed",
    "loss",
    "val_accuracy",
    "test_accuracy",
    "diverged_at",
    "moves",
)
EVERY = 10  # steps between two looks at a step
PROBE_IMAGES = 256


class NoiseAlone(NoisyBatchNorm):
    """The noise of noisy BatchNorm, and nothing else: for the net without a normalizer."""

    def __init__(self, like: NoisyBatchNorm) -> None:
        super().__init__(like.num_features, affine=False, track_running_stats=False)
        self.noise_key = like.noise_key.clone()

    def _normalize(self, x: Tensor) -> Tensor:
        if not self.training:
            return x
        factor, shift = self.draw(x)
        self.noise_step = self.noise_step + 1
        return torch.addcmul(shift, x, factor)


def make_trainer(run: Run, norm: str) -> Trainer:
    """What trains the net of a Run with a normalizer, or with ``noise`` alone, by PyTorch."""
    if norm != "noise":
        return Trainer(run.replace(norm=norm), "cpu")
    trainer = Trainer(run.replace(norm="noisy_batch"), "cpu")
    body: nn.Sequential = trainer.net.body
    for place, module in enumerate(body):
        if isinstance(module, NoisyBatchNorm):
            body[place] = NoiseAlone(module)
    trainer.optimizer = make_optimizer(run.optimizer, trainer.net, run.lr)
    return trainer


@threads(1)
def watch(run: Run, norm: str) -> list:
    """Train, and compare the inputs of the layers before and after every tenth step.

    The images are the first ``PROBE_IMAGES`` for training, always the same; the mode is that of
    training, with the noise of the step. What counts is the Wasserstein distance over the typical
    deviation before the step, mean over the looks, for each layer but the first, whose inputs are
    the images.

    Returns:
        A row, with ``moves`` for each of these layers.

    Raises:
        RuntimeError: if the net diverges in its first step.
    """
    trainer, losses, moves, before = make_trainer(run, norm), [], [], None
    for record in trainer.steps(looks=False):
        if record.diverged:
            break
        if record.step:
            losses.append(record.loss)
        if record.step % EVERY > 1:
            continue
        now = look(trainer.net, trainer.train_x[:PROBE_IMAGES], None, "train")
        if record.step % EVERY == 0:
            before = now
        elif before.finite and now.finite:
            # NaN: all units are constant; they do not move.
            moves.append(np.nan_to_num(measure_input_shift(before, now).relative[1:]))
    if not moves:
        raise RuntimeError(f"{run} diverged in its first step; choose a smaller rate.")
    diverged_at = record.step if record.diverged else None
    accuracy = CHANCE if record.diverged else trainer.test_accuracy()
    return [
        "look",
        run.depth,
        norm,
        run.lr,
        run.seed,
        mean_loss(losses, run.steps),
        None,
        round(accuracy, 4),
        diverged_at,
        [float(f"{value:.4g}") for value in np.mean(moves, axis=0)],
    ]


def race_row(history: History) -> list:
    """The row of a training in which nobody looked inside."""
    run, diverged = history.run, history.diverged_at is not None
    return [
        "race",
        run.depth,
        run.norm,
        run.lr,
        run.seed,
        mean_loss(history.loss[: history.diverged_at], run.steps),
        round(float(history.val_accuracy[-1]), 4),
        CHANCE if diverged else round(history.test_accuracy, 4),
        history.diverged_at,
        None,
    ]


def select(
    data: dict, part: str, norm: str, lr: float, name: str, depth: int | None = None
) -> np.ndarray:
    """One column, seed by seed: (seeds,), or (seeds, layers) for ``moves``.

    Args:
        data: of a measurement.
        part: ``race`` or ``look``.
        norm: of the net.
        lr: its rate.
        name: of the column.
        depth: by default the first one of the measurement.
    """
    table = Table.of(data).where(part=part, depth=depth or data["depths"][0], norm=norm, lr=lr)
    return table.column(name, seed=data["seeds"])
