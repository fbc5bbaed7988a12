"""The heat maps of what a gradient step does: to the loss, and inside of the net."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from matplotlib.axes import Axes

from bnlab.draw.figure import Drawing, draw, panel, plain_log
from bnlab.draw.maps import called, colour_bar, counted
from bnlab.draw.words import magnitude

LEAST = 1e-30  # what is smaller has no colour of its own


class ByBatch(Protocol):
    """What ``relative_losses`` reads of ``RelativeLoss``."""

    steps: np.ndarray
    before: np.ndarray
    relative: np.ndarray
    diverged: np.ndarray


class ByShare(Protocol):
    """What ``step_moments`` reads of ``StepMoments``."""

    shares: np.ndarray
    lr: float
    layers: tuple[str, ...]
    layer_mean: np.ndarray
    layer_variance: np.ndarray


def relative_losses(found: ByBatch, name: str) -> Drawing:
    """Loss after a step over the loss before it: batches by step lengths."""
    worst, best = found.relative.max(), found.relative.min()
    axes = panel(f"The best step leaves {magnitude(best)} of the loss")
    batch = np.arange(1, len(found.before) + 1)
    bound = 3.0  # decades: 10^3 is divergence
    values = np.clip(np.log10(np.maximum(found.relative, LEAST)), -bound, bound)
    mesh = axes.pcolormesh(
        found.steps, batch, values, shading="nearest", cmap="RdBu_r", vmin=-bound, vmax=bound,
        rasterized=True,
    )  # fmt: skip
    plain_log(axes, "x")
    axes.set(xlabel="length of the step, as a learning rate", ylabel="batch")
    axes.set_yticks(counted(len(batch)))
    colour_bar(axes, mesh, "log₁₀(loss after / before)")
    harmful = found.steps[(found.relative > 1).any(0)]
    alt = (
        f"Loss after a gradient step over the loss before it, for {len(batch)} batches of "
        f"{called(name)} and steps from {found.steps.min():.3g} to {found.steps.max():.3g}: from "
        f"{magnitude(best)} to {magnitude(worst)}. "
        + (f"Steps from {harmful.min():.3g} on raise it on some batch. " if harmful.size else "")
        + f"{found.diverged.mean():.0%} of all are beyond 1000."
    )
    return draw([axes], alt, "Blue: the step helps; darkest red: the loss is 1000 times as large.")


def step_moments(found: ByShare, name: str) -> Drawing:
    """Absolute mean and variance of each layer while a step is applied."""
    grown = magnitude(found.layer_variance[-1, -1] / max(found.layer_variance[0, -1], LEAST))
    panels = [
        _map(found, found.layer_mean, "Mean of the channels, absolute"),
        _map(found, found.layer_variance, f"Last layer's variance × {grown}"),
    ]
    panels[0].figure.axes[1].set_ylabel("log₁₀ |mean|")
    panels[1].figure.axes[1].set_ylabel("log₁₀ variance")
    alt = (
        f"Mean and variance of the outputs of {len(found.layers)} layers of {called(name)} while "
        f"a step of length {found.lr:g} is applied. The last layer's variance changes by a factor "
        f"of {grown}; the largest variance is {magnitude(found.layer_variance.max())}."
    )
    return draw(panels, alt, "Averaged over channels. 100 %: the whole step. White: not finite.")


def _map(found: ByShare, values: np.ndarray, title: str) -> Axes:
    axes = panel(title)
    shown = np.log10(np.maximum(values, LEAST))
    shown = np.where(np.isfinite(shown), shown, np.nan)
    layer = np.arange(1, len(found.layers) + 1)
    share = 100 * found.shares
    mesh = axes.pcolormesh(layer, share, shown, shading="nearest", rasterized=True)
    axes.set(xlabel="layer", ylabel="share of the step (%)")
    axes.set_xticks(counted(len(layer)))
    colour_bar(axes, mesh, "")
    return axes
