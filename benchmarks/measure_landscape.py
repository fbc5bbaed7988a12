"""Compare the speed of the probes of the loss with plain loops that do the same work.

    python benchmarks/measure_landscape.py             about half a minute
    python benchmarks/measure_landscape.py --rounds 3  quicker, coarser

One thread, float32, small nets with BatchNorm and without. The plain loops are what a careful user
would write: on a copy of the net, weights copied in and gradients taken out one by one. Speed is a
ratio of processor times, timed in turn in one run; of the ratios the median counts. The exit status
is 1 if a limit is broken.
"""

from __future__ import annotations

import copy
import statistics
import sys
from collections.abc import Callable, Iterator

import measured
import numpy as np
import torch
from measured import Row, cpu_seconds
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from bnlab.data import digits
from bnlab.measure.landscape.directions import filter_normalized, random_direction
from bnlab.measure.landscape.heat_map import measure_relative_loss
from bnlab.measure.landscape.landscape import measure_landscape
from bnlab.measure.landscape.slices import measure_line_slice
from bnlab.measure.rates.stability import measure_stable_rate
from bnlab.train import Run, build

LIMIT = 1.0
ROUNDS = 15
STEPS = np.geomspace(0.01, 0.4, 12)
RUNS = [
    Run(net="mlp", depth=6, width=64, norm="batch"),
    Run(net="mlp", depth=6, width=64, norm="none"),
    Run(net="resnet", depth=3, width=16, norm="batch"),
]


def batch(size: int = 64) -> tuple[Tensor, Tensor]:
    """Images and labels."""
    data = digits(0)
    return torch.tensor(data.train_x[:size]), torch.tensor(data.train_y[:size])


def gradient(net: nn.Module, x: Tensor, y: Tensor) -> tuple[float, list[Tensor]]:
    """Loss and gradient, as a training loop takes them."""
    net.zero_grad()
    loss = cross_entropy(net(x), y)
    loss.backward()
    return loss.item(), [p.grad.clone() for p in net.parameters()]


def put(net: nn.Module, weights: list[Tensor], step: float, along: list[Tensor]) -> None:
    """Set the weights to w + step * d."""
    with torch.no_grad():
        for p, w, d in zip(net.parameters(), weights, along, strict=True):
            p.copy_(w + step * d)


def plain_landscape(net: nn.Module, x: Tensor, y: Tensor) -> tuple[list, list]:
    """Losses and changes of the gradient at every step."""
    net = copy.deepcopy(net).train()
    weights = [p.detach().clone() for p in net.parameters()]
    _, slopes = gradient(net, x, y)
    losses, changes = [], []
    for step in STEPS:
        put(net, weights, -step, slopes)
        loss, moved = gradient(net, x, y)
        squares = sum((a - b).pow(2).sum() for a, b in zip(moved, slopes, strict=True))
        losses.append(loss)
        changes.append(squares.sqrt().item())
    return losses, changes


def plain_line(net: nn.Module, x: Tensor, y: Tensor, along: dict[str, Tensor]) -> list:
    """Losses on a line."""
    net = copy.deepcopy(net).train()
    weights = [p.detach().clone() for p in net.parameters()]
    losses = []
    for step in STEPS:
        put(net, weights, step, list(along.values()))
        with torch.no_grad():
            losses.append(cross_entropy(net(x), y).item())
    return losses


def plain_relative(net: nn.Module, x: Tensor, y: Tensor) -> list:
    """Losses after steps over the loss before."""
    net = copy.deepcopy(net).train()
    weights = [p.detach().clone() for p in net.parameters()]
    here, slopes = gradient(net, x, y)
    losses = []
    for step in STEPS:
        put(net, weights, -step, slopes)
        with torch.no_grad():
            losses.append(cross_entropy(net(x), y).item() / here)
    return losses


def plain_rates(net: nn.Module, x: Tensor, y: Tensor, rates: list[float], steps: int) -> list:
    """Losses of a training at each rate."""
    rows = []
    for rate in rates:
        twin = copy.deepcopy(net).train()
        optimizer = torch.optim.SGD(twin.parameters(), lr=rate)
        losses = []
        for _ in range(steps):
            optimizer.zero_grad()
            loss = cross_entropy(twin(x), y)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        with torch.no_grad():
            losses.append(cross_entropy(twin(x), y).item())
        rows.append(losses)
    return rows


def works_of(run: Run) -> dict[str, tuple[Callable[[], object], Callable[[], object]]]:
    """For each measurement a plain loop, and ours."""
    net, (x, y) = build(run), batch()
    along = filter_normalized(net, random_direction(net))
    rates = {"low": 1e-4, "high": 1e-2, "steps": 15, "rules": ["divergence"]}
    # Trained at the rates that the search tries: all of them are stable here.
    tried = [t.rate for t in measure_stable_rate(net, cross_entropy, [(x, y)], **rates).trials]
    return {
        "landscape": (
            lambda: plain_landscape(net, x, y),
            lambda: measure_landscape(net, cross_entropy, x, y, STEPS),
        ),
        "line slice": (
            lambda: plain_line(net, x, y, along),
            lambda: measure_line_slice(net, cross_entropy, x, y, along, STEPS),
        ),
        "relative loss": (
            lambda: plain_relative(net, x, y),
            lambda: measure_relative_loss(net, cross_entropy, [(x, y)], STEPS),
        ),
        "stable rate": (
            lambda: plain_rates(net, x, y, tried, rates["steps"]),
            lambda: measure_stable_rate(net, cross_entropy, [(x, y)], **rates),
        ),
    }


def rows_of(run: Run, rounds: int) -> Iterator[Row]:
    """Our processor time over that of the plain loop, for each measurement on this net."""
    for name, (plain, ours) in works_of(run).items():
        plain(), ours()  # the first call of each loads and allocates
        times = [(cpu_seconds(plain), cpu_seconds(ours)) for _ in range(rounds)]
        ratio = statistics.median(our / other for other, our in times)
        yield Row(f"{name}, {run.net} {run.norm} / plain loop", LIMIT, ratio)


def rows(rounds: int) -> Iterator[Row]:
    """Rows for each of ``RUNS``."""
    for run in RUNS:
        yield from rows_of(run, rounds)


def main(arguments: list[str] | None = None) -> int:
    """Measure, print, and return 0 if every limit holds, else 1."""
    return measured.main(__doc__, rows, ROUNDS, arguments)


if __name__ == "__main__":
    sys.exit(main())
