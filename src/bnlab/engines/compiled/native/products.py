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

BYTES = {"float": 4, "double": 8}


def _picked(one: str, other: str, lanes: Sequence[int]) -> str:
    return f"__builtin_shufflevector({one}, {other}, {', '.join(map(str, lanes))})"


def _lanes(real: str, width: int) -> str:
    """What C has no words for: lanes by their numbers, which depend on type and width.

    ``SPREAD(x)`` repeats a narrow vector in each part of a wide one. ``SUMMED(x)`` takes as many
    wide vectors as a narrow one has lanes, and adds the lanes of each part of each of them, one
    after the other; lane c of a part is the sum in vector c.
    """
    wide, count = 16 // BYTES[real], width // BYTES[real]
    parts = range(0, count, wide)
    spread = _picked("x", "x", [*range(wide)] * len(parts))
    if wide == 2:
        low = [lane for p in parts for lane in (p, p + count)]
        summed = f"{_picked('x[0]', 'x[1]', low)} + {_picked('x[0]', 'x[1]', [n + 1 for n in low])}"
    else:
        low = [lane for p in parts for lane in (p, p + count, p + 1, p + 1 + count)]
        left = [lane for p in parts for lane in (p, p + 1, p + count, p + 1 + count)]
        high, right = [n + 2 for n in low], [n + 2 for n in left]
        pairs = (("a_", 0, low), ("b_", 2, low), ("c_", 0, high), ("d_", 2, high))
        declared = " ".join(
            f"Wide {name} = {_picked(f'x[{k}]', f'x[{k + 1}]', lanes)};" for name, k, lanes in pairs
        )
        one, two = (_picked("a_", "b_", lanes) for lanes in (left, right))
        three, four = (_picked("c_", "d_", lanes) for lanes in (left, right))
        summed = f"({{ {declared} (({one} + {two}) + {three}) + {four}; }})"
    return f"#define WIDTH {width}\n#define SPREAD(x) {spread}\n#define SUMMED(x) {summed}\n"


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
        texts += [f"#define REAL {real}", "#ifdef __AVX512F__", _lanes(real, 64)]
        texts += ["#else", _lanes(real, 32), "#endif"]
        texts.append((here / "products.c").read_text())
    if "convolve" in found or "convolve_weights" in found:
        texts.append((here / "convolutions.c").read_text())
    return "\n".join(texts)
