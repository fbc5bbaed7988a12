"""The figures of chapter 06."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes

from bnlab.chapters.mean_field import gamma_figures, w1_fisher_at_start
from bnlab.chapters.mean_field import w2_rate_plane as rate_plane
from bnlab.chapters.mean_field.gamma_figures import GAMMA, counted
from bnlab.chapters.mean_field.w1_fisher_at_start import GAMMAS, SIDE_WIDTH
from bnlab.chapters.mean_field.w2_rate_plane import BASE
from bnlab.draw.figure import INK, Drawing, band, curve, draw, label, panel, plain_log
from bnlab.draw.style import STYLE
from bnlab.draw.words import power
from bnlab.verdicts.evidence import Evidence

SMALL = (4.4, 3.7)
COLUMNS = ("held", "through")
LINES = {"through": "solid", "held": (0, (5, 2)), "paper": (0, (1, 1.5))}
MARKS = {"through": "o", "held": "s", "paper": "^", "corrected": "v"}
Setting = w1_fisher_at_start.Setting


# ------------------------------------------------------------------------ W1


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
    panels = [_over_gamma(data, "digits", f"Held: smaller up to γ = {crossing:.2g}")]
    alt = (
        f"Largest eigenvalue of the Fisher matrix of untrained nets. At width {data['width']}, "
        f"BatchNorm's with held statistics is {power(one)} times smaller than without a normalizer "
        f"at γ = 1, and {power(four)} times larger at γ = 4. First panel: against γ, at width "
        f"{SIDE_WIDTH}, on digits; the two nets are equal at γ = {crossing:.2g}. Where gradients "
        f"pass through the statistics, BatchNorm's is {_up_to(facts['crossing_digits_through'])}."
    )
    if data["depths"]:
        kind, deepest = data["inputs"][-1], max(data["depths"])
        low, high = (facts[f"{name}_{kind}_batch_{deepest}"] for name in ("paper", "corrected"))
        panels.append(_over_size(data, "depth", f"At {deepest} layers {low:.1f}× the paper's"))
        alt += (
            f" Second panel: against depth. With {deepest} hidden layers BatchNorm's is {low:.2g} "
            f"times what the paper's recursions say and {high:.2g} times the corrected ones."
        )
    if data["widths"]:
        panels.append(_over_size(data, "width", "It grows with the width"))
        alt += f" Third panel: against width. {_growth(data)}"
    caption = (
        f"{counted(data)}; the shade spans all. Thin dotted line: the paper's recursions; thin "
        "dashed line: corrected, with the terms of finite size. Held: the batch's statistics are "
        "constants. Through: gradients pass through them."
    )
    if len(data["inputs"]) > 1:
        caption += " Left: digits; the others: white noise as inputs, γ = 1."
    return draw(panels, alt, caption)


# ------------------------------------------------------------------------ W2


def _star(data: dict, net: rate_plane.Net, name: str) -> float:
    return float(10 ** np.log10(rate_plane.stars(data, net, name)).mean())


def _plane(data: dict, title: str) -> Axes:
    axes, gammas = panel(title, (5.2, 4.2)), data["gammas"]
    nets = [(BASE.depth, "batch", gamma) for gamma in gammas]
    for net in nets:
        losses = rate_plane.column(data, net, "test_loss")
        rates = rate_plane.column(data, net, "rate").mean(0)
        trained = np.isfinite(losses).all(0)
        sizes = 14 + 60 * np.clip(-np.log10(np.nanmean(losses[:, trained], 0)), 0, 1.3)
        here = np.full(len(rates), net[2])
        look = {"color": STYLE["batch"]["light"], "lw": 0}
        axes.scatter(here[trained], rates[trained], sizes, alpha=0.75, **look)
        axes.scatter(here[~trained], rates[~trained], 26, color=INK, marker="x", lw=1.2)
    for name, dash in LINES.items():
        line = [_star(data, net, name) for net in nets]
        axes.plot(gammas, line, color=INK, lw=1.6, ls=dash)
    plain_log(axes, "x", gammas)
    plain_log(axes, "y", [0.001, 0.01, 0.1, 1, 10])
    axes.set(xlabel=GAMMA, ylabel="learning rate η")
    return axes


def _ratios(data: dict, title: str) -> Axes:
    axes, nets = panel(title, (5.2, 4.2)), rate_plane.plan(data["gammas"], data["depths"])
    nets = sorted(nets, key=lambda net: (net[0] != BASE.depth, net[1] == "none"))
    for name, mark in MARKS.items():
        ratios = [10 ** rate_plane.errors(data, net, name).mean() for net in nets]
        shape = {"facecolors": INK if name == "through" else "none", "edgecolors": INK}
        axes.scatter(range(len(nets)), ratios, 42, marker=mark, label=name, **shape)
    axes.axhline(1, color=INK, lw=1)
    for margin in (1 / 3, 3):
        axes.axhline(margin, color=INK, lw=0.8, ls=":")
    plain_log(axes, "y", [0.1, 0.3, 1, 3, 10])
    axes.set_xticks(range(len(nets)), [_name(net) for net in nets], rotation=60, fontsize=11)
    axes.set(ylabel="border ÷ η*")
    axes.legend(frameon=False, fontsize=11, ncols=2, labelcolor=INK)
    return axes


def _name(net: rate_plane.Net) -> str:
    depth, norm, gamma = net
    if depth != BASE.depth:
        return f"{STYLE[norm]['short']}, {depth} layer{'s' if depth > 1 else ''}"
    return f"γ = {gamma:g}" if norm == "batch" else STYLE[norm]["short"]


def plane(evidence: Evidence) -> Drawing:
    """W2: what became of each net in the plane of gamma and rate, and the border over eta*."""
    data, facts = evidence.data, evidence.facts
    low, high = facts["through_low"], facts["through_high"]
    title = f"The border falls {power(facts['span'])}× from γ = {data['gammas'][0]:g}"
    panels = [
        _plane(data, f"{title} to {data['gammas'][-1]:g}"),
        _ratios(data, f"It lies at {low:.2g} to {high:.2g} times η*"),
    ]
    each = "; ".join(
        f"{_name(net)}: {10 ** np.log10(rate_plane.border(data, net)).mean():.2g}, "
        f"{10 ** rate_plane.errors(data, net).mean():.2g}"
        for net in rate_plane.plan(data["gammas"], data["depths"])
    )
    alt = (
        "Left: what became of nets with BatchNorm in the plane of γ and learning rate; those above "
        f"a border diverged. Over γ the border spans a factor of {power(facts['span'])}, near the "
        "line that the eigenvalue measured at the start predicts. Right: the border over "
        f"η*, by four ways to get η*. Borders and their ratio to the measured η*: {each}."
    )
    caption = (
        f"{counted(data)}. Left: a dot is a rate at which all seeds train, the larger "
        "the lower the test loss; a cross, one at which some diverge. Solid: η* by the eigenvalue "
        "with gradients through the statistics; dashed: with held statistics; dotted: the paper's "
        "recursions. Right: geometric means; dotted lines: a factor of three."
    )
    return draw(panels, alt, caption)


FIGURES = {
    "W1": eigenvalues,
    "W2": plane,
    "W3": gamma_figures.smaller_gamma,
    "W4": gamma_figures.best_rates,
}
