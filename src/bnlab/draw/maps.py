"""What the figures of the measurements share: heat maps, ticks, names."""

from __future__ import annotations

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable

from bnlab.draw.figure import INK, RC
from bnlab.draw.style import STYLE

FEW = 10  # integers on an axis; of more, six are written


def colour_bar(axes: Axes, mesh: ScalarMappable, what: str) -> None:
    """Say beside a map which colour is what, in the page's text colour."""
    with matplotlib.rc_context(RC):
        bar = axes.figure.colorbar(mesh, ax=axes, label=what)
    bar.outline.set_edgecolor(INK)


def counted(last: int) -> np.ndarray:
    """Ticks for an axis that counts 1 to ``last``."""
    if last <= FEW:
        return np.arange(1, last + 1)
    return np.unique(np.linspace(1, last, 6).astype(int))


def called(name: str) -> str:
    """A normalizer's name in words; any other name as it is."""
    return STYLE[name]["label"] if name in STYLE else name
