"""A training with looks at the inputs of the layers, for S1 and S2 of Santurkar 2018.

What was measured of a training is one row. In a race nobody looks inside; in a look, one does.
One looks at what goes into the layers, and at what goes into the normalizers, which BatchNorm
has not touched yet; at each tenth step, and from the first step to the last.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from bnlab.measure.shift.input_shift import Inputs, InputShift, look, measure_input_shift
from bnlab.norms import NoisyBatchNorm
from bnlab.runs.optimizers import make_optimizer
from bnlab.train import History, Run, Trainer, threads
from bnlab.verdicts.table import Table
from bnlab.verdicts.tuning import CHANCE, GUESS, mean_loss

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
RACED = (*COLUMNS, "end")  # with the loss at the end of the training
MOVES = ("step", "step_before", "whole", "whole_before")  # rows of ``moves``: before BatchNorm
LAST = 30  # steps at the end
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
    deviation, for each layer but the first, whose inputs are the images; and the same for what
    goes into the normalizers. For a step the deviation is that before the step, and the mean over
    the looks counts; for the whole training it is that of both moments, the root of their mean
    variance, since the scale of the inputs may change.

    Returns:
        A row, with ``moves`` (``MOVES``, layers).

    Raises:
        RuntimeError: if the net diverges in its first step.
    """
    trainer, losses, steps, before, first = make_trainer(run, norm), [], [], None, None
    places = _places(trainer.net)
    for record in trainer.steps(looks=False):
        if record.diverged:
            break
        if record.step:
            losses.append(record.loss)
        if record.step % EVERY > 1:
            continue
        now = look(trainer.net, trainer.train_x[:PROBE_IMAGES], [*places[0], *places[1]], "train")
        first = first or now
        if not now.finite:
            continue
        last = now
        if record.step % EVERY == 0:
            before = now
        elif before.finite:
            # NaN: all units are constant; they do not move.
            steps.append(np.nan_to_num(measure_input_shift(before, now).relative))
    if not steps:
        raise RuntimeError(f"{run} diverged in its first step; choose a smaller rate.")
    whole = _over_both(measure_input_shift(first, last), first, last)
    found = [
        values[[first.names.index(name) for name in names]]
        for values in (np.mean(steps, axis=0), whole)
        for names in places
    ]
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
        [[float(f"{value:.4g}") for value in values] for values in found],
        end_loss(losses, run.steps),
    ]


def _places(net: nn.Module) -> tuple[list[str], list[str]]:
    """Names of the layers but the first, and of the normalizers, which have as many inputs."""
    layers = [name for name, module in net.named_modules() if isinstance(module, nn.Linear)]
    after = [at + 1 for at, module in enumerate(net.body) if isinstance(module, nn.Linear)]
    return layers[1:], [f"body.{at}" for at in after]


def _over_both(shift: InputShift, *moments: Inputs) -> np.ndarray:
    """The distance over the typical deviation at both moments, for each layer."""
    variances = [[each.mean() for each in moment.variance] for moment in moments]
    return np.nan_to_num(shift.wasserstein / np.sqrt(np.mean(variances, axis=0)))


def end_loss(losses: np.ndarray | Sequence[float], steps: int) -> float:
    """Mean training loss of the last ``LAST`` steps; a step counts as in ``mean_loss``."""
    missing = steps - len(losses)
    counted = np.append(np.minimum(losses, GUESS), np.full(missing, GUESS))
    return float(f"{counted[-LAST:].mean():.5g}")


@threads(1)
def noise_row(run: Run) -> list:
    """The row of a race of the net with noise alone, trained by PyTorch."""
    trainer, losses = make_trainer(run, "noise"), []
    for record in trainer.steps(looks=False):
        if record.diverged:
            break
        if record.step:
            losses.append(record.loss)
    lost = record.diverged
    val = CHANCE if lost else trainer.evaluate(trainer.val_x, trainer.val_y)[1]
    return [
        "race",
        run.depth,
        "noise",
        run.lr,
        run.seed,
        mean_loss(losses, run.steps),
        round(val, 4),
        CHANCE if lost else round(trainer.test_accuracy(), 4),
        record.step if lost else None,
        None,
        end_loss(losses, run.steps),
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


def raced_row(history: History) -> list:
    """The same, with the loss at the end of the training."""
    return [
        *race_row(history),
        end_loss(history.loss[: history.diverged_at], history.run.steps),
    ]


def select(
    data: dict, part: str, norm: str, lr: float, name: str, depth: int | None = None
) -> np.ndarray:
    """One column, seed by seed: (seeds,), or (seeds, len(MOVES), layers) for ``moves``.

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


def movement(
    data: dict, norm: str, lr: float, name: str = "step", depth: int | None = None
) -> np.ndarray:
    """One of ``MOVES`` for each layer, (seeds, layers); the rest as ``select``."""
    return select(data, "look", norm, lr, "moves", depth)[:, MOVES.index(name)]


def apart(
    data: dict,
    above: tuple[str, float],
    below: tuple[str, float],
    name: str = "step",
    depth: int | None = None,
) -> np.ndarray:
    """Decades by which the inputs of one net move more, median over the layers, (seeds,).

    Args:
        data: with looks inside.
        above: normalizer and rate of the one net.
        below: normalizer and rate of the other.
        name: which of ``MOVES``.
        depth: by default the first one of the measurement.
    """
    moves = [movement(data, *net, name, depth) for net in (above, below)]
    return np.median(np.log10(moves[0] / moves[1]), axis=1)
