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

from bnlab.engines.compiled import artefact
from bnlab.engines.compiled.compiler.build import has_compiler
from bnlab.engines.compiled.compiler.program import LARGEST_BATCH, moved
from bnlab.engines.compiled.machine import Machine
from bnlab.engines.compiled.nets import NORM, Net, Store, compiled_here
from bnlab.engines.compiled.step import State, inputs_of
from bnlab.engines.compiled.tensorwise import constrained_names
from bnlab.engines.compiled.update import UPDATES, update_of
from bnlab.engines.eager import Trainer
from bnlab.optim import LAWN
from bnlab.runs.history import DIVERGED, Step
from bnlab.runs.optimizers import BASES
from bnlab.runs.run import Run

BLOCK = 64
"""Steps between two returns to Python."""


def store_for(net: Net, precision: str, extras: tuple[str, ...] = ()) -> Store:
    """The committed programs if they are enough, else what is compiled now.

    Raises:
        ValueError: if the net is not among them and there is no compiler.
    """
    store = artefact.store_with(net.key)
    if store and precision in store.modules and not extras:
        return store
    if not has_compiler():
        with_what = f" with {' and '.join(extras)}" if extras else ""
        raise ValueError(
            f"the net '{net.key}'{with_what} is not among the compiled nets of the book. Install "
            "ziglang to compile it (pip install ziglang), or train with engine='torch'."
        )
    return compiled_here(net, precision, extras)


def is_ready(run: Run) -> bool:
    """Whether a Run trains on the committed programs, without a compiler."""
    is_plain = run.clip is None and run.optimizer in BASES and run.augment == "none"
    fits = run.batch_size <= LARGEST_BATCH and not run.optimizer_options.get("dampening")
    return is_plain and fits and artefact.store_with(Net.of(run).key) is not None


class CompiledTrainer(Trainer):
    """One net in training on the compiled engine; see ``Trainer``.

    Raises:
        ValueError: as ``Trainer``, and for a Run that is not supported: other images than 8 x 8,
            augmentation, a larger batch than a program has room for, an optimizer option that is
            not compiled, or a net that is not compiled where there is no compiler.
    """

    engine = "compiled"

    def __init__(self, run: Run, device: str = "auto") -> None:
        if device not in ("auto", "cpu"):
            raise ValueError(f"engine='compiled' runs on the CPU, got device={device!r}.")
        if run.augment != "none":
            raise ValueError(
                f"engine='compiled' does not augment images, got augment={run.augment!r}; "
                "train with engine='torch'."
            )
        super().__init__(run, "cpu")
        self._check_sizes()
        self.state = State.of(self.net)
        self.update_name, self.options = update_of(run.optimizer, run.lr, run.optimizer_options)
        if run.clip is not None:
            self.options |= {"clip": run.clip}
        net, self.lawn = Net.of(run), self._lawn()
        extras = (*(["clip"] if run.clip is not None else []), *([self.lawn] if self.lawn else []))
        self.store = store_for(net, run.precision, extras)
        self.programs = self.store.nets[net.key]
        self.places = self.programs.gradient.places
        self.taken, self.fresh = 0, False
        self.machine = self._machine()
        self._load_state()

    def _lawn(self) -> str | None:
        # The name of the constrained step, see ``bnlab.engines.compiled.tensorwise``.
        if not isinstance(self.optimizer, LAWN) or self.optimizer.free_steps is None:
            return None
        return f"lawn {self.run.optimizer_options.get('part', 'all')} {self.update_name}"

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

    def _codes(self) -> dict[str, list[int] | tuple[int, ...]]:
        programs, updates = self.programs, self.store.updates
        clip = [*programs.extras["clip"].code] if "clip" in programs.extras else []
        codes = {
            "gradient": programs.gradient.code,
            "evaluation": programs.evaluation.code,
            "norm": moved(updates[NORM], self.places),
            "update": clip + moved(updates[self.update_name], self.places),
        }
        if self.lawn:
            codes["constrained"] = [*clip, *programs.extras[self.lawn].code]
        return codes

    def _machine(self) -> Machine:
        run, data, codes, heap = self.run, self.data, self._codes(), self.programs.heap
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
        size = heap + sum(map(len, codes.values())) + 16
        machine = Machine(self.store.modules[run.precision], run.precision, size)
        self.starts, self.lengths = {}, {name: len(code) for name, code in codes.items()}
        for name, code in codes.items():
            self.starts[name] = heap
            heap = machine.write_code(heap, code)
        machine.write(at["images"], data.train_x)
        machine.write_whole(at["labels"], data.train_y)
        self.at = at
        machine.write_code(at["task"], self._task("update"))
        return machine

    def _task(self, update: str) -> list[int]:
        at, places, starts = self.at, self.places, self.starts
        return [
            *(self.run.batch_size, sum(self.state.params.sizes)),
            *(starts["gradient"], self.programs.gradient.ends[1]),
            *(starts[update], self.lengths[update]),
            *(places["x"], places["y"], math.prod(self.data.image_shape)),
            *(at["images"], at["labels"], at["numbers"]),
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

    def update(self, numbers: np.ndarray, step: int = 1) -> tuple[float, float]:
        """One step of gradient descent; loss and accuracy of the batch before it.

        ``step`` changes nothing: images are not augmented here.
        """
        return tuple(self._block([numbers], math.inf)[0])

    def _block(self, batches: list[np.ndarray], limit: float) -> list[list[float]]:
        if self._free_steps_left == 0:
            self._constrain()
        self.machine.write_whole(self.at["numbers"], np.concatenate(batches))
        taken = self.machine.steps(self.at["task"], len(batches), limit)
        self.taken, self.fresh = self.taken + taken, True
        return self.machine.read(self.at["record"], 2 * taken).reshape(-1, 2).tolist()

    @property
    def _free_steps_left(self) -> float:
        """Steps until LAWN constrains the norms; infinite without it, negative after that."""
        return self.optimizer.free_steps - self.taken if self.lawn else math.inf

    def _constrain(self) -> None:
        norms = []
        params = self.machine.read(self.places["params"], sum(self.state.params.sizes))
        parts = np.split(params.astype(float), np.cumsum(self.state.params.sizes)[:-1])
        tensors = dict(zip(self.state.params.names, parts, strict=True))
        for name in constrained_names(self.net, self.lawn.split()[1]):
            # Exact sums: the same bits on every machine.
            norms.append(math.sqrt(math.fsum(tensors[name] * tensors[name])))
            if not 0 < norms[-1] < math.inf:
                raise ValueError(
                    f"parameter {name} has norm {norms[-1]}: it has no direction to constrain. Use "
                    "a longer free phase, or do not constrain it."
                )
        self.machine.write(self.programs.extras[self.lawn].places["norms"], norms)
        self.machine.write_code(self.at["task"], self._task("constrained"))

    def evaluated(self, x: np.ndarray, y: np.ndarray, batch_statistics: bool) -> tuple:
        """Loss and accuracy on any images, at most ``LARGEST_BATCH``; the net stays as it was."""
        machine, which = self.machine, "gradient" if batch_statistics else "evaluation"
        machine.write(self.places["x"], x)
        machine.write_whole(self.places["y"], y)
        machine.run(len(x), self.starts[which], getattr(self.programs, which).ends[0])
        self.fresh = False
        return tuple(machine.read(self.places["loss"], 2).tolist())

    def gradient(self, x: np.ndarray, y: np.ndarray) -> tuple[float, float, np.ndarray]:
        """Loss, accuracy and gradient (P,) of any batch in training mode.

        The running statistics move, as in a step; the weights do not.
        """
        machine = self.machine
        machine.write(self.places["x"], x)
        machine.write_whole(self.places["y"], y)
        machine.run(len(x), self.starts["gradient"], self.programs.gradient.ends[1])
        self.fresh = False
        loss, accuracy = machine.read(self.places["loss"], 2).tolist()
        count = sum(self.state.params.sizes)
        return loss, accuracy, machine.read(self.places["gradient"], count)

    def look(self, step: int, loss: float, accuracy: float) -> Step:
        """A record with an evaluation on the validation images."""
        x, y = self.data.val_x, self.data.val_y
        _, val = self.evaluated(x, y, False)
        train_mode = self.evaluated(x, y, True)[1] if self.batch_dependent else val
        return Step(step, loss, accuracy, val, train_mode)

    def loss_now(self, numbers: np.ndarray, step: int = 1) -> float:
        """Loss of a batch with the weights as they are, in training mode; nothing moves."""
        return self.evaluated(self.data.train_x[numbers], self.data.train_y[numbers], True)[0]

    def last_metrics(self) -> dict[str, float | np.ndarray]:
        """Of the last batch, before its update: ``norm`` of the gradient, ``layers`` (L, 3).

        A row of ``layers`` is mean, variance and share of dead units, as ``measure_signals``.

        Raises:
            RuntimeError: if something else was evaluated since.
        """
        if not self.fresh:
            raise RuntimeError("the last batch is gone: ask for its metrics right after update().")
        _, first, end = self.programs.gradient.ends
        self.machine.run(self.run.batch_size, self.starts["gradient"], end, first)
        count = sum(self.state.params.sizes)
        self.machine.run(count, self.starts["norm"], self.lengths["norm"])
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
            if self._free_steps_left > 0:
                count = min(count, self._free_steps_left)
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
        after = self.loss_now(batches[-1], run.steps)
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
