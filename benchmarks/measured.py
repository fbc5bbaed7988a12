"""A row of the table of limits."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One line of the table: what was measured, its limit, the number, its unit."""

    what: str
    limit: float
    measured: float
    unit: str = ""

    @property
    def holds(self) -> bool:
        """At most the limit. A NaN does not hold."""
        return self.measured <= self.limit


Measurement = Callable[[int], Iterator[Row]]  # takes the number of rounds


def seconds(work: Callable[[], object]) -> float:
    """Wall-clock time of one call."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def cpu_seconds(work: Callable[[], object]) -> float:
    """Processor time of one call: on one thread, other programs disturb it less."""
    start = time.process_time()
    work()
    return time.process_time() - start
