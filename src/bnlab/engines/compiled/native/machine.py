"""A heap and the functions of a translated module, and which machine runs a module."""

from __future__ import annotations

import functools
import os
import warnings

import numpy as np

from bnlab.engines.compiled.machine import REALS, Machine, Words
from bnlab.engines.compiled.native import library
from bnlab.engines.compiled.native.compilers import NoLibraryError
from bnlab.engines.compiled.native.translate import globals_of
from bnlab.errors import check_name

VARIABLE = "BNLAB_MACHINE"
"""The environment variable that names one of ``CHOICES``."""

CHOICES = ("auto", "native", "wasmtime")
"""The first one is taken where the variable is not set."""

WORTH = 10.0
"""Seconds of training in ``wasmtime`` that are worth compiling a module.

To compile the kernels of the book takes four to five, and natively a step takes 0.35 to 0.5 of the
time: from seven seconds on that pays.
"""

BESIDE = 4096
"""Bytes before and behind the memory: global variables, and lanes beside the wanted ones."""


class NativeMachine(Words):
    """As ``Machine``, in the machine's own instructions and with the same bits.

    Args:
        code: the bytes of a module.
        precision: ``float32`` or ``float64``.
        words: size of the heap.

    Raises:
        NoLibraryError: if there is no library of the module here.
    """

    name = "native"

    def __init__(self, code: bytes, precision: str, words: int) -> None:
        self._library = library.load(code)
        real = np.dtype(REALS[precision])
        variables = _globals(code)
        # The stack lies below the heap and the global variables before both. Nothing here moves.
        start = self._library.wasm_heap(None)
        size = words * real.itemsize
        self._memory = np.zeros(3 * BESIDE + start + size, np.uint8)
        first = BESIDE + -self._memory.ctypes.data % BESIDE
        self._at = self._memory.ctypes.data + first
        for k, value in enumerate(variables):
            place = first - 16 * (k + 1)
            self._memory[place : place + 4].view(np.int32)[0] = value
        super().__init__(self._memory[first + start : first + start + size], real)

    def run(self, batch: int, code: int, end: int, first: int = 0) -> None:
        """Run the numbers ``first`` to ``end`` of the program at ``code`` for a batch."""
        self._library.wasm_run(self._at, batch, code, first, end)

    def steps(self, task: int, count: int, limit: float) -> int:
        """Up to ``count`` training steps, as the task at that place says; how many were taken."""
        return self._library.wasm_steps(self._at, task, count, limit)


_globals = functools.lru_cache(maxsize=16)(globals_of)
_waited: dict[bytes, float] = {}
_said: list[str] = []


def machine_for(code: bytes, precision: str, words: int, seconds: float = 0.0) -> Words:
    """The machine for a module that ``BNLAB_MACHINE`` names; all give the same bits.

    ``native`` compiles what is not in the cache. ``auto``, the default, takes what is in the cache,
    compiles a module as soon as this process has been asked for more than ``WORTH`` seconds of
    training with it, and else takes ``wasmtime``. If it wants to compile and cannot, it warns once.

    Args:
        code: the bytes of the module.
        precision: ``float32`` or ``float64``.
        words: size of the heap.
        seconds: about how long ``wasmtime`` will train with it.

    Raises:
        ValueError: for another value of ``BNLAB_MACHINE``.
        RuntimeError: if it is ``native`` and that cannot be had.
    """
    choice = os.environ.get(VARIABLE, CHOICES[0])
    check_name(f"machine in {VARIABLE}", choice, CHOICES)
    if choice == "wasmtime":
        return Machine(code, precision, words)
    _waited[code] = _waited.get(code, 0.0) + seconds
    try:
        if choice == "native" or library.is_kept(code) or _waited[code] > WORTH:
            return NativeMachine(code, precision, words)
    except NoLibraryError as error:
        advice = f"{error.advice}, or " if error.advice else ""
        if choice == "native":
            raise RuntimeError(
                f"{VARIABLE}=native cannot be had: {error}. To train, {advice}unset {VARIABLE}; "
                "wasmtime gives the same numbers."
            ) from error
        _say_once(
            f"engine='compiled' trains in wasmtime, slower and with the same numbers: {error}. "
            f"To be rid of this warning, {advice}set {VARIABLE}=wasmtime."
        )
    return Machine(code, precision, words)


def _say_once(sentence: str) -> None:
    if not _said:
        _said.append(sentence)
        warnings.warn(sentence, RuntimeWarning, stacklevel=2)
