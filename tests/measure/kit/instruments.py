"""Every measurement of a net on a batch, called the same way."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn

from bnlab import measure


def _line(net, loss, x, y, **options):
    direction = measure.random_direction(net)
    return measure.measure_line_slice(net, loss, x, y, direction, [0.0, 0.1], **options)


def _plane(net, loss, x, y, **options):
    pair = measure.random_direction(net), measure.random_direction(net, 1)
    return measure.measure_plane_slice(net, loss, x, y, pair, [0.0], [0.1], **options)


def _curvature(net, loss, x, y, **options):
    few = {"top": 1, "bottom": 0, "probes": 0, "tolerance": 1e-3}
    return measure.measure_curvature(net, loss, x, y, **few, **options)


def _rate(net, loss, x, y, **options):
    few = {"low": 1e-3, "high": 1.0, "steps": 2, "tolerance": 2.0}
    return measure.measure_stable_rate(net, loss, [(x, y)], **few, **options)


def _history(net, loss, x, y, **options):
    recorder = measure.ShiftRecorder(net, x, every=1, **options)
    for step in range(2):
        recorder(step)
    return recorder.history()


def _input_shift(net, loss, x, y, **options):
    return measure.measure_input_shift(*(measure.layer_inputs(net, x, **options) for _ in "12"))


INSTRUMENTS: dict[str, Callable[..., object]] = {
    "signals": measure.measure_signals,
    "gradients": measure.measure_gradients,
    "output gradients": lambda *a, **o: measure.measure_gradients(*a, of="outputs", **o),
    "cancellation": measure.measure_cancellation,
    "covariate shift": lambda *a, **o: measure.measure_covariate_shift(*a, 0.1, **o),
    "inputs": lambda net, loss, x, y, **o: measure.layer_inputs(net, x, **o),
    "input shift": _input_shift,
    "shift history": _history,
    "landscape": lambda *a, **o: measure.measure_landscape(*a, [0.1], **o),
    "relative loss": lambda net, loss, x, y, **o: measure.measure_relative_loss(
        net, loss, [(x, y)], [0.1], **o
    ),
    "line slice": _line,
    "plane slice": _plane,
    "step moments": lambda *a, **o: measure.measure_step_moments(*a, 0.1, [0.0, 1.0], **o),
    "gradient identity": measure.measure_gradient_identity,
    "curvature": _curvature,
    "stable rate": _rate,
    "memory": measure.measure_memory,
    "flops": lambda net, loss, x, y, **o: measure.measure_flops(net, x, **o),
}
"""By name: (net, loss, x, y, **options) -> the result."""

NEEDS_BATCH_NORM = {"gradient identity"}
NEEDS_GRADIENTS = (
    set(INSTRUMENTS)
    - {"signals", "output gradients", "cancellation", "flops"}
    - {
        *("inputs", "input shift", "shift history", "gradient identity"),
    }
)
"""Those that refuse a net of which no parameter requires a gradient."""


def plain_net() -> nn.Sequential:
    """Linear layers, BatchNorm and dropout."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        hidden = [nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.2), nn.Linear(8, 8)]
        return nn.Sequential(*hidden, nn.Tanh(), nn.Linear(8, 3))


def batch() -> tuple[torch.Tensor, torch.Tensor]:
    """Twelve samples of four numbers, and a class for each."""
    x = torch.randn(12, 4, generator=torch.Generator().manual_seed(1))
    return x, torch.arange(12) % 3


def numbers(result: object) -> str:
    """All numbers of a result, as text."""
    return repr({key: value for key, value in vars(result).items() if key != "by_layer"})
