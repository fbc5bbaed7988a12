"""What else moves the numbers of S4: the size of the weights, and the learning rate."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes

from bnlab.chapters.smoothness import s4_along_gradient as along_gradient
from bnlab.chapters.smoothness import s4_edge_of_stability as edge
from bnlab.chapters.smoothness.figures import names_in_corner
from bnlab.draw.figure import INK, Drawing, band, curve, draw, label, panel, plain_log
from bnlab.draw.style import STYLE
from bnlab.verdicts.evidence import Evidence
from bnlab.verdicts.table import fact_name


def weights_and_rates(evidence: Evidence) -> Drawing:
    """S4, beside the verdict: the same net with other weights, and the edge of stability."""
    data, facts = evidence.data, evidence.facts
    half, double = (facts[fact_name("scaled_beta", factor)] for factor in (0.5, 2.0))
    scales = panel(f"Half the weights, {half:.1f}× the β")
    for name, words in (("loss", "loss"), ("size", "gradient"), ("beta", "β")):
        ratios = np.array(
            [
                along_gradient.of_scaled(data, factor, name)
                / along_gradient.of_scaled(data, 1.0, name)
                for factor in along_gradient.SCALES
            ]
        )
        look = {"loss": ":", "size": "--", "beta": "-"}[name]
        x = list(along_gradient.SCALES)
        scales.fill_between(x, ratios.min(1), ratios.max(1), color=INK, alpha=0.15, lw=0)
        scales.plot(x, np.exp(np.log(ratios).mean(1)), color=INK, ls=look, marker="o", ms=5)
        above = {"loss": -16, "size": 0, "beta": 10}[name]
        start = np.exp(np.log(ratios[0]).mean())
        scales.annotate(words, (x[0], start), (8, above), textcoords="offset points")
    for which in "xy":
        plain_log(scales, which, [0.25, 0.5, 1, 2, 4])
    scales.set(xlabel="weights before BatchNorm, times", ylabel="against the net as it was")
    sharp, said = _sharpness(data)
    depth, lr = data["places"][0]
    alt = (
        f"a: loss, length of the gradient and effective beta of the BatchNorm net after "
        f"{along_gradient.MIDDLE} steps, when the weights before BatchNorm are multiplied. Halved, "
        f"they give {facts['scaled_loss_0_5']:.3f} times the loss and {half:.1f} times the beta; "
        f"doubled, {double:.2f} times the beta. b: sharpness in units of 2/rate during descent "
        f"on one fixed batch, where 1 is the edge of stability. At the end: {said}."
    )
    caption = (
        f"{len(data['seeds'])} seeds, depth {depth}; the shade spans all. In a the geometric mean, "
        f"at rate {lr:g}. In b the median: each curve is a net at a rate, on the squared error of "
        f"{edge.IMAGES} images; at the dotted line sharpness is 2 ÷ rate."
    )
    return draw([scales, sharp], alt, caption)


def _sharpness(data: dict) -> tuple[Axes, str]:
    axes, said = panel("Sharpness ends below 2/rate"), []
    axes.axhline(1, color=INK, lw=1, ls=":")
    steps = np.arange(0, edge.STEPS + 1, edge.EVERY)
    for norm in edge.NORMS:
        for lr in edge.LRS:
            rows, name = edge.curves(data, norm, lr) * lr / 2, STYLE[norm]["short"]
            lost = int(np.isnan(rows[:, -1]).sum())
            if 2 * lost > len(rows):
                said.append(f"{name} at {lr:g}: {lost} of {len(rows)} diverged")
                continue
            middle = np.nanmedian(rows, 0)
            band(axes, norm, steps, np.nanmin(rows, 0), np.nanmax(rows, 0))
            curve(axes, norm, steps, middle, ms=4)
            above = 2 if norm == "none" else -12
            label(axes, norm, steps[-1], middle[-1], f"{lr:g}", xytext=(6, above), ha="left")
            some = f" ({lost} diverged)" if lost else ""
            said.append(f"{name} at {lr:g}: {middle[-1]:.2f}{some}")
    plain_log(axes, "y", [0.1, 0.2, 0.5, 1, 2, 5, 10, 20])
    axes.set_xlim(-10, 1.13 * steps[-1])
    axes.set(xlabel="step (numbers: the learning rate)", ylabel="sharpness ÷ (2 ÷ rate)")
    names_in_corner(axes, edge.NORMS)
    return axes, "; ".join(said)
