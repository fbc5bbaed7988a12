"""Compare the measurements of signals and shift with plain code that gives the same numbers.

    python benchmarks/measure_signals.py   about a minute

The plain code is the loop around autograd that one would write: hooks, ``backward()``, and torch's
own functions for each statistic. One thread, float32. Speed is a ratio of processor times, timed in
turn in one run, so that a busy machine slows both; of the ratios the median counts. The exit status
is 1 if a limit is broken.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator

import measured
import numpy as np
import torch
from measured import Row
from norms import ratios
from scipy.stats import wasserstein_distance
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, pad

from bnlab.data import digits
from bnlab.measure import (
    layer_inputs,
    measure_cancellation,
    measure_covariate_shift,
    measure_gradients,
    measure_input_shift,
    measure_signals,
)
from bnlab.nets import Block, make_net

LIMIT = 1.0
ROUNDS = 7
LR = 0.1
NETS = {"mlp": (6, 64), "resnet": (4, 16)}  # name: depth, width


def problem(name: str, samples: int = 128) -> tuple[nn.Module, Tensor, Tensor]:
    """A net with BatchNorm in torch's own kernels, and a batch."""
    depth, width = NETS[name]
    net = make_net(name, (1, 8, 8), 10, depth, width, "batch", {"native": True})
    data = digits()
    return net, torch.tensor(data.train_x[:samples]), torch.tensor(data.train_y[:samples])


# ---------------------------------------------------------------------------------- the plain code


def plain_signals(net: nn.Module, x: Tensor, y: Tensor) -> np.ndarray:
    """All fields of ``Signals`` for the outputs of the blocks or ReLUs, (8, L)."""
    kind = Block if any(isinstance(m, Block) for m in net.modules()) else nn.ReLU
    outputs: list[Tensor] = []

    def keep(_module: nn.Module, _inputs: tuple, output: Tensor) -> None:
        output.retain_grad()
        outputs.append(output)

    hooks = [m.register_forward_hook(keep) for m in net.modules() if isinstance(m, kind)]
    net.train()
    cross_entropy(net(x), y).backward()
    for hook in hooks:
        hook.remove()
    net.zero_grad()
    return np.array([_statistics(a.detach(), a.grad) for a in outputs]).T


def _statistics(a: Tensor, gradient: Tensor) -> list[float]:
    axes = (0, 2, 3) if a.ndim == 4 else (0,)
    var, mean = torch.var_mean(a, axes, unbiased=False)
    flat = a.flatten(1)
    unit = nn.functional.normalize(flat)
    cosines, n = unit @ unit.T, len(a)
    values = (
        mean.mean(),
        var.mean(),
        mean.var(unbiased=False) / a.var(unbiased=False),
        (cosines.sum() - cosines.trace()) / (n * (n - 1)),
        flat.square().sum() / torch.linalg.matrix_norm(flat, 2) ** 2,
        unit.square().sum() / torch.linalg.matrix_norm(unit, 2) ** 2,
        (a == 0).reshape(n, a.shape[1], -1).all(2).all(0).float().mean(),
        gradient.norm(),
    )
    return [float(value) for value in values]


def plain_gradients(net: nn.Module, x: Tensor, y: Tensor) -> list[np.ndarray]:
    """Histogram, size, quantiles and tail of each weight's gradient; gives the histograms."""
    net.train()
    cross_entropy(net(x), y).backward()
    weights = [p for p in net.parameters() if p.ndim >= 2]
    counts = []
    for weight in weights:
        g = weight.grad.double().numpy().ravel()
        largest = np.abs(g).max()
        np.sqrt(np.mean(g**2))
        counts.append(np.histogram(g, 60, (-largest, largest))[0])
        np.quantile(np.abs(g), [0.5, 0.9, 0.99, 0.999])
        top = np.sort(np.abs(g))[::-1][: int(0.05 * len(g)) + 1]
        np.mean(np.log(top / top[-1]))
    net.zero_grad()
    return counts


def plain_cancellation(net: nn.Module, x: Tensor, y: Tensor) -> np.ndarray:
    """The two sums of each weight from all contributions of a sample at a time, (2, L)."""
    seen: list[tuple[nn.Module, Tensor, Tensor]] = []

    def keep(module: nn.Module, inputs: tuple, output: Tensor) -> None:
        output.retain_grad()
        seen.append((module, inputs[0].detach(), output))

    kinds = (nn.Linear, nn.Conv2d)
    hooks = [m.register_forward_hook(keep) for m in net.modules() if isinstance(m, kinds)]
    net.train()
    cross_entropy(net(x), y).backward()
    for hook in hooks:
        hook.remove()
    net.zero_grad()
    return np.array([_two_sums(*each) for each in seen]).T


def _two_sums(module: nn.Module, entered: Tensor, output: Tensor) -> tuple[float, float]:
    slope, absolute, total = output.grad, 0, 0
    if isinstance(module, nn.Conv2d):
        height, width = module.padding
        entered = nn.functional.unfold(
            pad(entered, (width, width, height, height)), module.kernel_size, stride=module.stride
        )
        slope = slope.flatten(2)
    else:
        entered, slope = entered[:, :, None], slope[:, :, None]
    for h, d in zip(entered, slope, strict=True):
        parts = d[:, None, :] * h[None]
        absolute, total = absolute + parts.abs().sum(2), total + parts.sum(2)
    return float(absolute.mean()), float(total.abs().mean())


def plain_covariate_shift(net: nn.Module, x: Tensor, y: Tensor) -> np.ndarray:
    """l2 difference and cosine of each weight's gradient, (2, L). Leaves the net where it was."""
    net.train()
    parameters = list(net.parameters())
    start = [p.detach().clone() for p in parameters]
    buffers = [b.clone() for b in net.buffers()]

    def gradients() -> list[Tensor]:
        net.zero_grad()
        cross_entropy(net(x), y).backward()
        return [p.grad.clone() for p in parameters]

    first, rows = gradients(), []
    for k, parameter in enumerate(parameters):
        if parameter.ndim >= 2:
            pair = (first, gradients())
            g, h = (torch.cat([s[k].flatten(), s[k + 1].flatten()]) for s in pair)
            rows.append([float((g - h).norm()), float(torch.cosine_similarity(g, h, 0))])
        with torch.no_grad():
            parameter -= LR * first[k]
    with torch.no_grad():
        for each, value in zip(parameters, start, strict=True):
            each.copy_(value)
        for each, value in zip(net.buffers(), buffers, strict=True):
            each.copy_(value)
    net.zero_grad()
    return np.array(rows).T


def plain_inputs(net: nn.Module, x: Tensor) -> list[np.ndarray]:
    """What goes into each convolution and linear layer, (units, values)."""
    found: list[np.ndarray] = []
    hooks = [
        m.register_forward_pre_hook(
            lambda _module, inputs: found.append(inputs[0].transpose(0, 1).flatten(1).numpy())
        )
        for m in net.modules()
        if isinstance(m, nn.Linear | nn.Conv2d)
    ]
    net.train()
    with torch.no_grad():
        net(x)
    for hook in hooks:
        hook.remove()
    return found


def plain_input_shift(net: nn.Module, x: Tensor) -> np.ndarray:
    """Wasserstein distance, averaged over the units, between x and a scaled x, (L,)."""
    pairs = zip(plain_inputs(net, x), plain_inputs(net, 1.5 * x), strict=True)
    distances = []
    for before, after in pairs:
        units = zip(before, after, strict=True)
        distances.append(np.mean([wasserstein_distance(u, v) for u, v in units]))
    return np.array(distances)


# ------------------------------------------------------------------------------------ side by side


def input_shift(net: nn.Module, x: Tensor) -> object:
    """The same with ``measure_input_shift``."""
    return measure_input_shift(layer_inputs(net, x), layer_inputs(net, 1.5 * x))


Work = Callable[[], object]


def works(name: str) -> dict[str, tuple[Work, Work]]:
    """Plain code and measurement, by what they measure, on this net."""
    net, x, y = problem(name)
    few = x[:16]  # as many values a unit as are kept, at most
    return {
        "signals": (
            lambda: plain_signals(net, x, y),
            lambda: measure_signals(net, cross_entropy, x, y),
        ),
        "gradients": (
            lambda: plain_gradients(net, x, y),
            lambda: measure_gradients(net, cross_entropy, x, y),
        ),
        "cancellation": (
            lambda: plain_cancellation(net, x, y),
            lambda: measure_cancellation(net, cross_entropy, x, y),
        ),
        "covariate shift": (
            lambda: plain_covariate_shift(net, x, y),
            lambda: measure_covariate_shift(net, cross_entropy, x, y, LR),
        ),
        "input shift": (lambda: plain_input_shift(net, few), lambda: input_shift(net, few)),
    }


def rows_of(name: str, rounds: int) -> Iterator[Row]:
    """A row for each measurement on this net."""
    for what, pair in works(name).items():
        (ratio,) = ratios(list(pair), rounds)
        yield Row(f"{what}, {name} / plain code", LIMIT, ratio)


def rows(rounds: int) -> Iterator[Row]:
    """Rows for each net."""
    for name in NETS:
        yield from rows_of(name, rounds)


def main(arguments: list[str] | None = None) -> int:
    """Measure, print, and return 0 if every limit holds, else 1."""
    return measured.main(__doc__, rows, ROUNDS, arguments)


if __name__ == "__main__":
    sys.exit(main())
