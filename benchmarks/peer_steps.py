"""The same training steps in several ways, each as fast as its user would write it."""

from __future__ import annotations

import contextlib
import math
import os
from collections.abc import Callable, Iterator
from itertools import islice

import numpy as np
import torch
from measured import cpu_seconds
from torch import Tensor, nn
from torch.func import grad
from torch.nn.functional import batch_norm, cross_entropy, linear, relu

from bnlab.engines.compiled.native.machine import VARIABLE
from bnlab.train import Run, make_trainer

STEPS = 16
"""Steps of a block."""


class NotHereError(RuntimeError):
    """A way cannot be had on this machine; the message says why, in half a sentence."""


class Way:
    """One way to train: a context whose end releases what it holds.

    Args:
        block: takes ``STEPS`` steps and gives their losses.
    """

    def __init__(self, block: Callable[[], list[float]]) -> None:
        self.losses = block

    def __enter__(self) -> Way:
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def seconds(self) -> float:
        """Processor time of a step, taken in a block of them."""
        return cpu_seconds(self.losses) / STEPS


Batches = list[np.ndarray]


def first_batches(run: Run) -> Batches:
    """The numbers of the images of the first ``STEPS`` steps."""
    return list(islice(make_trainer(run).batches, STEPS))


@contextlib.contextmanager
def machine(name: str) -> Iterator[None]:
    """Let the compiled engine take a machine inside."""
    before = os.environ.get(VARIABLE)
    os.environ[VARIABLE] = name
    try:
        yield
    finally:
        os.environ.pop(VARIABLE) if before is None else os.environ.update({VARIABLE: before})


def compiled(name: str) -> Callable[[Run, Batches], Way]:
    """The compiled engine on one of its machines."""

    def make(run: Run, batches: Batches) -> Way:
        try:
            with machine(name):
                trainer = make_trainer(run, "compiled")
        except RuntimeError as error:
            raise NotHereError(str(error).rstrip(".")) from error
        return Way(lambda: [loss for loss, _ in trainer.block(batches, 1, math.inf)])

    return make


def eager(run: Run, batches: Batches) -> Way:
    """The PyTorch engine of this package."""
    trainer = make_trainer(run)
    trainer.net.train()
    return Way(lambda: [trainer.update(numbers, 1)[0] for numbers in batches])


class _Functional:
    """What PyTorch's functional steps share: data, weights, and loss and accuracy of a batch."""

    def __init__(self, run: Run, batches: Batches) -> None:
        trainer = make_trainer(run)
        self.lr, net = run.lr, trainer.net
        images, self.y = trainer.part("train")
        self.x = images.flatten(1)
        self.weights = [p.detach().clone() for p in net.parameters()]
        self.running = [(m.running_mean, m.running_var) for m in net.modules() if is_running(m)]
        self.batches = [torch.from_numpy(numbers) for numbers in batches]

    def told(self, weights: list[Tensor], x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """Loss, and with it the accuracy."""
        for k, statistics in enumerate(self.running):
            w, b, gamma, beta = weights[4 * k : 4 * k + 4]
            x = relu(batch_norm(linear(x, w, b), *statistics, gamma, beta, training=True))
        logits = linear(x, *weights[-2:])
        return cross_entropy(logits, y), (logits.detach().argmax(1) == y).float().mean()

    def block(self, step: Callable[[Tensor, Tensor], Tensor]) -> list[float]:
        """The losses; with the accuracies, they are read once."""
        told = [step(self.x[numbers], self.y[numbers]) for numbers in self.batches]
        return torch.stack(told)[:, 0].tolist()


def is_running(module: nn.Module) -> bool:
    """Whether it has running statistics."""
    return hasattr(module, "running_mean")


def functional(run: Run, batches: Batches) -> Way:
    """Plain functions, an update of all tensors at once, nothing read within the block."""
    parts = _Functional(run, batches)
    weights = [weight.requires_grad_() for weight in parts.weights]

    def step(x: Tensor, y: Tensor) -> Tensor:
        loss, accuracy = parts.told(weights, x, y)
        grads = torch.autograd.grad(loss, weights)
        with torch.no_grad():
            torch._foreach_add_(weights, grads, alpha=-parts.lr)
        return torch.stack([loss.detach(), accuracy])

    return Way(lambda: parts.block(step))


def compiled_by_torch(run: Run, batches: Batches) -> Way:
    """``torch.compile`` of the whole step, as one graph, for this batch size."""
    parts = _Functional(run, batches)

    def loss(weights: list[Tensor], x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        loss, accuracy = parts.told(weights, x, y)
        return loss, torch.stack([loss.detach(), accuracy])

    def step(weights: list[Tensor], x: Tensor, y: Tensor) -> tuple[list[Tensor], Tensor]:
        grads, told = grad(loss, has_aux=True)(weights, x, y)
        return [w - parts.lr * g for w, g in zip(weights, grads, strict=True)], told

    fast = torch.compile(step, fullgraph=True, dynamic=False)

    def moving(x: Tensor, y: Tensor) -> Tensor:
        parts.weights, told = fast(parts.weights, x, y)
        return told

    try:
        fast(parts.weights, parts.x[parts.batches[0]], parts.y[parts.batches[0]])
    except Exception as error:  # whatever torch or the C++ compiler says
        reason = str(error).strip().splitlines()[0][:100]
        raise NotHereError(f"it does not compile here ({reason})") from error
    return Way(lambda: parts.block(moving))


WAYS: dict[str, Callable[[Run, Batches], Way]] = {
    "native": compiled("native"),
    "wasmtime": compiled("wasmtime"),
    "PyTorch eager": eager,
    "PyTorch functional": functional,
    "torch.compile": compiled_by_torch,
}
"""By name: what makes it from a Run and the batches of a block."""
