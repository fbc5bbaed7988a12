"""The stored runs that a race shows where nothing can be trained.

The file holds every run of a grid of settings. A curve has one byte a point:
loss = low * (high / low) ** (q / 254) and accuracy = q / 250, with q = 255 for 'no value'.
"""

from __future__ import annotations

import base64
import dataclasses
import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from bnlab.lab.kit.points import BLOCK, EVALUATE_EVERY, Points
from bnlab.lab.race.race import LRS, SEEDS
from bnlab.lab.race.run import race_run
from bnlab.train import Run, training

LOSS_RANGE = (1e-3, 10.0)
NO_VALUE = 255


@dataclass(frozen=True)
class Grid:
    """The settings whose runs are stored; the order of the axes is that of the arrays.

    Attributes:
        computes: the parts of bnlab on which the numbers depend.
    """

    norms: tuple[str, ...] = ("none", "batch", "layer", "group")
    lrs: tuple[float, ...] = LRS
    batch_sizes: tuple[int, ...] = (4, 16, 64, 256)
    depths: tuple[int, ...] = (2, 6, 12)
    seeds: tuple[int, ...] = SEEDS["B1"][:3]
    steps: int = 300
    net: str = "mlp"
    width: int = 64

    computes = (
        *("norms", "nets", "optim", "data", "runs", "train", "engines", "random.py"),
        *("lab/kit/points.py", "lab/race/run.py"),
    )

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self)[:5]:
            values = getattr(self, field.name)
            if not values or len(set(values)) < len(values):
                raise ValueError(f"{field.name} of the grid must be different values, got {values}")
        if self.steps < 1 or self.steps % EVALUATE_EVERY:
            raise ValueError(f"steps must be a multiple of {EVALUATE_EVERY}, got {self.steps}")

    @property
    def axes(self) -> dict[str, list]:
        """Values of each axis, slowest first."""
        names = ("norm", "lr", "batch_size", "depth", "seed")
        values = (self.norms, self.lrs, self.batch_sizes, self.depths, self.seeds)
        return {name: list(axis) for name, axis in zip(names, values, strict=True)}

    def runs(self) -> list[Run]:
        """All runs in the order of the arrays (C order)."""
        axes = self.axes
        fixed = {"steps": self.steps, "net": self.net, "width": self.width}
        combinations = itertools.product(*axes.values())
        return [race_run(**dict(zip(axes, one, strict=True)), **fixed) for one in combinations]

    @staticmethod
    def work(run: Run) -> dict[str, object]:
        """What is kept of one run."""
        return curves(run)

    def pack(self, results: Sequence[dict]) -> dict[str, object]:
        """The content of the file."""
        return pack(self, results)


def curves(run: Run) -> dict[str, object]:
    """Train one run on the CPU with one thread; all its points."""
    torch.set_num_threads(1)
    points = Points()
    for record in training(run, "compiled"):
        points.add(record)
    return points.take()


def loss_code(value: float) -> int:
    """One byte for a loss: its logarithm in 254 parts of the range, clipped to it."""
    low, high = LOSS_RANGE
    share = math.log(max(value, low) / low) / math.log(high / low)
    return min(254, round(254 * share))


def accuracy_code(value: float) -> int:
    """One byte for an accuracy: in steps of 0.004."""
    return round(250 * value)


def pack(grid: Grid, results: Sequence[dict]) -> dict[str, object]:
    """The content of the file, from the points of each run in the grid's order."""
    loss_steps = list(range(BLOCK, grid.steps + 1, BLOCK))
    accuracy_steps = list(range(0, grid.steps + 1, EVALUATE_EVERY))
    at = [-1 if one["diverged_at"] is None else one["diverged_at"] for one in results]
    return {
        "version": 1,
        "net": grid.net,
        "width": grid.width,
        "axes": grid.axes,
        "steps": grid.steps,
        "loss_steps": loss_steps,
        "accuracy_steps": accuracy_steps,
        "loss_range": list(LOSS_RANGE),
        "loss": _rows([one["loss"] for one in results], loss_steps, loss_code),
        "accuracy": _rows([one["accuracy"] for one in results], accuracy_steps, accuracy_code),
        "diverged_at": _base64(np.array(at, dtype="<i2")),
    }


def _rows(curves: list[list], steps: list[int], code: Callable[[float], int]) -> str:
    """Base64 of a uint8 array (runs, steps)."""
    table = np.full((len(curves), len(steps)), NO_VALUE, dtype=np.uint8)
    place = {step: i for i, step in enumerate(steps)}
    for row, curve in zip(table, curves, strict=True):
        for step, value in curve:
            row[place[step]] = code(value)
    return _base64(table)


def _base64(array: np.ndarray) -> str:
    return base64.b64encode(array.tobytes()).decode("ascii")
