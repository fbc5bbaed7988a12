"""Training with compiled programs: the same steps as ``bnlab.train.Trainer``, many times faster.

Weights, batches and noise come from ``bnlab.random``, and every operation is a WebAssembly
instruction: the same Run gives the same bits on every machine, and in a browser.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator
from itertools import islice

import numpy as np
import torch

from bnlab.compiled import artefact
from bnlab.compiled.build import has_compiler
from bnlab.compiled.machine import Machine
from bnlab.compiled.nets import Net, Store, compiled_here
from bnlab.compiled.program import LARGEST_BATCH, moved
from bnlab.compiled.step import State, inputs_of
from bnlab.compiled.update import UPDATES, update_of
from bnlab.train.history import DIVERGED, Step
from bnlab.train.loop import Trainer
from bnlab.train.run import Run

BLOCK = 64
"""Steps between two returns to Python."""


def store_for(net: Net, precision: str) -> Store:
    """The committed programs if they have this net, else one compiled now.

    Raises:
        ValueError: if the net is not among them and there is no compiler.
    """
    store = artefact.load()
    if net.key in store.nets and precision in store.modules:
        return store
    if not has_compiler():
        raise ValueError(
            f"the net '{net.key}' is not among the compiled nets of the book. Install ziglang to "
            "compile it (pip install ziglang), or train with engine='torch'."
        )
    return compiled_here(net, precision)


class CompiledTrainer(Trainer):
    """One net in training on the compiled engine; see ``Trainer``.

    Raises:
        ValueError: as ``Trainer``, and for a Run that is not supported: other images than 8 x 8,
            a larger batch than a program has room for, an optimizer option that is not compiled,
            or a net that is not compiled where there is no compiler.
    """

    engine = "compiled"

    def __init__(self, run: Run, device: str = "auto") -> None:
        if device not in ("auto", "cpu"):
            raise ValueError(f"engine='compiled' runs on the CPU, got device={device!r}.")
        super().__init__(run, "cpu")
        self._check_sizes()
        net = Net.of(run)
        self.store = store_for(net, run.precision)
        programs = self.store.nets[net.key]
        self.programs, self.places = programs, programs.gradient.places
        self.state = State.of(self.net)
        self.update_name, self.options = update_of(run.optimizer, run.lr, run.optimizer_options)
        self.machine = self._machine()
        self._load_state()

    @property
    def versions(self) -> dict[str, str]:
        """The kernels, whose hash stands for all that the bits depend on."""
        return {"kernels": self.store.digest}

    def _check_sizes(self) -> None:
        data = self.data
        largest = max(len(data.val_x), len(data.test_x), self.run.batch_size)
        if max(data.image_shape) > 8 or largest > LARGEST_BATCH:
            raise ValueError(
                f"engine='compiled' takes images of 8 x 8 and {LARGEST_BATCH} of them at once; "
                f"this Run has images {data.image_shape} and needs {largest}. "
                "Train with engine='torch'."
            )

    # ------------------------------------------------------------------------ heap

    def _machine(self) -> Machine:
        run, data = self.run, self.data
        code = [self.programs.gradient.code, self.programs.evaluation.code]
        code.append(moved(self.store.updates[self.update_name], self.places))
        features = math.prod(data.image_shape)
        heap = max(self.programs.gradient.heap, self.programs.evaluation.heap)
        parts = {
            "task": 16,
            "record": 2 * BLOCK,
            "numbers": BLOCK * run.batch_size,
            "labels": len(data.train_y),
            "images": data.train_x.size,
        }
        at = {}
        for name, count in parts.items():
            at[name], heap = heap, heap + -(-count // 4) * 4
        machine = Machine(
            self.store.modules[run.precision], run.precision, heap + sum(map(len, code)) + 16
        )
        self.starts = []
        for program in code:
            self.starts.append(heap)
            heap = machine.write_code(heap, program)
        machine.write(at["images"], data.train_x)
        machine.write_whole(at["labels"], data.train_y)
        self.at, self.lengths = at, list(map(len, code))
        machine.write_code(at["task"], self._task(features))
        return machine

    def _task(self, features: int) -> list[int]:
        at, places = self.at, self.places
        gradient, _, update = self.starts
        return [
            *(self.run.batch_size, sum(self.state.params.sizes)),
            *(gradient, self.programs.gradient.ends[1], update, self.lengths[2]),
            *(places["x"], places["y"], features, at["images"], at["labels"], at["numbers"]),
            *(places["loss"], places["accuracy"], at["record"]),
        ]

    def _load_state(self) -> None:
        params, buffers, counters = self.state.vectors(self.net)
        self.machine.write(self.places["params"], params.numpy())
        self.machine.write(self.places["buffers"], buffers.numpy())
        self.machine.write_whole(self.places["counters"], counters.numpy())
        ones = dict.fromkeys(UPDATES[self.update_name].powers, 1.0)
        for name, value in {**self.inputs, **ones}.items():
            self.machine.write_double(self.places[name], value)

    @property
    def inputs(self) -> dict[str, float]:
        """What may change from step to step: lr and the like, limits, strength of noise."""
        return {**inputs_of(self.net), **self.options}

    # --------------------------------------------------------------------- training

    def update(self, numbers: np.ndarray) -> tuple[float, float]:
        """One step of gradient descent; loss and accuracy of the batch before it."""
        return tuple(self._block([numbers], math.inf)[0])

    def _block(self, batches: list[np.ndarray], limit: float) -> np.ndarray:
        self.machine.write_whole(self.at["numbers"], np.concatenate(batches))
        taken = self.machine.steps(self.at["task"], len(batches), limit)
        return self.machine.read(self.at["record"], 2 * taken).reshape(-1, 2).tolist()

    def evaluated(self, x: np.ndarray, y: np.ndarray, batch_statistics: bool) -> tuple:
        """Loss and accuracy on any images, at most ``LARGEST_BATCH``; the net stays as it was."""
        machine, which = self.machine, 0 if batch_statistics else 1
        machine.write(self.places["x"], x)
        machine.write_whole(self.places["y"], y)
        program = (self.programs.gradient, self.programs.evaluation)[which]
        machine.run(len(x), self.starts[which], program.ends[0])
        return tuple(machine.read(self.places["loss"], 2).tolist())

    def look(self, step: int, loss: float, accuracy: float) -> Step:
        """A record with an evaluation on the validation images."""
        x, y = self.data.val_x, self.data.val_y
        _, val = self.evaluated(x, y, False)
        train_mode = self.evaluated(x, y, True)[1] if self.batch_dependent else val
        return Step(step, loss, accuracy, val, train_mode)

    def loss_now(self, numbers: np.ndarray) -> float:
        """Loss of a batch with the weights as they are, in training mode; nothing moves."""
        return self.evaluated(self.data.train_x[numbers], self.data.train_y[numbers], True)[0]

    def last_metrics(self) -> dict[str, float | np.ndarray]:
        """Of the last batch, before its update: ``norm`` of the gradient, ``layers`` (L, 3).

        A row of ``layers`` is mean, variance and share of dead units, as ``measure_signals``.
        """
        _, first, end = self.programs.gradient.ends
        self.machine.run(self.run.batch_size, self.starts[0], end, first)
        layers = self.machine.read(self.places["layers"], self.programs.gradient.sizes["layers"])
        norm = float(self.machine.read(self.places["norm"], 1)[0])
        return {"norm": norm, "layers": layers.reshape(-1, 3)}

    def test_accuracy(self) -> float:
        """Accuracy on the test images in evaluation mode."""
        return self.evaluated(self.data.test_x, self.data.test_y, False)[1]

    def steps(self, looks: bool = True) -> Iterator[Step]:
        """Train; the records of ``Trainer.steps``, of up to ``BLOCK`` steps at a time."""
        run, done, limit = self.run, 0, math.inf
        yield self.look(0, math.nan, math.nan) if looks else Step(0, math.nan, math.nan)
        while done < run.steps:
            # The first step alone: it says what divergence is.
            count = 1 if done == 0 else min(BLOCK, run.steps - done)
            if looks:
                count = min(count, run.eval_every - done % run.eval_every)
            batches = list(islice(self.batches, count))
            records = self._block(batches, limit)
            if done == 0:
                limit = min(DIVERGED * records[0][0], sys.float_info.max)
            for loss, accuracy in records:
                done += 1
                if not loss <= limit:
                    yield Step(done - 1, loss, accuracy, diverged=True)
                    return
                is_look = looks and (done % run.eval_every == 0 or done == run.steps)
                yield (self.look if is_look else Step)(done, loss, accuracy)
        after = self.loss_now(batches[-1])
        if not after <= limit:
            yield Step(run.steps, after, math.nan, diverged=True)

    # ------------------------------------------------------------------------- state

    def trained(self) -> torch.nn.Module:
        """The net with the weights and statistics of now, in PyTorch."""
        parts = (self.state.params, self.state.buffers, self.state.counters)
        tensors: dict[str, torch.Tensor] = {}
        for name, packing in zip(("params", "buffers", "counters"), parts, strict=True):
            read = self.machine.read_whole if name == "counters" else self.machine.read
            vector = torch.from_numpy(read(self.places[name], sum(packing.sizes)))
            tensors |= packing.unpack(vector)
        self.net.load_state_dict(tensors)
        return self.net
