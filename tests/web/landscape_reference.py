"""What the page's Landscape must show to the last bit: the same sums, by CompiledTrainer."""

from __future__ import annotations

from itertools import islice

import numpy as np

from bnlab.lab.landscape.slide import MULTIPLES, PLANE, in_order, sideways
from bnlab.train import Run, make_trainer


class Look:
    """A net that the compiled step has trained to a step, with the batch that comes next."""

    def __init__(self, run: Run, step: int) -> None:
        self.run, self.trainer = run, make_trainer(run.replace(steps=301), "compiled")
        trainer = self.trainer
        for numbers in islice(trainer.batches, step):
            trainer.update(numbers)
        numbers = next(trainer.batches)
        self.batch = trainer.data.train_x[numbers], trainer.data.train_y[numbers]
        self.params = trainer.machine.read(
            trainer.places["params"], sum(trainer.state.params.sizes)
        )
        self.buffers = trainer.machine.read(
            trainer.places["buffers"], sum(trainer.state.buffers.sizes)
        )
        self.loss, _, self.gradient = trainer.gradient(*self.batch)

    def move(self, way: np.ndarray) -> None:
        """The weights in float32 at w + way, and the buffers of the start."""
        moved = (self.params.astype(float) + way).astype(np.float32)
        self.trainer.machine.write(self.trainer.places["params"], moved)
        self.trainer.machine.write(self.trainer.places["buffers"], self.buffers)

    def along(self) -> tuple[list[float], list[float]]:
        """Loss and change of the gradient at each of MULTIPLES."""
        slope, losses, changes = self.gradient.astype(float), [], []
        for multiple in MULTIPLES:
            self.move(-multiple * self.run.lr * slope)
            loss, _, there = self.trainer.gradient(*self.batch)
            losses.append(loss)
            changes.append(float(np.sqrt(in_order((there.astype(float) - slope) ** 2))))
        return losses, changes

    def plane(self) -> list[list[float]]:
        """The loss at each pair of PLANE."""
        slope, lr = self.gradient.astype(float), self.run.lr
        aside, rows = sideways(slope, self.run.seed), []
        for a in PLANE:
            rows.append([])
            for b in PLANE:
                # In the order of the page: (w + a g) + b e.
                way = -a * lr * slope
                moved = self.params.astype(float) + way
                if b:
                    moved = moved + b * lr * aside
                rows[-1].append(self.at(moved))
        return rows

    def at(self, weights: np.ndarray) -> float:
        """The loss at these weights, rounded to float32."""
        self.trainer.machine.write(self.trainer.places["params"], weights.astype(np.float32))
        return self.trainer.evaluate(*self.batch, True)[0]
