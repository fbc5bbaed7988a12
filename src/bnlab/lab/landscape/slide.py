"""What the Landscape shows of one net, by PyTorch: along its gradient, and over a plane."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from bnlab import random
from bnlab.data import batches
from bnlab.measure import gradient_direction, measure_landscape, measure_plane_slice
from bnlab.train import Run, Trainer

OCTAVES, PARTS = 3, 4
MULTIPLES = tuple(
    float(f"{2 ** (k / PARTS - OCTAVES):.3g}") for k in range(2 * OCTAVES * PARTS + 1)
)
"""Lengths of the steps along the gradient, in units of the learning rate: as in the page."""

PLANE = tuple(k / 2 - 4 for k in range(17))
"""Positions on the plane, in the same unit, down the gradient and across."""

LOOK_EVERY = 50
"""Steps of the training between two looks on the way."""

Batch = tuple[Tensor, Tensor]


def walk(run: Run, step: int, device: str = "cpu") -> Iterator[dict[str, object]]:
    """Train to a step; what is seen at the start, on the way, and there, last with the plane.

    Each look is on the batch that would come next, in training mode. Weights are those of the
    page's nets, but for the rounding of PyTorch.

    Args:
        run: whose net is trained; its number of steps does not matter.
        step: where the training ends.
        device: see ``train``.

    Returns:
        Dicts ready for JSON, see ``page_landscape.js``; a number that is not finite is None.
    """
    run = run.replace(steps=step + 1)
    trainer = Trainer(run, device)
    labels = trainer.data.train_y
    plan = list(batches(labels, run.sampler, run.seed, run.batch_size, run.steps))
    for record in trainer.steps(looks=False):
        if record.diverged:
            yield _look(record.step, diverged_at=record.step)
            return
        if record.step % LOOK_EVERY and record.step < step:
            continue
        batch = trainer.batch(plan[record.step], record.step + 1)
        found = along(trainer.net, batch, run.lr, record.step)
        yield found
        if record.step == step:
            yield {**found, "plane": plane(trainer.net, batch, run.lr, run.seed), "done": True}
            return


def along(net: nn.Module, batch: Batch, lr: float, step: int) -> dict[str, object]:
    """Loss and change of the gradient at each of ``MULTIPLES``."""
    found = measure_landscape(net, cross_entropy, *batch, [a * lr for a in MULTIPLES], mode="train")
    return _look(
        step,
        loss=_finite(found.loss),
        size=_finite(found.gradient_norm),
        losses=[_finite(value) for value in found.losses],
        changes=[_finite(value) for value in found.gradient_changes],
    )


def plane(net: nn.Module, batch: Batch, lr: float, seed: int) -> list[list[float | None]]:
    """The loss down the gradient (rows) and across it (columns), at each pair of ``PLANE``."""
    downhill = gradient_direction(net, cross_entropy, *batch, mode="train")
    flat = torch.cat([part.flatten() for part in downhill.values()]).double().cpu().numpy()
    aside, at = torch.from_numpy(lr * sideways(flat, seed)), 0
    across = {}
    for name, part in downhill.items():
        across[name] = aside[at : at + part.numel()].reshape(part.shape).to(part)
        at += part.numel()
    pair = ({name: -lr * part for name, part in downhill.items()}, across)
    found = measure_plane_slice(net, cross_entropy, *batch, pair, PLANE, PLANE, mode="train")
    return [[_finite(value) for value in row] for row in found.losses]


def sideways(gradient: np.ndarray, seed: int) -> np.ndarray:
    """A random direction at a right angle to the gradient (P,), and as long; float64."""
    found = random.uniform(seed, random.DIRECTIONS, len(gradient)) - 0.5
    square = in_order(gradient * gradient)
    found = found - in_order(found * gradient) / square * gradient
    return found * math.sqrt(square / in_order(found * found))


def in_order(values: np.ndarray) -> float:
    """The sum, taken from the first to the last as in the page: numpy's own order differs."""
    return float(np.cumsum(values)[-1])


def _look(step: int, diverged_at: int | None = None, **numbers: object) -> dict[str, object]:
    empty = dict.fromkeys(("loss", "size", "losses", "changes", "plane"))
    done = diverged_at is not None
    return {"step": step, "diverged_at": diverged_at, **empty, **numbers, "done": done}


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
