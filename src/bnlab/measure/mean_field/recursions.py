"""Order parameters of a random ReLU net from layer to layer; the formulas are in ``mean_field``."""

from __future__ import annotations

import numpy as np


def forward(
    layers: int, norm: str, gamma: float, weight_variance: float, bias_variance: float
) -> dict[str, np.ndarray]:
    """Second moments of z^l, and of h^{l-1}, of one input and of two; (layers,) each."""
    q, q_xy, q_hat, q_hat_xy = [], [], [1.0], [0.0]
    for layer in range(layers):
        q.append(bias_variance + weight_variance * q_hat[layer])
        q_xy.append(bias_variance + weight_variance * q_hat_xy[layer])
        if norm == "batch":
            q_hat.append(gamma**2 / 2)
            q_hat_xy.append(gamma**2 / (2 * np.pi))
        else:
            c = min(q_xy[-1] / q[-1], 1.0)
            angle = np.sqrt(1 - c * c) + c * np.pi / 2 + c * np.arcsin(c)
            q_hat.append(q[-1] / 2)
            q_hat_xy.append(q[-1] / (2 * np.pi) * angle)
    names = ("q", "q_xy", "q_hat", "q_hat_xy")
    values = (q, q_xy, q_hat[:-1], q_hat_xy[:-1])
    return {name: np.array(value) for name, value in zip(names, values, strict=True)}


def backward_factors(
    signals: dict[str, np.ndarray], norm: str, scale: np.ndarray, weight_variance: float
) -> tuple[np.ndarray, np.ndarray]:
    """The ratios q_tilde^l / q_tilde^{l+1} for l = 1 ... L-1, and the same for two inputs.

    Args:
        signals: from ``forward``.
        norm: ``none`` or ``batch``.
        scale: (L,), gamma^2 weight_variance / D, of BatchNorm alone.
        weight_variance: of a weight, times its layer's fan-in.
    """
    if norm == "batch":  # ReLU passes half of the units, and a quarter for two inputs
        return scale[:-1] / 2, scale[:-1] / 4
    c = np.minimum(signals["q_xy"] / signals["q"], 1.0)[:-1]
    both = (np.pi / 2 + np.arcsin(c)) / (2 * np.pi)
    return np.full(len(c), weight_variance / 2), weight_variance * both


def from_the_end(factors: np.ndarray) -> np.ndarray:
    """Products of the factors from each entry to the last; a 1 at the end."""
    return np.append(np.cumprod(factors[::-1])[::-1], 1.0)


def after(values: np.ndarray) -> np.ndarray:
    """For each entry the sum of those behind it."""
    return np.append(np.cumsum(values[:0:-1])[::-1], 0.0)
