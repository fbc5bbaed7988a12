"""The one function of the modules that is not translated where it matters: the product."""

from __future__ import annotations

import hashlib
from pathlib import Path

from bnlab.engines.compiled.native.wasm import Function

READS = ("products.c",)

KNOWN = {
    "5e807f8a": "float",
    "2b1f7084": "double",
    # Where a bias may be for each row, in convolutional nets:
    "9e5ee923": "float",
    "cadac5f1": "double",
}
"""The first digits of the hash of ``multiply``'s body, and the type of its numbers: another body
may have another order of sums."""

FOUR = """
#define TURN(row, k, to) do { \\
  Four a_ = *(const PlacedFour*)(row[0] + k), b_ = *(const PlacedFour*)(row[1] + k); \\
  Four c_ = *(const PlacedFour*)(row[2] + k), d_ = *(const PlacedFour*)(row[3] + k); \\
  Four e_ = __builtin_shufflevector(a_, b_, 0, 4, 1, 5); \\
  Four f_ = __builtin_shufflevector(a_, b_, 2, 6, 3, 7); \\
  Four g_ = __builtin_shufflevector(c_, d_, 0, 4, 1, 5); \\
  Four h_ = __builtin_shufflevector(c_, d_, 2, 6, 3, 7); \\
  *(PlacedFour*)(to) = __builtin_shufflevector(e_, g_, 0, 1, 4, 5); \\
  *(PlacedFour*)(to + BLOCK) = __builtin_shufflevector(e_, g_, 2, 3, 6, 7); \\
  *(PlacedFour*)(to + 2 * BLOCK) = __builtin_shufflevector(f_, h_, 0, 1, 4, 5); \\
  *(PlacedFour*)(to + 3 * BLOCK) = __builtin_shufflevector(f_, h_, 2, 3, 6, 7); \\
} while (0)
"""
TWO = """
#define TURN(row, k, to) do { \\
  Four a_ = *(const PlacedFour*)(row[0] + k), b_ = *(const PlacedFour*)(row[1] + k); \\
  *(PlacedFour*)(to) = __builtin_shufflevector(a_, b_, 0, 2); \\
  *(PlacedFour*)(to + BLOCK) = __builtin_shufflevector(a_, b_, 1, 3); \\
} while (0)
"""


def product_of(function: Function) -> str:
    """The text in C of ``product`` in place of this function; empty if it is another one."""
    real = KNOWN.get(hashlib.sha256(function.body).hexdigest()[:8])
    if real is None:
        return ""
    text = (Path(__file__).parent / "products.c").read_text()
    return "\n".join([f"#define REAL {real}", FOUR if real == "float" else TWO, text])
