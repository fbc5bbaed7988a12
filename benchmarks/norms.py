"""Compare the speed of every normalizer with what a user would otherwise take.

    python benchmarks/norms.py             about two minutes
    python benchmarks/norms.py batch rms   only these

Each works forward and backward on the shapes of ``SHAPES``, one thread, float32. What torch has a
layer for is compared with that layer, by its kernel (``native=True``) and in primitive operations;
all others with the plainest correct PyTorch code, which is ``plain_norms.py``. Speed is a ratio of
processor times, timed in turn in one run, so that a busy machine slows both; of the ratios the
median counts. Freed memory is kept (``keep_memory``), so that it is the work that is timed. The
exit status is 1 if a limit is broken.
"""

from __future__ import annotations

import ctypes
import statistics
import sys
from collections.abc import Callable, Iterator

import measured
import plain_norms
import torch
from measured import Row, cpu_seconds
from torch import nn

from bnlab.norms import NORMS, make_norm

SHAPES = [(64, 64, 32, 32), (128, 64)]
NATIVE, PRIMITIVE, PLAIN = 1.1, 2.5, 1.0
ROUNDS = 15
BLOCK = 0.02  # seconds of work that are timed as one: the clock is coarse
OPTIONS = {
    "group": {"group_size": 8},
    "evonorm_s0": {"group_size": 8},
    "ghost_batch": {"ghost_size": 16},
}


def options_for(name: str, shape: tuple[int, ...]) -> dict[str, object]:
    """What ``make_norm`` needs for this name on this shape."""
    learned = {"learnable_eps": True} if name == "filter_response" and len(shape) == 2 else {}
    return {**OPTIONS.get(name, {}), **learned}


def torch_layer(name: str, shape: tuple[int, ...]) -> nn.Module | None:
    """Torch's own layer that computes the same, if there is one."""
    c, flat = shape[1], len(shape) == 2
    if name == "batch":
        return nn.BatchNorm1d(c) if flat else nn.BatchNorm2d(c)
    if name == "layer":
        return nn.LayerNorm(c) if flat else nn.GroupNorm(1, c)
    if name == "group":
        return nn.GroupNorm(c // OPTIONS["group"]["group_size"], c)
    if name == "instance":
        return nn.InstanceNorm2d(c, affine=True)
    if name == "rms" and flat and hasattr(nn, "RMSNorm"):
        return nn.RMSNorm(c, eps=1e-5)
    return None


def work(norm: nn.Module, shape: tuple[int, ...]) -> Callable[[], object]:
    """One pass forward and backward, to the input and to all parameters."""
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(shape, generator=generator).requires_grad_()
    dy = torch.randn(shape, generator=generator)
    inputs = (x, *norm.parameters())
    return lambda: torch.autograd.grad(norm(x), inputs, dy)


def keep_memory() -> None:
    """Have glibc keep what is freed, instead of now and then giving it back to the system.

    A new tensor of 16 MiB whose pages the system has to clear first takes longer than all other
    work on it. By default it depends on the last few KiB at the end of the heap whether that
    happens, and to which of the two sides: the ratio of large rows then varies by a factor of 3.
    """
    libc = ctypes.CDLL(None) if sys.platform == "linux" else None
    if hasattr(libc, "mallopt"):
        libc.mallopt(-1, 2**31 - 1)  # M_TRIM_THRESHOLD
        libc.mallopt(-3, 2**25)  # M_MMAP_THRESHOLD, its largest value


def ratios(works: list[Callable[[], object]], rounds: int) -> list[float]:
    """Processor times of all but the first, each divided by the first's: medians."""
    for one in works:  # the first call of each loads and allocates
        one()
    repeats = max(1, round(BLOCK / max(cpu_seconds(works[0]), 1e-6)))

    def block(one: Callable[[], object]) -> float:
        return cpu_seconds(lambda: [one() for _ in range(repeats)])

    times = [[block(one) for one in works] for _ in range(rounds)]
    return [statistics.median(t[i] / t[0] for t in times) for i in range(1, len(works))]


def rows_of(name: str, shape: tuple[int, ...], rounds: int) -> Iterator[Row]:
    """The normalizer on this shape; nothing where it is undefined."""
    if name == "none" or (name == "instance" and len(shape) == 2):
        return
    options, size = options_for(name, shape), "x".join(map(str, shape))
    kernel = NORMS[name].has_kernel
    norms = [make_norm(name, shape[1], native=native, **options) for native in (True, False)]
    layer = torch_layer(name, shape)
    if layer is not None:
        native, primitive = ratios([work(one, shape) for one in (layer, *norms)], rounds)
        yield Row(f"{name} {size}, native / torch's layer", NATIVE, native)
        yield Row(f"{name} {size}, primitive / torch's layer", PRIMITIVE, primitive)
        return
    plain = plain_norms.PLAIN[name](shape[1], **options)
    (ratio,) = ratios([work(one, shape) for one in (plain, norms[0])], rounds)
    yield Row(f"{name} {size}, {'native' if kernel else 'primitive'} / plain code", PLAIN, ratio)


def main(arguments: list[str] | None = None) -> int:
    """Measure, print, and return 0 if every limit holds, else 1."""
    parser = measured.command(__doc__, ROUNDS)
    parser.add_argument("names", nargs="*", help="normalizers; all if none is named")
    chosen = measured.parsed(parser, arguments)
    for name in chosen.names:
        if name not in NORMS:
            parser.error(f"unknown normalizer {name!r}. Known: {', '.join(NORMS)}.")
    keep_memory()
    return measured.report(
        row
        for name in chosen.names or NORMS
        for shape in SHAPES
        for row in rows_of(name, shape, chosen.rounds)
    )


if __name__ == "__main__":
    sys.exit(main())
