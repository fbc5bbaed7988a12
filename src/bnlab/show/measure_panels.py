"""Panels by layer and by step, and the words for them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes

from bnlab.show.boxes import power
from bnlab.show.figure import curve, label, panel
from bnlab.show.style import STYLE


def number(value: float) -> str:
    """A number for a sentence; what is not finite in words."""
    if np.isnan(value):
        return "undefined"
    if np.isinf(value):
        return "infinite"
    return f"{value:.3g}" if 1e-3 <= abs(value) < 1e4 or value == 0 else power(float(value))


def positive(values: np.ndarray) -> np.ndarray:
    """Those that a logarithmic axis can show."""
    return values[np.isfinite(values) & (values > 0)]


def compared(rows: Mapping[str, np.ndarray]) -> str:
    """'from 1 in the first layer to 4 in the last' for each net."""
    parts = [
        f"from {number(row[0])} in the first layer to {number(row[-1])} in the last"
        + (f" ({STYLE[norm]['label']})" if len(rows) > 1 else "")
        for norm, row in rows.items()
    ]
    return "; ".join(parts) + "."


def by_layer(rows: Mapping[str, np.ndarray], what: str, log: bool) -> Axes:
    """A panel with a curve for each net over the number of the layer."""
    axes = panel(_title(rows))
    shown = [values for row in rows.values() for values in (positive(row) if log else row)]
    for norm, row in rows.items():
        layer = np.arange(1, len(row) + 1)
        visible = np.isfinite(row) & (row > 0) if log else np.isfinite(row)
        curve(axes, norm, layer, np.where(visible, row, np.nan), ms=4)
        if len(rows) > 1 and visible.any():
            last = np.flatnonzero(visible)[-1]
            label(axes, norm, layer[last], row[last], ha="right", xytext=(0, 6))
    axes.set(xlabel="layer", ylabel=what, yscale="log" if log and shown else "linear")
    axes.xaxis.get_major_locator().set_params(integer=True)
    return axes


def _title(rows: Mapping[str, np.ndarray]) -> str:
    parts = [
        (f"{STYLE[norm]['short']} " if len(rows) > 1 else "")
        + f"{number(row[0])} → {number(row[-1])}"
        for norm, row in rows.items()
    ]
    return ", ".join(parts)
