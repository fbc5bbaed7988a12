"""The figure of mean-field theory: what each layer contributes to the bound."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from bnlab.draw.figure import Drawing, curve, draw, panel
from bnlab.draw.style import STYLE


class Contributions(Protocol):
    """What ``contributions`` reads of ``MeanField``."""

    norm: str
    gamma: float
    corrected: bool
    by_layer: np.ndarray
    bound: float

    def largest_lr(self) -> float:
        """The largest learning rate that does not diverge, without momentum."""


def contributions(found: Contributions) -> Drawing:
    """The terms f_l over the layers; their sum is the title."""
    label, terms = STYLE[found.norm]["label"], found.by_layer
    largest = int(terms.argmax()) + 1
    of = f", gamma {found.gamma:g}" if found.norm == "batch" else ""
    alt = (
        f"What each of {len(terms)} layers contributes to the bound on the largest Fisher "
        f"eigenvalue of {label}{of}: {', '.join(f'{term:.3g}' for term in terms)}. The sum is "
        f"{found.bound:.4g}; layer {largest} contributes most."
    )
    caption = (
        f"Mean-field theory{', corrected' if found.corrected else ' of Wei et al. 2019'}. "
        f"Largest learning rate, without momentum: {found.largest_lr():.2g}."
    )
    axes = panel(f"{label[0].upper()}{label[1:]}: bound {found.bound:.4g}")
    layers = range(1, len(terms) + 1)
    curve(axes, found.norm, layers, terms)
    axes.set(xlabel="layer", ylabel="contribution to the bound", ylim=(0, None))
    axes.set_xticks(list(layers) if len(layers) <= 12 else [1, len(layers)])
    return draw([axes], alt, caption)
