"""Computes in a thread what a page asks for, and tells what comes as it comes."""

from __future__ import annotations

import atexit
import threading
import time
import weakref
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

import torch


class Worker:
    """Does the work of the newest request in one thread and sends what it gives.

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
        # A Python that ends while a thread is inside torch is aborted: end the work first.
        atexit.register(_end, weakref.ref(self))

    def start(self, number: object, begin: Callable[[], Iterable], device: str) -> None:
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
                self._thread = threading.Thread(target=self._work, name="bnlab widget", daemon=True)
                self._thread.start()

    def stop(self, number: object) -> None:
        """End the request with this id, if it is the newest and still at work."""
        with self._lock:
            if number != self._newest or self._thread is None:
                return
            self._drop()
            self._send({"type": "finished", "id": number, "stopped": True, **self._seconds()})

    def drop(self) -> None:
        """End whatever is at work, without a message."""
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
        """Do the work of one request, and say how it ended."""

        def tell(kind: str, **content: object) -> None:
            """Send, unless a newer request has come."""
            with self._lock:
                if generation == self._generation and number is not None:
                    self._send({"type": kind, "id": number, **content})

        try:
            for name, content in begin():
                if generation != self._generation:
                    return
                if content is not None:
                    tell("points", norm=name, **content)
        except Exception as error:  # whatever it is, the reader must see it
            tell("error", text=f"{type(error).__name__}: {error}")
        else:
            tell("finished", stopped=False, device=device, **self._seconds())


def _end(worker: weakref.ref) -> None:
    if (running := worker()) is not None:
        running.drop()
        running.wait(2)


@contextmanager
def one_thread() -> Iterator[None]:
    """Let torch use one thread here: these nets are so small that more make them slower.

    torch keeps this number per thread, so the notebook's own trainings keep theirs, once they have
    asked for it (``Worker.start`` does).
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
