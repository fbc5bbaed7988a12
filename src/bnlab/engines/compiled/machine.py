"""A WebAssembly module with its heap, in this process, by ``wasmtime``."""

from __future__ import annotations

import atexit
import ctypes
import functools
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar

import numpy as np

REALS = {"float32": np.float32, "float64": np.float64}
PAGE = 2**16


class EngineMissingError(RuntimeError):
    """``wasmtime`` is not installed; the message says how to get it."""


def _wasmtime() -> object:
    try:
        import wasmtime
    except ImportError as error:
        raise EngineMissingError(
            "engine='compiled' needs the package wasmtime (pip install wasmtime), or train with "
            "engine='torch'."
        ) from error
    return wasmtime


@functools.lru_cache(maxsize=16)
def _module(code: bytes) -> tuple[object, object]:
    wasmtime = _wasmtime()
    engine = wasmtime.Engine()
    return engine, wasmtime.Module(engine, code)


# What is still there when the interpreter has forgotten its modules, wasmtime cannot close.
atexit.register(_module.cache_clear)


class Words(ABC):
    """One heap and the functions that work on it.

    All places are words of the heap. A word holds one number of the precision; a whole number has a
    word for itself, a double two words.

    Args:
        raw: the bytes of the heap.
        real: type of the numbers.

    Attributes:
        name: what ``History.versions`` calls a machine of this kind.
    """

    name: ClassVar[str]

    def __init__(self, raw: np.ndarray, real: np.dtype) -> None:
        self.real, self.heap, self._ints = real, raw.view(real), raw.view(np.int32)

    @abstractmethod
    def run(self, batch: int, code: int, end: int, first: int = 0) -> None:
        """Run the numbers ``first`` to ``end`` of the program at ``code`` for a batch."""

    @abstractmethod
    def steps(self, task: int, count: int, limit: float) -> int:
        """Up to ``count`` training steps, as the task at that place says; how many were taken."""

    def write(self, place: int, values: np.ndarray | Sequence[float]) -> None:
        """Numbers of the precision, one a word."""
        values = np.asarray(values, self.real).ravel()
        self.heap[place : place + values.size] = values

    def read(self, place: int, count: int) -> np.ndarray:
        """A copy of ``count`` numbers."""
        return self.heap[place : place + count].copy()

    def write_whole(self, place: int, values: np.ndarray | Sequence[int]) -> None:
        """Whole numbers, one a word."""
        values, step = np.asarray(values, np.int32).ravel(), self.real.itemsize // 4
        self._ints[place * step : (place + values.size) * step : step] = values

    def read_whole(self, place: int, count: int) -> np.ndarray:
        """A copy of ``count`` whole numbers."""
        step = self.real.itemsize // 4
        return self._ints[place * step : (place + count) * step : step].copy()

    def write_double(self, place: int, value: float) -> None:
        """One double, at an even place in two words."""
        self.heap[place : place + 2].view(np.uint8)[:8] = np.frombuffer(
            np.float64(value).tobytes(), np.uint8
        )

    def write_code(self, place: int, code: Sequence[int]) -> int:
        """Numbers of 32 bits without gaps; gives the first free place behind them."""
        step = self.real.itemsize // 4
        self._ints[place * step : place * step + len(code)] = code
        return place + -(-len(code) // step)


class Machine(Words):
    """A heap and functions in ``wasmtime``.

    Args:
        code: the bytes of a module from ``bnlab.engines.compiled``.
        precision: ``float32`` or ``float64``, that of the module.
        words: size of the heap.
    """

    name = "wasmtime"

    def __init__(self, code: bytes, precision: str, words: int) -> None:
        wasmtime = _wasmtime()
        engine, module = _module(code)
        real = np.dtype(REALS[precision])
        self.store = wasmtime.Store(engine)
        exports = wasmtime.Instance(self.store, module, []).exports(self.store)
        self._run, self._steps = exports["run"], exports["steps"]
        memory, start = exports["memory"], exports["heap"](self.store)
        need = start + words * real.itemsize
        have = memory.data_len(self.store)
        if need > have:
            memory.grow(self.store, -(-(need - have) // PAGE))
        address = ctypes.addressof(memory.data_ptr(self.store).contents) + start
        size = words * real.itemsize
        raw = np.frombuffer((ctypes.c_ubyte * size).from_address(address), np.uint8)
        super().__init__(raw, real)
        self._memory = memory  # the arrays are views of it

    def run(self, batch: int, code: int, end: int, first: int = 0) -> None:
        """Run the numbers ``first`` to ``end`` of the program at ``code`` for a batch."""
        self._run(self.store, batch, code, first, end)

    def steps(self, task: int, count: int, limit: float) -> int:
        """Up to ``count`` training steps, as the task at that place says; how many were taken."""
        return self._steps(self.store, task, count, limit)
