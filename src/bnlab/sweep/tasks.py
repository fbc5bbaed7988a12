"""Tasks for workers: what one does, and how an executor is given all of them."""

from __future__ import annotations

import queue
import socket
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, CancelledError, Executor, Future
from dataclasses import dataclass
from typing import Any

from bnlab.digest import check_unchanged, code_digest
from bnlab.sweep.failures import Failure, OtherCodeError, SweepStoppedError

Work = Callable[[list], Sequence]
"""From some items to one result each, in their order; an exception in place of a result says that
this item failed. A result is a dict that JSON can hold."""


@dataclass(frozen=True)
class Code:
    """What computes: parts of the package and their digest."""

    parts: tuple[str, ...]
    digest: str

    @classmethod
    def of(cls, parts: Sequence[str]) -> Code:
        """The code that this process runs; fails if the files have changed since."""
        check_unchanged(parts)
        return cls(tuple(parts), code_digest(parts))

    def check(self) -> None:
        """Make sure, on a worker, that it is the same here."""
        if code_digest(self.parts) != self.digest:
            raise OtherCodeError(
                f"the worker on {socket.gethostname()} has other code of bnlab or another torch. "
                "Install the same versions there and start the workers anew."
            )


# --------------------------------------------------------------------------------- on the worker


def attempt(work: Work, code: Code, items: list) -> list:
    """Results or Failures, one for each item: what a worker calls.

    If ``work`` fails on all of them together, each is tried alone.

    Raises:
        OtherCodeError: if the worker has other code.
    """
    code.check()
    try:
        outcomes = list(work(items))
        if len(outcomes) != len(items):
            raise RuntimeError(f"the work gave {len(outcomes)} results for {len(items)} runs")
    except Exception as error:
        if len(items) == 1:
            outcomes = [error]
        else:
            return [outcome for item in items for outcome in attempt(work, code, [item])]
    return [
        Failure.of(item, one) if isinstance(one, Exception) else one
        for item, one in zip(items, outcomes, strict=True)
    ]


# --------------------------------------------------------------------------------- on the executor


def run_tasks(
    executor: Executor | None, task: Callable, chunks: list[list[str]], items: dict[str, Any]
) -> Iterator[tuple[str, Any]]:
    """Yield (key, result or Failure), in the order in which they arrive.

    Raises:
        SweepStoppedError: if the executor gives up, after everything that still arrived.
    """
    if executor is None:
        for keys in chunks:
            yield from zip(keys, task([items[key] for key in keys]), strict=True)
        return
    flight = _Flight(executor, task, items)
    try:
        for keys in chunks:
            flight.submit(keys)
            while not flight.arrived.empty():  # kept at once, also while there are more to submit
                yield from flight.take()
            if flight.stop is not None:
                break
        while flight.pending:
            yield from flight.take()
    finally:
        flight.cancel()
    if flight.stop is not None:
        raise flight.stop


class _Flight:
    """The tasks that an executor has.

    Attributes:
        pending: future to the keys of its items.
        arrived: futures that are done.
        stop: why no more tasks are given to the executor, or None.
    """

    def __init__(self, executor: Executor, task: Callable, items: dict[str, Any]) -> None:
        self.executor, self.task, self.items = executor, task, items
        self.pending: dict[Future, list[str]] = {}
        self.arrived: queue.SimpleQueue[Future] = queue.SimpleQueue()
        self.stop: SweepStoppedError | None = None

    def submit(self, keys: list[str]) -> None:
        """Give one more to the executor."""
        try:
            future = self.executor.submit(self.task, [self.items[key] for key in keys])
        except Exception as error:
            self.stop = _stopped("the executor takes no task", error)
            return
        self.pending[future] = keys
        future.add_done_callback(self.arrived.put)

    def take(self) -> list[tuple[str, Any]]:
        """Wait for one; empty if it brought nothing but a reason to stop."""
        future = self.arrived.get()
        keys = self.pending.pop(future)
        try:
            outcomes = _outcomes(future, [self.items[key] for key in keys])
        except SweepStoppedError as error:
            self.stop = self.stop or error
            self.cancel()  # what is at work already still arrives
            return []
        return list(zip(keys, outcomes, strict=True))

    def cancel(self) -> None:
        """Take back what has not begun."""
        for future in list(self.pending):
            future.cancel()


def _outcomes(future: Future, items: list) -> list:
    try:
        return future.result()
    except (BrokenExecutor, CancelledError) as error:
        raise _stopped(
            "a worker died (killed, or out of memory) or was shut down", error
        ) from error
    except OtherCodeError as error:
        raise SweepStoppedError(str(error)) from error
    except Exception as error:  # such as dask's KilledWorker: these runs killed several workers
        return [Failure.of(item, error) for item in items]


def _stopped(what: str, error: BaseException) -> SweepStoppedError:
    return SweepStoppedError(
        f"{what} ({type(error).__name__}: {error}). What was computed before is kept: make the "
        "same call with a new executor, it goes on from there."
    )
