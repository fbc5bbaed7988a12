"""The figure of a curvature: where the eigenvalues of its matrix lie."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from matplotlib.axes import Axes

from bnlab.draw.figure import INK, Drawing, draw, panel
from bnlab.draw.style import STYLE
from bnlab.measure.curvature.spectrum import Density, Trace

MATRIX = {"hessian": "Hessian", "gauss_newton": "Gauss-Newton", "fisher": "Fisher"}
LOWEST = 1e-3  # of one eigenvalue: a density below it is the tail of a Gaussian


class Eigen(Protocol):
    """What ``spectrum`` reads of ``Curvature``."""

    kind: str
    mode: str
    batch_statistics: str
    size: int
    top: np.ndarray
    bottom: np.ndarray
    top_residuals: np.ndarray
    bottom_residuals: np.ndarray
    trace: Trace | None
    density: Density | None


def spectrum(found: Eigen, name: str) -> Drawing:
    """Density of the eigenvalues, and the extreme ones; without a density, these alone."""
    text = STYLE[name]["label"] if name in STYLE else name
    color = STYLE[name]["light"] if name in STYLE else INK
    ends = _in_words(found)
    parts = [f"{MATRIX[found.kind]} matrix of {text} ({found.size} parameters)", *ends]
    if found.trace is not None:
        parts.append(f"trace {found.trace.trace:.3g} ± {found.trace.error:.2g}")
    caption = (
        f"In {found.mode} mode, batch statistics {found.batch_statistics}. "
        + _residual(found)
        + (" The shade is one standard error over probes." if found.density is not None else "")
    )
    title = f"{text}: {ends[0]}" if ends else f"{text}: {parts[-1]}"
    make = _ranked if found.density is None else _density
    return draw([make(found, title[0].upper() + title[1:], color)], "; ".join(parts) + ".", caption)


def _in_words(found: Eigen) -> list[str]:
    words = []
    if len(found.top):
        words.append(f"largest eigenvalue {found.top[0]:.3g}")
    if len(found.bottom):
        words.append(f"smallest eigenvalue {found.bottom[0]:.3g}")
    return words


def _residual(found: Eigen) -> str:
    worst = float(np.max([*found.top_residuals, *found.bottom_residuals], initial=0.0))
    if np.isnan(worst):
        return "In these few digits, no bound of an error can be stated."
    return f"Largest residual of an eigenvalue: {worst:.1g}."


def _density(found: Eigen, title: str, color: str) -> Axes:
    density = found.density
    axes = panel(title)
    # Eigenvalues per unit: a single one is a bell of area 1.
    per_unit = density.density * found.size
    error = density.error * found.size
    lowest = LOWEST / (density.width * np.sqrt(2 * np.pi))
    axes.plot(density.grid, np.maximum(per_unit, lowest), color=color, lw=1.8)
    low, high = (np.maximum(per_unit + sign * error, lowest) for sign in (-1, 1))
    axes.fill_between(density.grid, low, high, color=color, alpha=0.18, lw=0)
    values = [*found.top, *found.bottom]
    axes.plot(values, [2 * lowest] * len(values), "o", color=color, ms=5)
    axes.set(yscale="log", ylim=(lowest, None), xlabel="eigenvalue")
    axes.set_ylabel("eigenvalues per unit")
    return axes


def _ranked(found: Eigen, title: str, color: str) -> Axes:
    axes = panel(title)
    values = [*found.top, *found.bottom[::-1]]
    ranks = [*range(1, len(found.top) + 1)]
    ranks += [found.size - i for i in reversed(range(len(found.bottom)))]
    axes.plot(range(len(values)), values, "o", color=color)
    axes.axhline(0, color=INK, lw=0.8, alpha=0.5)
    axes.set_xticks(range(len(values)), [str(rank) for rank in ranks])
    axes.set(xlabel="rank of the eigenvalue", ylabel="eigenvalue")
    return axes
