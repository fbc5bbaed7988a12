"""The text of a module in C: runtime, kernels, and the loop that runs programs."""

from __future__ import annotations

from pathlib import Path

HERE = Path(__file__).parent
READS = ("runtime.c", "convolutions.c", "steps.c")
TYPES = {"float32": ("float", "__builtin_sqrtf"), "float64": ("double", "__builtin_sqrt")}


def c_source(kernels: dict[tuple[str, int], int], precision: str) -> str:
    """A module with these kernels.

    Args:
        kernels: (body, number of places) of each, and its number in programs.
        precision: of REAL, a key of ``TYPES``.
    """
    real, root = TYPES[precision]
    functions = [_function(number, body, n) for (body, n), number in kernels.items()]
    cases = [_case(number, n) for (_, n), number in kernels.items()]
    runtime, convolutions, runner = ((HERE / name).read_text() for name in READS)
    runner = runner.replace("KERNELS", "\n".join(cases))
    head = f"typedef {real} REAL;\n#define SQRT_OF_REAL {root}\n"
    return "\n".join([head, runtime, convolutions, *functions, runner])


def _function(number: int, body: str, places: int) -> str:
    arguments = "".join(f", int o{k}" for k in range(places))
    return f"KERNEL k{number}(int B{arguments}) {{\n{body}\n}}"


def _case(number: int, places: int) -> str:
    arguments = "".join(f", p[{k}]" for k in range(places))
    return f"    case {number}: k{number}(B{arguments}); p += {places}; break;"
