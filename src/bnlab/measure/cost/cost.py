"""Time of a forward and backward pass, of several modules against the first."""

from __future__ import annotations

import contextlib
import statistics
import time
from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn

from bnlab.measure.kit.untouched import untouched


def measure_cost(modules: Mapping[str, nn.Module], x: Tensor, rounds: int = 7) -> dict[str, float]:
    """Time of one training pass of each module, divided by that of the first.

    A pass is forward in training mode and backward to the input and all parameters. In each round
    every module has its turn, and the median over the rounds of the ratios counts: what else the
    machine does slows all of them. The modules are as before afterwards.

    Args:
        modules: what to time, by name; the first one is the measure.
        x: the input, on the device of the modules.
        rounds: repetitions, 1 or more.

    Returns:
        The ratio for each name; the first one's is 1.

    Raises:
        ValueError: for no modules, or no rounds.
    """
    if not modules:
        raise ValueError("measure_cost needs at least one module.")
    if rounds < 1:
        raise ValueError(f"rounds must be 1 or more, got {rounds!r}.")
    x = x.detach().requires_grad_()
    with contextlib.ExitStack() as stack:
        for module in modules.values():
            stack.enter_context(untouched(module))
            module.train()
        passes = {name: _one_pass(module, x) for name, module in modules.items()}
        for once in passes.values():  # the first call loads and allocates
            once()
        times = [{name: _seconds(once, x) for name, once in passes.items()} for _ in range(rounds)]
    first = next(iter(modules))
    return {name: statistics.median(t[name] / t[first] for t in times) for name in modules}


def _one_pass(module: nn.Module, x: Tensor) -> Callable[[], None]:
    wanted = [x, *(p for p in module.parameters() if p.requires_grad)]
    slope = torch.ones_like(module(x.detach()))

    def once() -> None:
        torch.autograd.grad(module(x), wanted, slope, allow_unused=True)

    return once


def _seconds(once: Callable[[], None], x: Tensor) -> float:
    synchronize = torch.cuda.synchronize if x.is_cuda else (lambda: None)
    synchronize()
    start = time.perf_counter()
    once()
    synchronize()
    return time.perf_counter() - start
