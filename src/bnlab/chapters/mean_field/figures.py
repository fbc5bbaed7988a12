"""The figures of chapter 06."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes

from bnlab.chapters.mean_field import border_figures, gamma_figures, w1_fisher_at_start
from bnlab.chapters.mean_field.gamma_figures import GAMMA, counted
from bnlab.chapters.mean_field.w1_fisher_at_start import GAMMAS, SIDE_WIDTH
from bnlab.chapters.mean_field.w2_rate_plane import BASE
from bnlab.draw.figure import INK, Drawing, band, curve, draw, label, panel, plain_log
from bnlab.draw.style import STYLE
from bnlab.draw.words import power
from bnlab.verdicts.evidence import Evidence

SMALL = (4.4, 3.7)
COLUMNS = ("held", "through")
Setting = w1_fisher_at_start.Setting


def _spread(axes: Axes, data: dict, nets: Sequence[Setting], x: Sequence, **options: str) -> None:
    """Eigenvalues of some nets over ``x``: mean, with all seeds in the shade."""
    column = options.pop("column", "held")
    rows = np.array([w1_fisher_at_start.select(data, net, column) for net in nets])
    band(axes, nets[0][4], x, rows.min(1), rows.max(1))
    curve(axes, nets[0][4], x, rows.mean(1), ms=5, **options)


def _theory(axes: Axes, nets: Sequence[Setting], x: Sequence, corrected: bool) -> None:
    lines = [w1_fisher_at_start.predicted(net, corrected) for net in nets]
    axes.plot(x, lines, color=INK, lw=1.3, ls=(0, (1, 1.5)) if not corrected else (0, (5, 2)))


def _over_gamma(data: dict, kind: str, title: str) -> Axes:
    axes = panel(title, SMALL)
    nets = [(kind, "hidden", BASE.depth, SIDE_WIDTH, "batch", gamma) for gamma in GAMMAS]
    plain = (kind, "hidden", BASE.depth, SIDE_WIDTH, "none", 1.0)
    for corrected in (False, True):
        _theory(axes, nets, GAMMAS, corrected)
    _spread(axes, data, [plain] * 2, [GAMMAS[0], GAMMAS[-1]], marker="")
    _spread(axes, data, nets, GAMMAS)
    _spread(axes, data, nets, GAMMAS, column="through", linestyle=":")
    middle = {name: w1_fisher_at_start.select(data, nets[1], name).mean() for name in COLUMNS}
    label(axes, "none", GAMMAS[0], w1_fisher_at_start.select(data, plain).mean(), ha="left")
    label(axes, "batch", GAMMAS[1], middle["held"], "held", xytext=(-14, 8))
    label(axes, "batch", GAMMAS[1], middle["through"], "through", xytext=(32, -12))
    plain_log(axes, "x", GAMMAS)
    plain_log(axes, "y")
    axes.set(xlabel=GAMMA, ylabel="largest eigenvalue")
    return axes


def _over_size(data: dict, which: str, title: str) -> Axes:
    """Eigenvalues over depth or width at gamma 1, with white noise at the input if measured."""
    axes, kind = panel(title, SMALL), data["inputs"][-1]
    sizes = sorted({*data[f"{which}s"], BASE.depth if which == "depth" else SIDE_WIDTH})
    for norm in ("none", "batch"):
        shapes = [(s, SIDE_WIDTH) if which == "depth" else (BASE.depth, s) for s in sizes]
        nets = [(kind, "hidden", *shape, norm, 1.0) for shape in shapes]
        for corrected in (False, True):
            _theory(axes, nets, sizes, corrected)
        _spread(axes, data, nets, sizes)
        end = w1_fisher_at_start.select(data, nets[-1]).mean()
        below = norm == "batch" and which == "width"
        place = (0, -20) if below else (0, 8)
        label(axes, norm, sizes[-1], end, STYLE[norm]["short"], ha="right", xytext=place)
    plain_log(axes, "x", sizes)
    plain_log(axes, "y")
    name = "hidden layers" if which == "depth" else "units a layer"
    axes.set(xlabel=name, ylabel="largest eigenvalue")
    return axes


def _up_to(crossing: float) -> str:
    """Up to which gamma the eigenvalue is smaller than without a normalizer."""
    if np.isinf(crossing):
        return f"smaller at every γ measured, up to {GAMMAS[-1]:g}"
    return f"smaller up to γ = {crossing:.2g}"


def _growth(data: dict) -> str:
    """How much the eigenvalues grow from the smallest width to the largest."""
    ends = min(data["widths"]), max([*data["widths"], SIDE_WIDTH])
    words = []
    for norm in ("none", "batch"):
        nets = [(data["inputs"][-1], "hidden", BASE.depth, width, norm, 1.0) for width in ends]
        small, large = (w1_fisher_at_start.select(data, net).mean() for net in nets)
        words.append(f"{large / small:.2g} times ({STYLE[norm]['label']})")
    return f"From {ends[0]} to {ends[1]} units it grows {' and '.join(words)}."


def eigenvalues(evidence: Evidence) -> Drawing:
    """W1: the largest eigenvalue over gamma, depth and width, measured and predicted."""
    data, facts = evidence.data, evidence.facts
    one, four = facts["one_held"], 1 / facts["four_held"]
    crossing = facts["crossing_digits_held"]
    panels = [_over_gamma(data, "digits", f"Held: BatchNorm helps up to γ = {crossing:.2g}")]
    several = bool(data["depths"] or data["widths"])
    alt = (
        f"Largest eigenvalue of the Fisher matrix of untrained nets. At width {data['width']}, "
        f"BatchNorm's with held statistics is {power(one)} times smaller than without a normalizer "
        f"at γ = 1, and {power(four)} times larger at γ = 4. {'a: a' if several else 'A'}gainst γ, "
        f"at width {SIDE_WIDTH}, on digits; the two nets are equal at γ = {crossing:.2g}. Where "
        "gradients pass through the statistics, BatchNorm's is "
        f"{_up_to(facts['crossing_digits_through'])}."
    )
    if data["depths"]:
        kind, deepest = data["inputs"][-1], max(data["depths"])
        low, high = (facts[f"{name}_{kind}_batch_{deepest}"] for name in ("paper", "corrected"))
        panels.append(
            _over_size(data, "depth", f"{deepest} layers: {low:.2g} times the paper's sum")
        )
        alt += (
            f" b: against depth. With {deepest} hidden layers BatchNorm's is {low:.2g} "
            f"times what the paper's recursions say and {high:.2g} times the corrected ones."
        )
    if data["widths"]:
        panels.append(_over_size(data, "width", "It grows with the width"))
        alt += f" {'c' if data['depths'] else 'b'}: against width. {_growth(data)}"
    caption = (
        f"{counted(data)}; the shade spans all. Thin dotted line: the paper's sum; thin dashed "
        "line: corrected, for a net of finite size. Held: the batch's statistics are constants. "
        "Through: gradients pass through them."
    )
    if several:
        noise = "white noise as inputs, " if len(data["inputs"]) > 1 else ""
        caption += f" a: digits; the others: {noise}γ = 1, statistics held."
    return draw(panels, alt, caption)


FIGURES = {
    "W1": eigenvalues,
    "W2": border_figures.plane,
    "W3": gamma_figures.smaller_gamma,
    "W4": gamma_figures.best_rates,
}
