"""Compare a training step with those of PyTorch and JAX, in processor time on one thread.

    python benchmarks/peers.py             about two minutes, and the installation of JAX
    python benchmarks/peers.py --rounds 60 where the machine is busy

The MLP of depth 6 and width 64 with BatchNorm, SGD, float32. All ways begin with the same weights,
take the same batches in blocks of 16 steps, give loss and accuracy of each, and must agree in the
first losses. The ways take turns, and of each the least time counts: what a step costs when nothing
disturbs it. Compilation is not counted. JAX is installed for this alone, into a temporary folder,
and runs in a process of its own. What cannot be had is left out, with a word. The exit status is 1
if a limit is broken.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator

import measured
import numpy as np
from measured import Row
from peer_steps import WAYS, NotHereError, Way, first_batches
from peer_with_jax import installed, jax_way

from bnlab.train import Run

BASE = Run(net="mlp", depth=6, width=64, norm="batch", lr=0.02)
SIZES = (4, 32, 128)
NATIVE, WASMTIME, JAX = "native", "wasmtime", "JAX scan"
AGREE = 4  # steps after which rounding has not grown to what it would hide
BLOCKS = 4  # that are timed in one round
ROUNDS = 30


def ways_for(run: Run, python: str | None) -> Iterator[tuple[str, Way]]:
    """Name and steps of every way that is there; a sentence for each that is not.

    Args:
        run: what is trained.
        python: an interpreter that has JAX.
    """
    batches = first_batches(run)
    for name, make in WAYS.items():
        try:
            yield name, make(run, batches)
        except NotHereError as error:
            print(f"{name} is left out: {error}.", flush=True)
    if python is not None:
        yield JAX, jax_way(run, batches, python)


def check_agreement(losses: dict[str, list[float]]) -> None:
    """Make sure that all compute the same: no one is to be timed with less work.

    Raises:
        AssertionError: naming the way whose losses differ from those of the first one.
    """
    name, *others = losses
    want = losses[name][:AGREE]
    for other in others:
        got = losses[other][:AGREE]
        if not np.allclose(got, want, rtol=1e-4, atol=1e-4):
            raise AssertionError(f"{other} does not train as {name} does: {got}, {want}.")


def times(run: Run, rounds: int, python: str | None) -> dict[str, float]:
    """Least seconds of a step of each way."""
    with contextlib.ExitStack() as stack:
        ways = {name: stack.enter_context(way) for name, way in ways_for(run, python)}
        check_agreement({name: way.losses() for name, way in ways.items()})
        found = dict.fromkeys(ways, np.inf)
        for _ in range(rounds):
            for name, way in ways.items():
                found[name] = min(found[name], *(way.seconds() for _ in range(BLOCKS)))
    return found


def rows_of(size: int, found: dict[str, float]) -> Iterator[Row]:
    """What is to hold for a batch size: native over each of the others."""
    for name, seconds in found.items():
        if NATIVE not in found or name == NATIVE or (size == 128 and name not in (WASMTIME, JAX)):
            continue
        limit = 0.5 if name == WASMTIME else 1.2 if size == 128 else 1.0
        yield Row(f"batch {size}, native / {name}", limit, found[NATIVE] / seconds)


def rows(rounds: int) -> Iterator[Row]:
    """A row for each limit; the times are printed as they come."""
    with installed() as python:
        for size in SIZES:
            found = times(BASE.replace(batch_size=size), rounds, python)
            said = (f"{name} {1e3 * seconds:.4g} ms" for name, seconds in found.items())
            print(f"A step at batch {size}: {', '.join(said)}.", flush=True)
            yield from rows_of(size, found)


def main(arguments: list[str] | None = None) -> int:
    """Measure, print, and return 0 if every limit holds, else 1."""
    return measured.main(__doc__, rows, ROUNDS, arguments)


if __name__ == "__main__":
    sys.exit(main())
