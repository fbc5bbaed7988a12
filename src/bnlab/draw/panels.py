"""Panels by layer and by step, and the words for them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import NullFormatter

from bnlab.draw.figure import curve, label, panel, plain_log
from bnlab.draw.style import STYLE
from bnlab.draw.words import number

FAR = 30  # largest over smallest value from which an axis is logarithmic


def positive(values: np.ndarray) -> np.ndarray:
    """The values that a logarithmic axis can show."""
    return values[np.isfinite(values) & (values > 0)]


def compared(rows: Mapping[str, np.ndarray]) -> str:
    """Words for each net: 'from 1 in the first layer to 4 in the last'."""
    parts = [
        f"from {number(row[0])} in the first layer to {number(row[-1])} in the last"
        + (f" ({STYLE[norm]['label']})" if len(rows) > 1 else "")
        for norm, row in rows.items()
    ]
    return "; ".join(parts) + "."


def by_layer(rows: Mapping[str, np.ndarray], what: str, log: bool) -> Axes:
    """A panel with a curve for each net over the number of the layer.

    Args:
        rows: by normalizer, (L,) each.
        what: the label of the axis.
        log: a logarithmic axis, if the values differ enough for one.
    """
    axes = panel(_title(rows))
    everything = positive(np.concatenate(list(rows.values())))
    log = log and len(everything) > 0 and everything.max() > FAR * everything.min()
    ends = {}
    for norm, row in rows.items():
        layer = np.arange(1, len(row) + 1)
        visible = np.isfinite(row) & ((row > 0) | (not log))
        curve(axes, norm, layer, np.where(visible, row, np.nan), ms=4)
        if visible.any():
            last = np.flatnonzero(visible)[-1]
            ends[norm] = layer[last], row[last]
    if len(rows) > 1:
        name_ends(axes, ends)
    axes.set(xlabel="layer", ylabel=what)
    axes.xaxis.get_major_locator().set_params(integer=True)
    if log:
        log_axis(axes, everything)
    axes.margins(y=0.15)
    return axes


def name_ends(axes: Axes, ends: Mapping[str, tuple[float, float]]) -> None:
    """Write each normalizer's name at the end of its curve: the highest above, others below."""
    for k, (norm, (x, y)) in enumerate(sorted(ends.items(), key=lambda end: -end[1][1])):
        label(axes, norm, x, y, ha="right", xytext=(0, -16 if k else 7))


def log_axis(axes: Axes, values: np.ndarray) -> None:
    """A logarithmic y axis; in plain numbers where these are short."""
    if values.min() >= 1e-4 and values.max() < 1e5:
        plain_log(axes, "y")
    else:
        axes.set_yscale("log")
        axes.yaxis.set_minor_formatter(NullFormatter())


def _title(rows: Mapping[str, np.ndarray]) -> str:
    parts = [
        (f"{STYLE[norm]['short']} " if len(rows) > 1 else "")
        + f"{number(row[0])} → {number(row[-1])}"
        for norm, row in rows.items()
    ]
    return ", ".join(parts)
