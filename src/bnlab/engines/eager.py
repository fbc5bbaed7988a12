"""Training in plain PyTorch: the source of truth for every other engine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from bnlab.arguments import checked
from bnlab.engines.engine import Array, Engine, check_defined, depends_on_batch
from bnlab.nets import Supernet
from bnlab.optim import adaptive_clip_grad
from bnlab.runs.augment import augmented
from bnlab.runs.build import build, make_device, optimizer_of, training_batches, training_data
from bnlab.runs.evaluate import evaluate
from bnlab.runs.losses import LOSSES
from bnlab.runs.own_context import in_own_context
from bnlab.runs.rates import set_rate
from bnlab.runs.run import Run


class Trainer(Engine):
    """One net in training: ``steps`` yields a record after each update. See ``training``.

    ``net`` is the net that is trained: what is changed in it is changed in the training.
    """

    engine: ClassVar[str] = "torch"
    room = 1

    @checked
    @in_own_context
    def __init__(self, run: Run, device: str = "auto") -> None:
        self.run, self.device = run, make_device(device)
        self.data, self.loss = training_data(run), LOSSES[run.loss]
        self.batches = training_batches(run, self.data.train_y)
        self.net = build(run).to(self.device, memory_format=self._memory_format())
        self.optimizer = optimizer_of(run, self.net)
        self.versions: dict[str, str] = {}
        self._parts: dict[str, tuple[Tensor, Tensor]] = {}
        self.train_x, self.train_y = self.part("train")
        self.val_x, self.val_y = self.part("val")
        self.batch_dependent = depends_on_batch(self.net)
        check_defined(self.net, self.train_x[: run.batch_size], self.train_y[: run.batch_size])

    def _memory_format(self) -> torch.memory_format:
        # On a CPU, convolutions of larger images are faster so; what is measured on 8 x 8 keeps
        # its bits. A fused optimizer, or losses read once for several steps, gain nothing there.
        is_large = max(self.data.image_shape) > 8 and self.device.type == "cpu"
        return torch.channels_last if is_large else torch.preserve_format

    def part(self, name: str) -> tuple[Tensor, Tensor]:
        """Images and labels of a part of the data, on the device."""
        if name not in self._parts:
            x, y = getattr(self.data, f"{name}_x"), getattr(self.data, f"{name}_y")
            self._parts[name] = self._on_device(x, y)
        return self._parts[name]

    def _on_device(self, x: Array, y: Array) -> tuple[Tensor, Tensor]:
        at = self.device
        x, y = (a if isinstance(a, Tensor) else torch.tensor(a, device=at) for a in (x, y))
        return x.to(at, getattr(torch, self.run.precision)), y.to(at)

    def batch(self, numbers: np.ndarray, step: int) -> tuple[Tensor, Tensor]:
        """Images, augmented as the Run says, and labels of a batch; see ``Engine``."""
        index = torch.from_numpy(numbers).to(self.device)
        x = augmented(self.train_x[index], self.run.augment, self.run.seed, step)
        return x, self.train_y[index]

    @in_own_context
    def update(self, numbers: np.ndarray, step: int) -> tuple[float, float]:
        """One step of gradient descent; loss and accuracy of the batch before it."""
        x, y = self.batch(numbers, step)
        self.optimizer.zero_grad()
        logits = self._forward(x, step)
        loss = self.loss(logits, y)
        loss.backward()
        set_rate(self.optimizer, self.run, step)
        if self.run.clip is not None:
            adaptive_clip_grad(self.net, self.run.clip)
        self.optimizer.step()
        return self._told(loss, logits, y)

    def _forward(self, x: Tensor, step: int) -> Tensor:
        if isinstance(self.net, Supernet):  # each step has a path of its own
            return self.net(x, self.net.sample(self.run.seed, step - 1))
        return self.net(x)

    @staticmethod
    def _told(loss: Tensor, logits: Tensor, y: Tensor) -> tuple[float, float]:
        accuracy = (logits.detach().argmax(1) == y).to(loss.dtype).mean()
        return tuple(torch.stack([loss.detach(), accuracy]).tolist())  # one transfer from a GPU

    def block(
        self, batches: Sequence[np.ndarray], step: int, limit: float
    ) -> list[tuple[float, float]]:
        """One step, see ``Engine``; there is nothing to gain from more of them at a time."""
        (numbers,) = batches
        return [self.update(numbers, step)]

    @in_own_context
    def evaluate(self, x: Array, y: Array, batch_statistics: bool = False) -> tuple[float, float]:
        """Loss and accuracy on any images; the net stays as it was. See ``Engine``."""
        return evaluate(self.net, *self._on_device(x, y), batch_statistics, loss=self.loss)

    @in_own_context
    def gradient(self, x: Array, y: Array) -> tuple[float, float, np.ndarray]:
        """Loss, accuracy and gradient (P,) of any batch in training mode; see ``Engine``."""
        x, y = self._on_device(x, y)
        logits = self.net.train()(x)
        loss, parameters = self.loss(logits, y), list(self.net.parameters())
        parts = torch.autograd.grad(loss, parameters, allow_unused=True, materialize_grads=True)
        flat = torch.cat([part.flatten() for part in parts])
        return *self._told(loss, logits, y), flat.cpu().numpy()
