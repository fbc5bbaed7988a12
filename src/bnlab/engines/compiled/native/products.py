"""The functions of the modules that are not translated where it matters: products, convolutions."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from bnlab.engines.compiled.native.wasm import Function

READS = ("products.c", "convolutions.c")

KNOWN = {
    "84ab54d7": ("multiply", "float"),
    "044a88ba": ("multiply", "double"),
    "c1a16828": ("convolve", "float"),
    "a510a530": ("convolve_weights", "float"),
}
"""The first digits of the hash of a function's body, its name, and the type of its numbers.

Another body may have another order of sums."""

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


def known(function: Function) -> tuple[str, str]:
    """Name of what this function is and the type of its numbers; both empty for most functions."""
    return KNOWN.get(hashlib.sha256(function.body).hexdigest()[:8], ("", ""))


def wide_functions(functions: Sequence[Function]) -> str:
    """The text in C of ``wide_NAME`` for each function that is known.

    They take what it takes, and give 0 where it is left to the translated function.
    """
    found, here = dict(filter(all, map(known, functions))), Path(__file__).parent
    texts = []
    if real := found.get("multiply"):
        texts += [f"#define REAL {real}", FOUR if real == "float" else TWO]
        texts.append((here / "products.c").read_text())
    if "convolve" in found or "convolve_weights" in found:
        texts.append((here / "convolutions.c").read_text())
    return "\n".join(texts)
