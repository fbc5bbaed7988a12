"""The figure of chapter 06 about the border between training and divergence: W2."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes

from bnlab.chapters.mean_field import w2_rate_plane as rate_plane
from bnlab.chapters.mean_field.gamma_figures import GAMMA, counted
from bnlab.chapters.mean_field.w2_rate_plane import BASE
from bnlab.draw.figure import INK, Drawing, band, curve, draw, label, panel, plain_log
from bnlab.draw.style import STYLE
from bnlab.draw.words import power
from bnlab.verdicts.evidence import Evidence

SIZE = (4.4, 4.0)
LINES = {"through": "solid", "held": (0, (5, 2)), "paper": (0, (1, 1.5))}
"""Ways to get eta*, with their dashes."""

TEXT = {"through": "through", "held": "held", "paper": "the paper's sum"}
Nets = list[rate_plane.Net]


def _nets(data: dict) -> Nets:
    return [(BASE.depth, "batch", gamma) for gamma in data["gammas"]]


def _ratio(data: dict, net: rate_plane.Net, name: str = "through") -> float:
    """The border over eta*, geometric mean over seeds."""
    return float(10 ** rate_plane.errors(data, net, name).mean())


def _outcomes(data: dict, title: str) -> Axes:
    """What became of each net, over gamma and rate, with the lines of eta*."""
    axes, gammas = panel(title, SIZE), data["gammas"]
    for net in _nets(data):
        losses = rate_plane.column(data, net, "test_loss")
        rates = rate_plane.column(data, net, "rate").mean(0)
        trained = np.isfinite(losses).all(0)
        here = np.full(len(rates), net[2])
        color = STYLE["batch"]["light"]
        axes.scatter(here[trained], rates[trained], 30, color=color, lw=0, label="train")
        axes.scatter(
            here[~trained], rates[~trained], 22, color=INK, marker="x", lw=1.1, label="diverge"
        )
    for name, dash in LINES.items():
        stars = [np.log10(rate_plane.stars(data, net, name)).mean() for net in _nets(data)]
        axes.plot(gammas, np.power(10, stars), color=INK, lw=1.6, ls=dash, label=TEXT[name])
    plain_log(axes, "x", gammas)
    plain_log(axes, "y", [0.001, 0.01, 0.1, 1, 10])
    axes.set(xlabel=GAMMA, ylabel="learning rate η")
    found = dict(zip(*axes.get_legend_handles_labels()[::-1], strict=True))
    look = {"frameon": False, "fontsize": 10, "labelcolor": INK, "handlelength": 1.6}
    known = {name: found[name] for name in ("train", "diverge")}
    axes.add_artist(axes.legend(known.values(), known, loc="upper right", **look))
    stars = {text: found[text] for text in TEXT.values()}
    axes.legend(stars.values(), stars, loc="lower left", title="η* by", title_fontsize=10, **look)
    return axes


def _margins(axes: Axes) -> None:
    """The line of a right prediction, and a factor of three around it."""
    axes.axhline(1, color=INK, lw=1)
    for margin in (1 / 3, 3):
        axes.axhline(margin, color=INK, lw=0.8, ls=":")
    plain_log(axes, "y", [0.1, 0.3, 1, 3, 10])
    axes.set(ylabel="border ÷ η*", ylim=(0.1, 15))


def _spread(axes: Axes, data: dict, nets: Nets, x: Sequence[float], name: str = "through") -> None:
    """The shade of all seeds."""
    rows = 10 ** np.array([rate_plane.errors(data, net, name) for net in nets])
    band(axes, nets[0][1], x, rows.min(1), rows.max(1))


def _over_gamma(data: dict, title: str) -> Axes:
    axes, gammas = panel(title, SIZE), data["gammas"]
    for name, dash in LINES.items():
        ratios = [_ratio(data, net, name) for net in _nets(data)]
        _spread(axes, data, _nets(data), gammas, name)
        curve(axes, "batch", gammas, ratios, linestyle=dash, ms=4)
        at = 1 if name == "paper" else len(gammas) // 2
        place = {"held": (0, 8), "paper": (6, -14), "through": (24, -24)}[name]
        look = {"xytext": place, "fontsize": 11, "ha": "left" if name == "paper" else "center"}
        label(axes, "batch", gammas[at], ratios[at], TEXT[name], **look)
    _margins(axes)
    plain_log(axes, "x", gammas)
    axes.set(xlabel=GAMMA)
    return axes


def _over_depth(data: dict, title: str) -> Axes:
    axes, depths = panel(title, SIZE), sorted({*data["depths"], BASE.depth})
    for norm, place in (("none", (0, 8)), ("batch", (0, -18))):
        nets = [(depth, norm, 1.0) for depth in depths]
        ratios = [_ratio(data, net) for net in nets]
        _spread(axes, data, nets, depths)
        curve(axes, norm, depths, ratios)
        where = {"xytext": place, "ha": "left", "fontsize": 11}
        label(axes, norm, depths[0], ratios[0], **where)
    _margins(axes)
    plain_log(axes, "x", depths)
    axes.set(xlabel="hidden layers")
    return axes


def plane(evidence: Evidence) -> Drawing:
    """W2: what became of each net in the plane of gamma and rate, and the border over eta*."""
    data, facts = evidence.data, evidence.facts
    low, high = facts["through_low"], facts["through_high"]
    ends = f"γ = {data['gammas'][0]:g} to {data['gammas'][-1]:g}"
    panels = [
        _outcomes(data, f"The border falls {power(facts['span'])}-fold from {ends}"),
        _over_gamma(data, f"Through: it lies at {low:.2g} to {high:.2g} times η*"),
    ]
    others = [net for net in rate_plane.plan([1.0], data["depths"]) if net[0] != BASE.depth]
    if others:
        most = max(_ratio(data, net) for net in others)
        panels.append(_over_depth(data, f"Other depths: up to {most:.2g} times η*"))
    caption = (
        f"{counted(data)}. a: a dot is a rate at which all seeds train; a cross, one at which some "
        "diverge. b: the border, in units of η* by each of the three ways. Dotted: a factor of "
        "three; the shade spans all seeds."
    )
    if others:
        caption += " c: γ = 1, η* with gradients through the statistics."
    return draw(panels, _alt(data, facts), caption)


def _alt(data: dict, facts: dict) -> str:
    each = "; ".join(
        f"{_name(net)}: {10 ** np.log10(rate_plane.border(data, net)).mean():.2g}, "
        f"{_ratio(data, net):.2g}"
        for net in rate_plane.plan(data["gammas"], data["depths"])
    )
    ways = "; ".join(
        f"{TEXT[name]}: {facts[f'{name}_low']:.2g} to {facts[f'{name}_high']:.2g}" for name in LINES
    )
    return (
        "a: what became of nets with BatchNorm in the plane of γ and learning rate; those above a "
        f"border diverged. Over γ the border spans a factor of {power(facts['span'])}, near the "
        "line that the eigenvalue measured at the start, with gradients through the statistics, "
        f"predicts. b: the border over η*, by three ways to get η*. {ways}. Borders, and their "
        f"ratio to η* with gradients through the statistics: {each}."
    )


def _name(net: rate_plane.Net) -> str:
    depth, norm, gamma = net
    if depth != BASE.depth:
        return f"{STYLE[norm]['short']}, {depth} layer{'s' if depth > 1 else ''}"
    return f"γ = {gamma:g}" if norm == "batch" else STYLE[norm]["short"]
