"""How the nets of chapter 09 look, and what they are called."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes

from bnlab.draw.figure import band, curve

LOOKS = {
    "batch": "batch",
    "mimic": "ghost_batch",
    "last_norm": "l1_batch",
    "weight_mean": "weight_mean",
    "centred": "weight_mean",
    "neither": "rms",
    "fixup": "layer",
    "none": "none",
}
"""The look of each net, a key of ``STYLE``."""

WORDS = {
    "batch": "BatchNorm",
    "mimic": "MimicNorm",
    "last_norm": "last BatchNorm only",
    "weight_mean": "weight mean only",
    "centred": "weight mean",
    "neither": "neither",
    "fixup": "Fixup",
    "none": "no normalizer",
}
NET_WORDS = {"residual": "residual net", "plain": "no shortcuts", "deep": "30 layers"}


def spread(
    axes: Axes, name: str, x: Sequence[float], rows: np.ndarray, **options: object
) -> np.ndarray:
    """The mean curve of a net, in the band of all seeds; ``rows`` is (seeds, x). Gives the mean."""
    mean = rows.mean(0)
    band(axes, LOOKS[name], x, rows.min(0), rows.max(0))
    curve(axes, LOOKS[name], x, mean, label=WORDS[name], **options)
    return mean


def legend(axes: Axes, place: str = "lower right") -> None:
    """The names of the curves, in their colours."""
    axes.legend(frameon=False, fontsize=11, labelcolor="linecolor", loc=place)
