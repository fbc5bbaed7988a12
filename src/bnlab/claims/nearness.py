"""Whether two numbers are the same but for the machine that computed them.

Other engines than the compiled one sum in another order on another machine, and trainings carry
such differences on. What is fair depends on what a number is:

- Any number may differ by ``TOLERANCE`` of its size: losses, gradients, lengths, rates of any size.
  So 0.010 and 0.012 are different losses, and 1e-4 and 2e-4 are different gradients.
- An accuracy may differ by ``TOLERANCE`` of its size, or by one image of 300, as many as the test
  has: near 0.1 that is more.
- A logarithm or a cosine has no size of its own: 0 is one among others. It may differ by
  ``LOG_TOLERANCE`` outright, which is ``TOLERANCE`` of what the logarithm is taken of.
- What is below ``ROUNDING`` is a zero that was summed in float64, and like any other. The column
  ``difference`` is the rounding of float32 itself: there ``ROUNDING_32`` is nothing.
- Whole numbers are counts, and texts, flags and None are what they are: all must be equal, but
  a count may differ by ``TOLERANCE`` of its size, as the step does at which a net diverges.
"""

from __future__ import annotations

import math
import re

TOLERANCE = 0.02
ONE_IMAGE = 1 / 300
LOG_TOLERANCE = 0.01
ROUNDING = 1e-12
ROUNDING_32 = 1e-6
LAST_BIT = 1 + 1e-9  # a difference of exactly one image is one

OUTRIGHT = {
    r"(.*_)?accurac(y|ies)|(stopped_)?(val|test|train)(_(batch|running|recomputed|new|mode))?"
    r"|eval_mode|repaired|old|new|alone|inside(_first)?": ONE_IMAGE,
    "cosine|shifts?|common|given_label": LOG_TOLERANCE,
    "difference": ROUNDING_32,
}
"""By how much numbers may differ, however small they are, by the names of their columns."""


def is_near(before: object, now: object, column: str = "") -> bool:
    """Whether two entries of a column are the same in this sense; lists entry by entry."""
    if isinstance(before, list) and isinstance(now, list):
        pairs = zip(before, now, strict=False)
        return len(before) == len(now) and all(is_near(*pair, column) for pair in pairs)
    numbers = all(isinstance(one, int | float) for one in (before, now))
    if not numbers or bool in (type(before), type(now)):
        return before == now
    outright = next((most for names, most in OUTRIGHT.items() if re.fullmatch(names, column)), 0)
    least = ROUNDING if isinstance(before, float) and isinstance(now, float) else 0
    return math.isclose(before, now, rel_tol=TOLERANCE, abs_tol=max(outright * LAST_BIT, least))
