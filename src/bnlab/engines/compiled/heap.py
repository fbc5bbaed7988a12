"""The programs of a net in a machine: their code, tensors by name, and room for the host."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from torch import Tensor, from_numpy, nn

from bnlab.engines.compiled.native.machine import machine_for
from bnlab.engines.compiled.nets import Net, Store
from bnlab.engines.compiled.step import State

ALIGNED = 4
"""The host's parts begin at multiples of so many words."""

SPARE = 16
"""Words behind the last code."""


class Heap:
    """What a machine works on, in this order: heap of the programs, host's parts, codes.

    Args:
        store: has the programs of the net and their kernels.
        net: whose tensors the heap holds.
        precision: ``float32`` or ``float64``.
        codes: what can be run, by name.
        parts: names and words of what the host needs beside the tensors.
        seconds: about how long the training will take.

    Attributes:
        programs: of the net.
        places: word offsets of the tensors.
        at: word offsets of the host's parts.
        starts, lengths: of the codes, in words of the heap and of the code.
        machine: holds all of it.
    """

    def __init__(
        self,
        store: Store,
        net: Net,
        precision: str,
        codes: Mapping[str, Sequence[int]],
        parts: Mapping[str, int] | None = None,
        seconds: float = 0.0,
    ) -> None:
        self.programs = store.nets[net.key]
        self.places, place = self.programs.gradient.places, self.programs.heap
        self.at: dict[str, int] = {}
        for name, words in (parts or {}).items():
            self.at[name], place = place, place + -(-words // ALIGNED) * ALIGNED
        self.starts: dict[str, int] = {}
        self.lengths = {name: len(code) for name, code in codes.items()}
        size = place + sum(self.lengths.values()) + SPARE
        self.machine = machine_for(store.modules[precision], precision, size, seconds)
        for name, code in codes.items():
            self.starts[name] = place
            place = self.machine.write_code(place, code)

    def read(self, name: str, count: int) -> np.ndarray:
        """A copy of ``count`` real numbers of a tensor."""
        return self.machine.read(self.places[name], count)

    def write(self, name: str, values: np.ndarray | Sequence[float]) -> None:
        """Set a tensor of real numbers."""
        self.machine.write(self.places[name], values)

    def set(self, inputs: Mapping[str, float]) -> None:
        """Set inputs that may change from step to step."""
        for name, value in inputs.items():
            self.machine.write_double(self.places[name], value)

    def write_batch(self, x: np.ndarray, y: np.ndarray) -> None:
        """Set the images (B, C, H, W) and the labels (B,) of a batch."""
        self.write("x", x)
        self.machine.write_whole(self.places["y"], y)

    def write_state(self, net: nn.Module) -> None:
        """Take parameters, statistics and counters of a net in PyTorch."""
        params, buffers, counters = State.of(net).vectors(net)
        self.write("params", params.numpy())
        self.write("buffers", buffers.numpy())
        self.machine.write_whole(self.places["counters"], counters.numpy())

    def read_state(self, state: State) -> dict[str, Tensor]:
        """Parameters, statistics and counters as they are now, by their names in the net."""
        parts = {"params": state.params, "buffers": state.buffers, "counters": state.counters}
        tensors: dict[str, Tensor] = {}
        for name, packing in parts.items():
            read = self.machine.read_whole if name == "counters" else self.machine.read
            tensors |= packing.unpack(from_numpy(read(self.places[name], sum(packing.sizes))))
        return tensors

    def run(self, which: str, count: int, end: int | None = None, first: int = 0) -> None:
        """Run a code, or its words ``first`` to ``end``, for ``count`` samples or numbers."""
        end = self.lengths[which] if end is None else end
        self.machine.run(count, self.starts[which], end, first)
