"""Compiled nets against PyTorch: one step at a time, from PyTorch's state.

Two right implementations that run freely part after some steps, as one rounding error grows. So
PyTorch's state is loaded before each step ("teacher forcing"), and the results are compared.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from torch import nn

from bnlab.data import digits
from bnlab.engines.compiled.heap import Heap
from bnlab.engines.compiled.nets import Net, Store
from bnlab.engines.compiled.program import moved
from bnlab.engines.compiled.step import State, inputs_of
from bnlab.runs.losses import LOSSES

BATCHES = (1, 3, 32, 256)
LIMITS = {"float64": 1e-10, "float32": 1e-5}
"""Largest relative error of a step."""

STEPS, LR = 4, 0.05
"""Steps that are compared, the first from a fresh state, and their learning rate."""

ALLOWED = 2
"""How many times PyTorch's own uncertainty an error may be where that is beyond the limit."""

DIGITS, TRIES = 32, 16
"""That uncertainty: by how much weights are changed, in units of the last digit; how often.

The rounding errors of a sum over a batch of images are of this size."""

FLOOR = 1e-3
"""Vectors whose numbers are all smaller than this are compared absolutely, on this scale."""

Results = dict[str, np.ndarray]


class StepHeap(Heap):
    """A heap for single steps of a net, whose state and batch come from PyTorch."""

    @classmethod
    def of(cls, store: Store, net: Net, precision: str, update: Iterable[int] = ()) -> StepHeap:
        """A heap for ``net``, with the code of an update if one is given."""
        programs = store.nets[net.key]
        codes = {
            "gradient": programs.gradient.code,
            "evaluation": programs.evaluation.code,
            "update": moved(update, programs.gradient.places),
        }
        return cls(store, net, precision, codes)

    def read(self, name: str, count: int) -> np.ndarray:
        """Numbers of a tensor in float64."""
        return super().read(name, count).astype(float)

    def load(self, module: nn.Module, x: np.ndarray, y: np.ndarray) -> None:
        """Take the state of a net in PyTorch, and a batch."""
        self.write_state(module)
        self.write_batch(x, y)
        self.set(inputs_of(module))


@dataclass(frozen=True)
class Finding:
    """How far one step of a net is from PyTorch's.

    Attributes:
        key: of the net.
        precision: ``float32`` or ``float64``.
        batch: its size.
        step: number of the step; 0 starts from a fresh state, -1 is an evaluation after the last.
        error: the largest relative error of loss, accuracy, gradient and statistics.
        own: how far PyTorch's own results move, see ``own_error``; 0 if ``error`` is within the
            limit, so that it does not matter.
    """

    key: str
    precision: str
    batch: int
    step: int
    error: float
    own: float = 0.0

    @property
    def holds(self) -> bool:
        """Whether the step is PyTorch's."""
        return self.error <= max(LIMITS[self.precision], ALLOWED * self.own)


def images(
    size: int, seed: int, shape: tuple[int, ...] = (1, 8, 8)
) -> tuple[np.ndarray, np.ndarray]:
    """A batch of the digits, as large as ``shape`` (C, H, W) says: images and labels."""
    numbers = np.random.default_rng(seed).integers(0, 1197, size)
    data = digits()
    larger = np.ones((1, shape[0], shape[1] // 8, shape[2] // 8), np.float32)
    return np.kron(data.train_x[numbers], larger), data.train_y[numbers]


def flat(tensors: Iterable[torch.Tensor]) -> np.ndarray:
    """All numbers of some tensors in one vector of float64."""
    parts = [t.detach().double().numpy().ravel() for t in tensors]
    return np.concatenate(parts) if parts else np.zeros(0)


def torch_step(module: nn.Module, x: np.ndarray, y: np.ndarray, loss: str) -> Results:
    """Loss, accuracy, gradient and statistics of one step in training mode, by autograd."""
    x, y = torch.tensor(x, dtype=next(module.parameters()).dtype), torch.tensor(y)
    module.train().zero_grad()
    logits = module(x)
    value = LOSSES[loss](logits, y)
    value.backward()
    state, buffers = State.of(module), dict(module.named_buffers())
    return {
        "loss": np.array([value.item()]),
        "accuracy": np.array([(logits.argmax(1) == y).double().mean().item()]),
        "gradient": flat(p.grad for p in module.parameters()),
        "buffers": flat(buffers[name] for name in state.buffers.names),
    }


@torch.no_grad()
def torch_evaluation(module: nn.Module, x: np.ndarray, y: np.ndarray, loss: str) -> Results:
    """The loss in evaluation mode."""
    logits = module.eval()(torch.tensor(x, dtype=next(module.parameters()).dtype))
    return {"loss": np.array([LOSSES[loss](logits, torch.tensor(y)).item()])}


def relative(mine: np.ndarray, theirs: np.ndarray) -> float:
    """The largest difference over the largest number, or over ``FLOOR``.

    Infinite where one has a NaN or an infinity that the other does not have.
    """
    finite = np.isfinite(theirs)
    if not np.array_equal(mine[~finite], theirs[~finite], equal_nan=True):
        return np.inf
    if not finite.any():
        return 0.0
    mine, theirs = mine[finite], theirs[finite]
    error = float(np.abs(mine - theirs).max() / max(np.abs(theirs).max(), FLOOR))
    return error if np.isfinite(error) else np.inf


def largest(mine: Results, theirs: Results) -> float:
    """The largest relative error of some results."""
    return max(relative(mine[name], theirs[name]) for name in theirs)


def is_defined(net: Net, size: int) -> bool:
    """Whether PyTorch takes batches of this size; the compiled engine asks it too."""
    try:
        net.module().train()(torch.zeros(size, *net.image_shape))
    except ValueError:
        return False
    return True


def own_error(module: nn.Module, results: Callable[[nn.Module], Results]) -> float:
    """How far PyTorch's results move if the last digits of all weights change: the most of a few.

    A step may be ill conditioned, or at a kink: a unit whose input is 0 but for rounding, two
    logits that are equal but for rounding. Any right program may then be as far off as this.
    """
    digit = torch.finfo(next(module.parameters()).dtype).eps
    generator = torch.Generator().manual_seed(0)
    exact, errors = results(copy.deepcopy(module)), []
    for _ in range(TRIES):
        other = copy.deepcopy(module)
        with torch.no_grad():
            for parameter in other.parameters():
                by = torch.randint(-DIGITS, DIGITS + 1, parameter.shape, generator=generator)
                parameter.mul_(1 + digit * by.to(parameter.dtype))
        errors.append(largest(results(other), exact))
    return max(errors)


def compared(store: Store, net: Net, precision: str, size: int) -> Iterator[Finding]:
    """Compare some steps, and an evaluation after them."""
    module = net.module(seed=1).to(getattr(torch, precision))
    heap, optimizer = (
        StepHeap.of(store, net, precision),
        torch.optim.SGD(module.parameters(), lr=LR),
    )

    def finding(step: int, before: nn.Module, theirs: Results, results: Callable) -> Finding:
        error = largest({name: heap.read(name, v.size) for name, v in theirs.items()}, theirs)
        own = own_error(before, results) if error > LIMITS[precision] else 0.0
        return Finding(net.key, precision, size, step, error, own)

    for step in range(STEPS):
        x, y = images(size, step, net.image_shape)
        heap.load(module, x, y)
        heap.run("gradient", size)
        results, before = partial(torch_step, x=x, y=y, loss=net.loss), copy.deepcopy(module)
        yield finding(step, before, results(module), results)
        optimizer.step()
    x, y = images(size, STEPS, net.image_shape)
    heap.load(module, x, y)
    heap.run("evaluation", size)
    results = partial(torch_evaluation, x=x, y=y, loss=net.loss)
    yield finding(-1, module, results(module), results)


def findings(
    store: Store, nets: Iterable[Net], precisions: Iterable[str], sizes: Iterable[int] = BATCHES
) -> Iterator[Finding]:
    """Compare nets at each precision and at each batch size for which they are defined."""
    precisions, sizes = tuple(precisions), tuple(sizes)
    for net in nets:
        for size in sizes:
            if is_defined(net, size):
                for precision in precisions:
                    yield from compared(store, net, precision, size)
