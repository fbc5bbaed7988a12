"""Nets to compile in tests, and one step of them in PyTorch."""

import json
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from bnlab.compiled.catalogue import OPTIONS
from bnlab.compiled.machine import Machine
from bnlab.compiled.nets import Net, Store
from bnlab.compiled.program import moved
from bnlab.compiled.step import State, inputs_of
from bnlab.compiled.update import UPDATES, update_of
from bnlab.data import digits

BATCHES = (1, 3, 4, 32, 256)
CONV_OPTIONS = {
    "ghost_batch": {"ghost_size": 4},
    "group": {"group_size": 4},
    "evonorm_s0": {"group_size": 4},
}


def net_of(kind: str, norm: str, depth: int, width: int) -> Net:
    options = (OPTIONS if kind == "mlp" else CONV_OPTIONS).get(norm, {})
    return Net(kind, depth, width, norm, json.dumps(options))


def batch(size: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    numbers = np.random.default_rng(seed).integers(0, 1197, size)
    data = digits()
    return data.train_x[numbers], data.train_y[numbers]


@dataclass
class Heap:
    """A net's program in wasmtime, its vectors set and read by name."""

    machine: Machine
    programs: object
    starts: list[int]
    update_end: int

    @classmethod
    def of(cls, store: Store, net: Net, precision: str, update: str = "sgd") -> "Heap":
        programs = store.nets[net.key]
        codes = [programs.gradient.code, programs.evaluation.code]
        codes.append(moved(store.updates[update], programs.gradient.places))
        place = max(programs.gradient.heap, programs.evaluation.heap)
        machine = Machine(store.modules[precision], precision, place + sum(map(len, codes)) + 9)
        starts = []
        for code in codes:
            starts.append(place)
            place = machine.write_code(place, code)
        return cls(machine, programs, starts, len(codes[2]))

    @property
    def places(self) -> dict[str, int]:
        return self.programs.gradient.places

    def read(self, name: str, count: int) -> np.ndarray:
        return self.machine.read(self.places[name], count).astype(float)

    def load(self, module: nn.Module, x: np.ndarray, y: np.ndarray) -> None:
        params, buffers, counters = State.of(module).vectors(module)
        for name, values in (("params", params), ("buffers", buffers), ("x", x)):
            self.machine.write(self.places[name], np.asarray(values))
        self.machine.write_whole(self.places["counters"], counters.numpy())
        self.machine.write_whole(self.places["y"], y)
        self.set(inputs_of(module))

    def set(self, inputs: dict[str, float]) -> None:
        for name, value in inputs.items():
            self.machine.write_double(self.places[name], value)

    def gradient(self, count: int) -> None:
        self.machine.run(count, self.starts[0], self.programs.gradient.ends[-1])

    def update(self, params: int) -> None:
        self.machine.run(params, self.starts[2], self.update_end)

    def evaluation(self, count: int) -> None:
        self.machine.run(count, self.starts[1], self.programs.evaluation.ends[-1])


def flat(tensors) -> np.ndarray:
    parts = [t.detach().double().numpy().ravel() for t in tensors]
    return np.concatenate(parts) if parts else np.zeros(0)


def torch_step(module: nn.Module, x: np.ndarray, y: np.ndarray, loss=cross_entropy) -> dict:
    """Loss, accuracy, gradient and statistics of one step, by autograd."""
    dtype = next(module.parameters()).dtype
    x, y = torch.tensor(x, dtype=dtype), torch.tensor(y)
    module.train().zero_grad()
    logits = module(x)
    value = loss(logits, y)
    value.backward()
    state = State.of(module)
    buffers = dict(module.named_buffers())
    return {
        "loss": np.array([value.item()]),
        "accuracy": np.array([(logits.argmax(1) == y).double().mean().item()]),
        "gradient": flat(p.grad for p in module.parameters()),
        "buffers": flat(buffers[name] for name in state.buffers.names),
    }


def optimizer_of(run_optimizer: str, options: dict, lr: float):
    name, inputs = update_of(run_optimizer, lr, options)
    return name, {**inputs, **dict.fromkeys(UPDATES[name].powers, 1.0)}


def relative(mine: np.ndarray, theirs: np.ndarray) -> float:
    """Largest difference over the largest number (of a vector of near zeros: over 1e-3)."""
    if not theirs.size:
        return 0.0
    return float(np.abs(mine - theirs).max() / max(np.abs(theirs).max(), 1e-3))
