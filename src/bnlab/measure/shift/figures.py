"""The figures of covariate shift: of gradients, and of layer inputs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import numpy as np

from bnlab.draw.figure import Drawing, band, curve, draw, panel
from bnlab.draw.panels import by_layer, compared, name_ends
from bnlab.draw.style import STYLE
from bnlab.draw.words import number


class OfGradients(Protocol):
    """What ``draw_covariate_shift`` reads of ``CovariateShift``."""

    names: tuple[str, ...]
    l2: np.ndarray
    cosine: np.ndarray
    lr: float
    mode: str


class OfInputs(Protocol):
    """What ``draw_input_shift`` reads of ``InputShift``."""

    names: tuple[str, ...]
    relative: np.ndarray


class OverSteps(Protocol):
    """What ``draw_shift_history`` reads of ``ShiftHistory``."""

    steps: np.ndarray
    relative: np.ndarray
    diverged_at: int | None


def draw_covariate_shift(shifts: Mapping[str, OfGradients]) -> Drawing:
    """The l2 change and the cosine by layer, a curve for each net.

    Args:
        shifts: by the normalizer of the net.
    """
    l2 = {norm: shift.l2 for norm, shift in shifts.items()}
    cosine = {norm: shift.cosine for norm, shift in shifts.items()}
    panels = [
        by_layer(l2, "l2 change of the gradient", log=False),
        by_layer(cosine, "cosine of old and new gradient", log=False),
    ]
    first = next(iter(shifts.values()))
    alt = (
        "What a step of the layers before does to the gradient of a layer, in "
        f"{len(first.names)} layers. The l2 change goes {compared(l2)} The cosine goes "
        f"{compared(cosine)}"
    )
    caption = (
        f"One step of gradient descent, learning rate {first.lr:g}, the same batch, in "
        f"{first.mode} mode. No shift: change 0, cosine 1."
    )
    return draw(panels, alt, caption)


def draw_input_shift(shifts: Mapping[str, OfInputs]) -> Drawing:
    """Relative Wasserstein distance by layer, a curve for each net."""
    rows = {norm: shift.relative for norm, shift in shifts.items()}
    axes = by_layer(rows, "shift ÷ standard deviation", log=False)
    first = next(iter(shifts.values()))
    alt = (
        f"Shift of the inputs of {len(first.names)} layers between two moments, in standard "
        f"deviations of the first: {compared(rows)}"
    )
    return draw([axes], alt, "Wasserstein-1 distance, mean over the units of a layer.")


def draw_shift_history(histories: Mapping[str, OverSteps]) -> Drawing:
    """Relative Wasserstein distance by step: mean over the layers and their range."""
    axes = panel("")
    titles, sentences, ends = [], [], {}
    for norm, history in histories.items():
        known = ~np.isnan(history.relative).all(1)  # a net may be dead: no unit varies
        steps, rows = history.steps[known], history.relative[known]
        name = STYLE[norm]["label"]
        if not len(steps):
            sentences.append(f"{name}: undefined, no input varies.")
            continue
        mean = np.nanmean(rows, 1)
        band(axes, norm, steps, np.nanmin(rows, 1), np.nanmax(rows, 1))
        curve(axes, norm, steps, mean, ms=4)
        ends[norm] = steps[-1], mean[-1]
        titles.append(f"{STYLE[norm]['short']} {number(mean[0])} → {number(mean[-1])}")
        end = "" if history.diverged_at is None else f", diverged at step {history.diverged_at}"
        sentences.append(f"{name}: from {number(mean[0])} to {number(mean[-1])}{end}.")
    name_ends(axes, ends)
    axes.set(xlabel="step", ylabel="shift ÷ standard deviation", title=", ".join(titles))
    alt = (
        "Shift of the layer inputs from look to look during a training, in standard deviations, "
        "mean over the layers: " + " ".join(sentences)
    )
    return draw([axes], alt, "Wasserstein-1 distance; the shade spans the layers.")
