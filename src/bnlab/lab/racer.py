"""Trains several nets at once in a thread, and tells the points as they come."""

from __future__ import annotations

import atexit
import threading
import time
import weakref
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

import torch

from bnlab.lab.points import Points

PAUSE = 0.04
"""Seconds between two messages about one net."""


class Racer:
    """Trains the nets of the newest request in one thread and sends their points.

    Every request has a number of its own, ``generation``; the thread drops what it does as soon
    as this number has moved on. ``send`` is called with messages ready for JSON; a request whose
    id is None is answered with none. What ``begin`` returns gives (name, content or None) after
    each piece of work.
    """

    def __init__(self, send: Callable[[dict], None]) -> None:
        self._send = send
        self._lock = threading.Condition()
        self._generation = 0
        self._newest: object = None  # the front end's id of the newest request
        self._started = 0.0
        self._request: tuple | None = None  # waits for the thread
        self._thread: threading.Thread | None = None
        # A Python that ends while a thread is inside torch is aborted: end the training first.
        atexit.register(_end, weakref.ref(self))

    def train(self, number: object, begin: Callable[[], Iterable], device: str) -> None:
        """Do the work that ``begin`` returns, in place of anything older."""
        torch.get_num_threads()  # a thread that never asked would inherit the other thread's one
        with self._lock:
            if number is not None and self._newest is not None and self._thread is not None:
                replaced = {"type": "finished", "id": self._newest, "stopped": True}
                self._send({**replaced, **self._seconds()})  # another view may still wait for it
            self._generation += 1
            self._newest, self._started = number, time.perf_counter()
            self._request = (self._generation, number, begin, device)
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="race", daemon=True)
                self._thread.start()

    def stop(self, number: object) -> None:
        """End the request with this id, if it is the newest and still trains."""
        with self._lock:
            if number != self._newest or self._thread is None:
                return
            self._drop()
            self._send({"type": "finished", "id": number, "stopped": True, **self._seconds()})

    def drop(self) -> None:
        """End whatever trains, without a message."""
        with self._lock:
            self._drop()

    def _seconds(self) -> dict[str, float]:
        return {"seconds": round(time.perf_counter() - self._started, 3)}

    def _drop(self) -> None:
        self._generation += 1
        self._newest = self._request = None

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until the thread has nothing to do; False after ``timeout`` seconds."""
        with self._lock:
            return self._lock.wait_for(lambda: self._thread is None, timeout)

    def _work(self) -> None:
        try:
            with one_thread():
                while (request := self._next()) is not None:
                    self._serve(*request)
        finally:
            with self._lock:
                if self._thread is threading.current_thread():
                    self._thread = None
                self._lock.notify_all()

    def _next(self) -> tuple | None:
        """The waiting request; None ends the thread, so that a later request starts another."""
        with self._lock:
            request, self._request = self._request, None
            if request is None:
                self._thread = None
            return request

    def _serve(self, generation: int, number: object, begin: Callable, device: str) -> None:
        """Train the nets of one request, and say how it ended."""

        def tell(kind: str, **content: object) -> None:
            """Send, unless a newer request has come."""
            with self._lock:
                if generation == self._generation and number is not None:
                    self._send({"type": kind, "id": number, **content})

        try:
            for norm, points in begin():
                if generation != self._generation:
                    return
                if points is not None:
                    tell("points", norm=norm, **points)
        except Exception as error:  # whatever it is, the reader must see it
            tell("error", text=f"{type(error).__name__}: {error}")
        else:
            tell("finished", stopped=False, device=device, **self._seconds())


def _end(racer: weakref.ref) -> None:
    if (running := racer()) is not None:
        running.drop()
        running.wait(2)


def take_turns(trainings: dict[str, Iterator]) -> Iterator[tuple[str, dict | None]]:
    """Train several nets, a step each in turn; yields (norm, points or None) after each step."""
    lanes = {norm: Lane(records) for norm, records in trainings.items()}
    while lanes:
        for norm, lane in list(lanes.items()):
            yield norm, lane.step()
            if lane.points.done:
                del lanes[norm]


class Lane:
    """One net of a race: its records, and the points that are due."""

    def __init__(self, records: Iterator) -> None:
        self._records = records
        self._sent = -PAUSE
        self.points = Points()

    def step(self) -> dict[str, object] | None:
        """Train one step; the new points if they are due, else None."""
        record = next(self._records, None)
        if record is None:
            self.points.done = True
        else:
            self.points.add(*(record if isinstance(record, tuple) else (record,)))
        now = time.monotonic()
        if not self.points.done and now - self._sent < PAUSE:
            return None
        self._sent = now
        return self.points.take()


@contextmanager
def one_thread() -> Iterator[None]:
    """Let torch use one thread here: these nets are so small that more make them slower.

    torch keeps this number per thread, so the notebook's own trainings keep theirs, once they have
    asked for it (``Racer.train`` does).
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
