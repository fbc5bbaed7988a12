"""The figures of what flows through a net: signals, growth with depth, gradients."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np
from matplotlib.axes import Axes

from bnlab.draw.figure import Drawing, curve, draw, label, panel
from bnlab.draw.panels import FAR, by_layer, compared, log_axis, positive
from bnlab.draw.style import STYLE
from bnlab.draw.words import number

QUANTITIES = {
    "variance": "variance of the output",
    "cosine": "cosine similarity of samples",
    "gradient_norm": "norm of the gradient at the output",
}


class Layered(Protocol):
    """What ``draw_signals`` reads of ``Signals``, beside the quantities, (L,) each."""

    names: tuple[str, ...]
    mode: str


class Fit(Protocol):
    """A straight line through logarithms."""

    slope: float
    intercept: float
    r2: float


class Fitted(Protocol):
    """What ``draw_growth`` reads of ``Growth``."""

    depth: np.ndarray
    values: np.ndarray
    power: Fit
    exponential: Fit
    level: float
    better: str
    exponent: float
    exponent_interval: tuple[float, float]
    rate: float
    rate_interval: tuple[float, float]


class Histograms(Protocol):
    """What ``draw_gradients`` reads of ``Gradients``."""

    names: tuple[str, ...]
    edges: np.ndarray
    counts: np.ndarray
    std: np.ndarray
    tail_index: np.ndarray
    tail: float
    of: str
    mode: str


class Sums(Protocol):
    """What ``draw_cancellation`` reads of ``Cancellation``."""

    ratio: np.ndarray
    terms: np.ndarray
    mode: str


def draw_signals(
    signals: Mapping[str, Layered], quantities: Sequence[str] = tuple(QUANTITIES)
) -> Drawing:
    """A panel for each quantity, a curve for each net, by layer.

    Args:
        signals: by the normalizer of the net.
        quantities: which fields of ``Signals``.
    """
    wanted = [
        name
        for name in quantities
        if all(getattr(each, name) is not None for each in signals.values())
    ]
    panels, sentences = [], []
    for name in wanted:
        rows = {norm: getattr(each, name) for norm, each in signals.items()}
        what = QUANTITIES.get(name, name.replace("_", " "))
        panels.append(by_layer(rows, what, log=name in ("variance", "gradient_norm")))
        sentences.append(f"The {what} goes {compared(rows)}")
    first = next(iter(signals.values()))
    alt = f"Signals in {len(first.names)} layers, from input to output. " + " ".join(sentences)
    caption = f"From {first.names[0]} to {first.names[-1]}, one batch, in {first.mode} mode."
    return draw(panels, alt, caption)


def draw_growth(growth: Fitted, norm: str) -> Drawing:
    """The values and the two fits."""
    low, high = growth.exponent_interval
    rate_low, rate_high = growth.rate_interval
    power = f"power law, exponent {growth.exponent:.2f} ({low:.2f} to {high:.2f})"
    factor = f"{growth.rate:.3g} per layer ({rate_low:.3g} to {rate_high:.3g})"
    exponential = f"exponential, factor {factor}"
    title = {
        "power": f"Power {growth.exponent:.2f} of depth, R² {growth.power.r2:.2f}",
        "exponential": f"× {growth.rate:.3g} a layer, R² {growth.exponential.r2:.2f}",
        "neither": "No growth",
    }[growth.better]
    axes = panel(title)
    curve(axes, norm, growth.depth, growth.values, linestyle="none")
    fine = np.linspace(growth.depth[0], growth.depth[-1], 100)
    color = STYLE[norm]["light"]
    lines = {
        "power law": growth.power.intercept + growth.power.slope * np.log(fine),
        "exponential": growth.exponential.intercept + growth.exponential.slope * fine,
    }
    top = max(line[-1] for line in lines.values())
    for (name, line), dash in zip(lines.items(), ("-", ":"), strict=True):
        axes.plot(fine, np.exp(line), color=color, ls=dash, lw=1.6)
        place = {"ha": "right", "xytext": (0, 7 if line[-1] == top else -18)}
        if growth.better != "neither":
            label(axes, norm, fine[-1], np.exp(line[-1]), name, **place)
    axes.set(xlabel="depth", ylabel="value")
    if growth.values.max() > FAR * growth.values.min():
        log_axis(axes, growth.values)
    axes.margins(y=0.15)
    best = "Neither fits better" if growth.better == "neither" else f"{growth.better} fits better"
    alt = (
        f"A signal over {len(growth.depth)} depths, from {number(growth.values[0])} to "
        f"{number(growth.values[-1])}, with two fits: {power}, R² {growth.power.r2:.3f}; "
        f"{exponential}, R² {growth.exponential.r2:.3f}. {best[0].upper()}{best[1:]}."
    ).replace("R² nan", "R² undefined")
    caption = f"Solid: power law; dotted: exponential. Brackets: {100 * growth.level:g} % interval."
    return draw([axes], alt, caption)


def draw_gradients(gradients: Histograms, norm: str, layer: str | None = None) -> Drawing:
    """The histogram of a layer's gradients."""
    names = list(gradients.names)
    if layer is not None and layer not in names:
        raise ValueError(f"no layer {layer!r} was measured. Known: {', '.join(names)}.")
    at = len(names) // 2 if layer is None else names.index(layer)
    edges, counts = gradients.edges[at], gradients.counts[at]
    std, index = gradients.std[at], gradients.tail_index[at]
    axes = panel(f"Gradients of size {number(std)}")
    axes.stairs(counts, edges, fill=True, color=STYLE[norm]["light"])
    axes.set(xlabel=f"gradient of {names[at]}", ylabel="entries", yscale="log")
    axes.locator_params(axis="x", nbins=5)
    tail = "no tail index" if np.isnan(index) else f"tail index {index:.2f}"
    alt = (
        f"Histogram of the {int(counts.sum())} gradients of the {gradients.of} of layer "
        f"{names[at]}: root mean square {number(std)}, largest {number(edges[-1])}, {tail} "
        f"(largest {100 * gradients.tail:g} %)."
    )
    return draw([axes], alt, f"One batch, in {gradients.mode} mode.")


def draw_cancellation(cancellation: Sums, norm: str) -> Drawing:
    """Bjorck's ratio by layer."""
    rows = {norm: cancellation.ratio}
    axes: Axes = by_layer(rows, "sum of sizes ÷ size of the sum", log=True)
    terms = f"{cancellation.terms.min()} to {cancellation.terms.max()}"
    alt = (
        "Sum of the absolute contributions to the weight gradients over the absolute value of "
        f"their sum: {compared(rows)} Each gradient is a sum of {terms} contributions."
    )
    middle = np.median(positive(cancellation.ratio)) if len(positive(rows[norm])) else np.nan
    caption = f"1: all contributions have one sign. Median over the layers: {number(middle)}."
    return draw([axes], alt, caption)
