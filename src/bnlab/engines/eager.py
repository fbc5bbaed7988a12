"""Training in plain PyTorch: the source of truth for every other engine."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

import bnlab
from bnlab.data import batches
from bnlab.optim import adaptive_clip_grad
from bnlab.runs.augment import augmented
from bnlab.runs.build import build, make_device, training_data
from bnlab.runs.evaluate import evaluate
from bnlab.runs.history import DIVERGED, History, Step
from bnlab.runs.losses import LOSSES
from bnlab.runs.optimizers import make_optimizer
from bnlab.runs.run import Run


class Trainer:
    """One net in training: ``steps`` yields a record after each update. See ``training``."""

    engine = "torch"

    def __init__(self, run: Run, device: str = "auto") -> None:
        self.run, self.device = run, make_device(device)
        self.data, self.loss = training_data(run), LOSSES[run.loss]
        self.batches = batches(
            self.data.train_y,
            run.sampler,
            run.seed,
            run.batch_size,
            run.steps,
            **run.sampler_options,
        )
        self.net = build(run).to(self.device)
        self.optimizer = make_optimizer(run.optimizer, self.net, run.lr, **run.optimizer_options)
        self.train_x, self.train_y = self.part("train")
        self.val_x, self.val_y = self.part("val")
        self.batch_dependent = any(getattr(m, "uses_batch", False) for m in self.net.modules())
        # A normalizer that is undefined on the shapes of this net says so here, not on the way.
        x, y = self.train_x[: run.batch_size], self.train_y[: run.batch_size]
        evaluate(self.net, x, y, batch_statistics=True)

    @property
    def versions(self) -> dict[str, str]:
        """What the numbers depend on besides bnlab, torch and numpy."""
        return {}

    def part(self, name: str) -> tuple[Tensor, Tensor]:
        """Images and labels of a part of the data, on the device."""
        dtype = getattr(torch, self.run.precision)
        x = torch.tensor(getattr(self.data, f"{name}_x"), dtype=dtype, device=self.device)
        y = torch.tensor(getattr(self.data, f"{name}_y"), device=self.device)
        return x, y

    def batch(self, numbers: np.ndarray, step: int) -> tuple[Tensor, Tensor]:
        """Images, augmented as the Run says, and labels of a batch.

        Args:
            numbers: which images, (B,).
            step: for which step, from 1.
        """
        index = torch.from_numpy(numbers).to(self.device)
        x = augmented(self.train_x[index], self.run.augment, self.run.seed, step)
        return x, self.train_y[index]

    def update(self, numbers: np.ndarray, step: int) -> tuple[float, float]:
        """One step of gradient descent; loss and accuracy of the batch before it."""
        x, y = self.batch(numbers, step)
        self.optimizer.zero_grad()
        logits = self.net(x)
        loss = self.loss(logits, y)
        loss.backward()
        if self.run.clip is not None:
            adaptive_clip_grad(self.net, self.run.clip)
        self.optimizer.step()
        accuracy = (logits.detach().argmax(1) == y).to(loss.dtype).mean()
        return tuple(torch.stack([loss.detach(), accuracy]).tolist())  # one transfer from a GPU

    def look(self, step: int, loss: float, accuracy: float) -> Step:
        """A record with an evaluation on the validation images."""
        _, val = evaluate(self.net, self.val_x, self.val_y)
        train_mode = val
        if self.batch_dependent:
            _, train_mode = evaluate(self.net, self.val_x, self.val_y, batch_statistics=True)
        return Step(step, loss, accuracy, val, train_mode)

    def loss_now(self, numbers: np.ndarray, step: int) -> float:
        """Loss of a batch with the weights as they are, in training mode; nothing moves."""
        x, y = self.batch(numbers, step)
        return evaluate(self.net, x, y, batch_statistics=True, loss=self.loss)[0]

    def test_accuracy(self) -> float:
        """Accuracy on the test images in evaluation mode."""
        return evaluate(self.net, *self.part("test"))[1]

    def steps(self, looks: bool = True) -> Iterator[Step]:
        """Train; yield a record at step 0 and after each update, the last one if it diverges.

        Args:
            looks: evaluate on the validation images now and then; that can take longer than the
                training itself.
        """
        run = self.run
        self.net.train()
        yield self.look(0, math.nan, math.nan) if looks else Step(0, math.nan, math.nan)
        for step, numbers in enumerate(self.batches, start=1):
            loss, accuracy = self.update(numbers, step)
            if step == 1:
                limit = min(DIVERGED * loss, sys.float_info.max)
            if not loss <= limit:
                # The batch was seen before its update: the updates before it did the damage.
                yield Step(step - 1, loss, accuracy, diverged=True)
                return
            if looks and (step % run.eval_every == 0 or step == run.steps):
                yield self.look(step, loss, accuracy)
            else:
                yield Step(step, loss, accuracy)
        # What the last update did, no later batch has seen.
        after = self.loss_now(numbers, run.steps)
        if not after <= limit:
            yield Step(run.steps, after, math.nan, diverged=True)


def history_of(
    run: Run, records: list[Step], test_accuracy: float, seconds: float, trainer: Trainer
) -> History:
    """The History of the records that a trainer gave for a Run."""
    updates = [r for r in records if not math.isnan(r.accuracy)]
    looks = [r for r in records if r.val_accuracy is not None]
    return History(
        run=run,
        loss=np.array([r.loss for r in updates]),
        accuracy=np.array([r.accuracy for r in updates]),
        step=np.array([r.step for r in looks]),
        val_accuracy=np.array([r.val_accuracy for r in looks]),
        val_accuracy_train_mode=np.array([r.val_accuracy_train_mode for r in looks]),
        test_accuracy=test_accuracy,
        diverged_at=records[-1].step if records[-1].diverged else None,
        seconds=seconds,
        device=str(trainer.device),
        engine=trainer.engine,
        versions={
            **trainer.versions,
            "bnlab": bnlab.__version__,
            "torch": torch.__version__,
            "numpy": np.__version__,
        },
    )
