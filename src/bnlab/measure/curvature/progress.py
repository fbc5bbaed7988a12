"""What a measurement of curvature will take, and how far it is, in lines of text."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

EVERY = 5.0
"""Seconds between two lines."""


class Progress:
    """Says after the first products how long all will take, and then how far it is.

    Args:
        say: takes a line of text, such as ``print``.
        expected: about how many products there will be.
    """

    def __init__(self, say: Callable[[str], object], expected: int) -> None:
        self._say, self._expected = say, expected
        self._start = self._last = time.perf_counter()
        self._count = 0

    def __call__(self) -> None:
        """One product more has been computed."""
        self._count += 1
        now = time.perf_counter()
        if self._count == 3:
            each = (now - self._start) / 3
            self._say(
                f"a product takes {each:.2g} s, and some {self._expected} are needed: about "
                f"{each * self._expected:.2g} s."
            )
        elif self._count > 3 and now - self._last > EVERY:
            self._say(
                f"{self._count} of some {self._expected} products, {now - self._start:.0f} s."
            )
        else:
            return
        self._last = now


def expected_products(ends: int, tolerance: float, probes: int, steps: int) -> int:
    """About how many products eigenvalues of so many ends, trace and density take.

    The ends: ten for the order of magnitude, then some 45 for each at a tolerance of 1e-6, fewer at
    a larger one.
    """
    lanczos = 10 + ends * round(15 - 5 * math.log10(tolerance)) if ends else 0
    return lanczos + probes + probes * steps
