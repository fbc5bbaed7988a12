"""Training with compiled programs: the same steps as ``bnlab.train.Trainer``, many times faster.

Weights, batches and noise come from ``bnlab.random``, and every operation is a WebAssembly
instruction: the same Run gives the same bits on every machine, and in a browser.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import ClassVar

import numpy as np
import torch
from torch import nn

from bnlab.engines.compiled.heap import Heap
from bnlab.engines.compiled.nets import NORM, Net, Store
from bnlab.engines.compiled.program import LARGEST_BATCH, LARGEST_SIDE, moved
from bnlab.engines.compiled.step import State, inputs_of
from bnlab.engines.compiled.stores import refusal, store_for
from bnlab.engines.compiled.tensorwise import constrained_names
from bnlab.engines.compiled.update import UPDATES, update_of
from bnlab.engines.engine import Array, Engine, check_defined, depends_on_batch
from bnlab.optim import LAWN
from bnlab.runs.build import build, training_batches, training_data
from bnlab.runs.cost import flop_of_step
from bnlab.runs.optimizers import by_parts, make_optimizer
from bnlab.runs.run import Run

BLOCK = 64
"""Steps between two returns to Python."""

SPEED = 14e9
"""About how many multiplications and additions ``wasmtime`` does in a second."""


class CompiledTrainer(Engine):
    """One net in training on the compiled engine; see ``Engine``.

    ``net`` is a copy in PyTorch, made when it is asked for after the weights have moved: what is
    changed in it does not reach the training.

    Raises:
        ValueError: as ``Trainer``, and for a Run that is not supported: images of more than 16 x 16
            pixels, augmentation, a larger batch than a program has room for, an optimizer option
            that is not compiled, or a net that is not compiled where there is no compiler.
    """

    engine: ClassVar[str] = "compiled"

    def __init__(self, run: Run, device: str = "auto") -> None:
        if device not in ("auto", "cpu"):
            raise ValueError(f"engine='compiled' runs on the CPU, got device={device!r}.")
        if why := refusal(run):
            raise ValueError(f"engine='compiled' {why}: train with engine='torch'.")
        self.run, self.device, self.data = run, torch.device("cpu"), training_data(run)
        self.batches = training_batches(run, self.data.train_y)
        self._net = build(run)
        free_steps = self._checked_by_torch()
        self._check_sizes()
        self.batch_dependent = depends_on_batch(self._net)
        self.state = State.of(self._net)
        self.update_name, self.options = update_of(run.optimizer, run.lr, run.optimizer_options)
        if run.clip is not None:
            self.options |= {"clip": run.clip}
        # Names of extras, see ``bnlab.engines.compiled.tensorwise``: what comes before any update,
        # and LAWN's constrained step.
        parts = by_parts(run.optimizer_options)
        self.parts = None if parts == ("all", "all") else f"parts {' '.join(parts)}"
        self.before = ["clip"] * (run.clip is not None) + [self.parts] * (self.parts is not None)
        self.part_of_lawn = run.optimizer_options.get("part", "all")
        is_free = free_steps is None
        self.lawn = None if is_free else f"lawn {self.part_of_lawn} {self.update_name}"
        self.free_steps = math.inf if is_free else free_steps
        self.heap = self._filled()
        self.machine, self.places = self.heap.machine, self.heap.places
        # Whether the machine still holds the last batch; whether it is ahead of ``_net``.
        self.taken, self.is_fresh, self.is_ahead = 0, False, False

    def _checked_by_torch(self) -> int | None:
        """Let torch refuse what it refuses in ``Trainer``; LAWN's free steps, None without end."""
        run, count = self.run, self.run.batch_size
        optimizer = make_optimizer(run.optimizer, self._net, run.lr, **run.optimizer_options)
        x = torch.tensor(self.data.train_x[:count], dtype=getattr(torch, run.precision))
        check_defined(self._net, x, torch.tensor(self.data.train_y[:count]))
        return optimizer.free_steps if isinstance(optimizer, LAWN) else None

    def _check_sizes(self) -> None:
        data = self.data
        largest = max(len(data.val_x), len(data.test_x), self.run.batch_size)
        if max(data.image_shape[1:]) > LARGEST_SIDE or largest > LARGEST_BATCH:
            raise ValueError(
                f"engine='compiled' takes images of {LARGEST_SIDE} x {LARGEST_SIDE}, and "
                f"{LARGEST_BATCH} of them at once; "
                f"this Run has images {data.image_shape} and needs {largest}. "
                "Train with engine='torch'."
            )

    # ------------------------------------------------------------------------ heap

    def _filled(self) -> Heap:
        """A heap with the programs and the data, at the start of the training."""
        run, data, net = self.run, self.data, Net.of(self.run)
        extras = (*self.before, *([self.lawn] if self.lawn else []))
        store = store_for(net, run.precision, extras)
        self.versions = {"kernels": store.digest}  # all that the bits depend on
        parts = {
            "task": 16,
            "record": 2 * BLOCK,
            "numbers": BLOCK * run.batch_size,
            "labels": len(data.train_y),
            "images": data.train_x.size,
        }
        codes = self._codes(store, net)
        heap = Heap(store, net, run.precision, codes, parts, self._seconds())
        self.versions["machine"] = heap.machine.name  # the bits do not depend on it
        heap.machine.write(heap.at["images"], data.train_x)
        heap.machine.write_whole(heap.at["labels"], data.train_y)
        heap.machine.write_code(heap.at["task"], self._task(heap, "update"))
        heap.write_state(self._net)
        if self.parts:  # the update that follows has no decay of its own
            at = heap.programs.extras[self.parts].places["norms"]
            heap.machine.write_double(at, self.options["weight_decay"])
            self.options["weight_decay"] = 0.0
        heap.set({**self.inputs, **dict.fromkeys(UPDATES[self.update_name].powers, 1.0)})
        return heap

    def _seconds(self) -> float:
        """About how long the training takes in ``wasmtime``."""
        return flop_of_step(self.run, self._net) * self.run.steps / SPEED

    def _codes(self, store: Store, net: Net) -> dict[str, Sequence[int]]:
        programs, updates = store.nets[net.key], store.updates
        places = programs.gradient.places
        before = [word for name in self.before for word in programs.extras[name].code]
        codes = {
            "gradient": programs.gradient.code,
            "evaluation": programs.evaluation.code,
            "norm": moved(updates[NORM], places),
            "update": before + moved(updates[self.update_name], places),
        }
        if self.lawn:
            codes["constrained"] = [*before, *programs.extras[self.lawn].code]
        return codes

    def _task(self, heap: Heap, update: str) -> list[int]:
        at, places, starts = heap.at, heap.places, heap.starts
        return [
            *(self.run.batch_size, sum(self.state.params.sizes)),
            *(starts["gradient"], heap.programs.gradient.ends[1]),
            *(starts[update], heap.lengths[update]),
            *(places["x"], places["y"], math.prod(self.data.image_shape)),
            *(at["images"], at["labels"], at["numbers"]),
            *(places["loss"], places["accuracy"], at["record"]),
        ]

    @property
    def inputs(self) -> dict[str, float]:
        """What may change from step to step: lr and the like, limits, strength of noise."""
        return {**inputs_of(self._net), **self.options}

    @property
    def net(self) -> nn.Module:
        """The net in PyTorch, with the weights and the statistics of now; see ``Engine``."""
        if self.is_ahead:
            self._net.load_state_dict(self.heap.read_state(self.state))
            self.is_ahead = False
        return self._net

    # --------------------------------------------------------------------- training

    def part(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """Images and labels of a part of the data."""
        return getattr(self.data, f"{name}_x"), getattr(self.data, f"{name}_y")

    def batch(self, numbers: np.ndarray, step: int) -> tuple[np.ndarray, np.ndarray]:
        """Images and labels of a batch, the same at each ``step``: nothing is augmented here."""
        return self.data.train_x[numbers], self.data.train_y[numbers]

    @property
    def room(self) -> int:
        """Steps that the next block may have: LAWN's last free step ends one."""
        return min(BLOCK, self.free_steps - self.taken) if self.taken < self.free_steps else BLOCK

    def update(self, numbers: np.ndarray, step: int = 1) -> tuple[float, float]:
        """One step of gradient descent; loss and accuracy of the batch before it."""
        return tuple(self.block([numbers], step, math.inf)[0])

    def block(self, batches: Sequence[np.ndarray], step: int, limit: float) -> list[list[float]]:
        """Some steps of gradient descent, see ``Engine``; their number does not matter here."""
        if self.taken == self.free_steps:
            self._constrain()
        at = self.heap.at
        self.machine.write_whole(at["numbers"], np.concatenate(batches))
        taken = self.machine.steps(at["task"], len(batches), limit)
        self.taken, self.is_fresh, self.is_ahead = self.taken + taken, True, True
        return self.machine.read(at["record"], 2 * taken).reshape(-1, 2).tolist()

    def _constrain(self) -> None:
        norms = []
        params = self.heap.read("params", sum(self.state.params.sizes))
        parts = np.split(params.astype(float), np.cumsum(self.state.params.sizes)[:-1])
        tensors = dict(zip(self.state.params.names, parts, strict=True))
        for name in constrained_names(self._net, self.part_of_lawn):
            # Exact sums: the same bits on every machine.
            norms.append(math.sqrt(math.fsum(tensors[name] * tensors[name])))
            if not 0 < norms[-1] < math.inf:
                raise ValueError(
                    f"parameter {name} has norm {norms[-1]}: it has no direction to constrain. Use "
                    "a longer free phase, or do not constrain it."
                )
        self.machine.write(self.heap.programs.extras[self.lawn].places["norms"], norms)
        self.machine.write_code(self.heap.at["task"], self._task(self.heap, "constrained"))

    def evaluate(self, x: Array, y: Array, batch_statistics: bool = False) -> tuple[float, float]:
        """Loss and accuracy; see ``Engine``.

        Raises:
            ValueError: for batch statistics of more than ``LARGEST_BATCH`` images.
        """
        programs = self.heap.programs
        if batch_statistics:
            self._run("gradient", x, y, programs.gradient.ends[0])
            return tuple(self.heap.read("loss", 2).tolist())
        found = []
        for first in range(0, len(x), LARGEST_BATCH):
            part = slice(first, first + LARGEST_BATCH)
            self._run("evaluation", x[part], y[part], programs.evaluation.ends[0])
            found.append(self.heap.read("loss", 2).tolist())
        if len(found) == 1:
            return tuple(found[0])
        counts = [min(LARGEST_BATCH, len(x) - LARGEST_BATCH * k) for k in range(len(found))]
        return tuple(np.average(found, axis=0, weights=counts).tolist())

    def _run(self, which: str, x: Array, y: Array, end: int) -> None:
        if len(x) > LARGEST_BATCH:
            raise ValueError(
                f"engine='compiled' has room for {LARGEST_BATCH} images at once, got {len(x)}: "
                "give them in parts, or train with engine='torch'."
            )
        self.heap.write_batch(x, y)
        self.heap.run(which, len(x), end)
        self.is_fresh = False

    def gradient(self, x: Array, y: Array) -> tuple[float, float, np.ndarray]:
        """Loss, accuracy and gradient (P,) of any batch in training mode; see ``Engine``."""
        self._run("gradient", x, y, self.heap.programs.gradient.ends[1])
        self.is_ahead = True
        loss, accuracy = self.heap.read("loss", 2).tolist()
        return loss, accuracy, self.heap.read("gradient", sum(self.state.params.sizes))

    def last_metrics(self) -> dict[str, float | np.ndarray]:
        """Of the last batch, before its update: ``norm`` of the gradient, ``layers`` (L, 3).

        A row of ``layers`` is mean, variance and share of dead units, as ``measure_signals``. Of a
        binary net there are ``signs`` instead, what ``sign_metrics`` says of one after the other.

        Raises:
            RuntimeError: if something else was evaluated since.
        """
        if not self.is_fresh:
            raise RuntimeError("the last batch is gone: ask for its metrics right after update().")
        gradient = self.heap.programs.gradient
        _, first, end = gradient.ends
        self.heap.run("gradient", self.run.batch_size, end, first)
        self.heap.run("norm", sum(self.state.params.sizes))
        layers = self.heap.read("layers", gradient.sizes["layers"])
        told = {"signs": layers} if self.run.net == "binary" else {"layers": layers.reshape(-1, 3)}
        return {"norm": float(self.heap.read("norm", 1)[0]), **told}
