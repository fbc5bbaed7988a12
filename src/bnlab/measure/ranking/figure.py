"""The figure of the BN indicator: how well scores order subnets, below the noise ceiling."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import numpy as np
from matplotlib.axes import Axes

from bnlab.draw.figure import INK, Drawing, draw, panel
from bnlab.measure.ranking.ranking import Agreement


class Scored(Protocol):
    """What ``taus`` reads of ``Indicator``."""

    scores: np.ndarray
    truth: np.ndarray
    agreement: Mapping[str, Agreement]
    tau: float
    ceiling: Agreement
    beyond_size: Agreement


def taus(found: Scored) -> Drawing:
    """A dot with its interval for each score, and the noise ceiling."""
    text = "; ".join(f"{name} {one}" for name, one in found.agreement.items())
    seeds, subnets = found.truth.shape
    alt = (
        f"Kendall's tau of scores with the accuracy of {subnets} subnets trained alone: {text}. "
        f"The noise ceiling is {found.ceiling}. The indicator's tau minus that of the size is "
        f"{found.beyond_size}."
    )
    caption = (
        f"Dots: mean over {len(found.scores)} supernets and {seeds} seeds of the subnets; bars: "
        "95 % intervals. Dashed: what a second training of all subnets would reach; shaded: its "
        "interval."
    )
    return draw([_panel(found)], alt, caption)


def _panel(found: Scored) -> Axes:
    taus, ceiling = found.agreement, found.ceiling
    title = f"Indicator {found.tau:.2f}, ceiling {ceiling.tau:.2f}"
    axes = panel(title, size=(4.7, 1.6 + 0.45 * len(taus)))
    for place, one in enumerate(taus.values()):
        axes.plot([one.low, one.high], [place, place], color=INK, lw=2.2)
        axes.plot(one.tau, place, color=INK, marker="o", ms=7)
    axes.axvspan(ceiling.low, ceiling.high, color=INK, alpha=0.12, lw=0)
    axes.axvline(ceiling.tau, color=INK, ls="--", lw=1.5)
    axes.axvline(0, color=INK, lw=0.8)
    axes.set_yticks(range(len(taus)), list(taus))
    axes.set(ylim=(len(taus) - 0.5, -0.5), xlabel="Kendall's tau with the truth")
    return axes
