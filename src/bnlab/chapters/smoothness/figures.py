"""The figures of chapter 05."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from bnlab.chapters.smoothness import s4_along_gradient, s5_lp_norms, s6_theorem
from bnlab.chapters.smoothness import s5_linear_net as linear_net
from bnlab.draw.figure import INK, Drawing, band, curve, draw, panel, plain_log
from bnlab.draw.style import STYLE
from bnlab.draw.words import power
from bnlab.verdicts.evidence import Evidence

SIZE = (4.8, 3.8)
LINEAR_TICKS = (1, 2, 5, 10, 20, 50)
OTHER = {linear_net.RESCALED: ("BN as ℓ1", "batch"), "placebo": ("none again", "none")}
TICKS = {
    "range": (0.0001, 0.001, 0.01, 0.1, 1, 10),
    "change": (0.01, 0.1, 1, 10, 100),
    "beta": (1, 2, 5, 10, 20, 50),
    "size": (0.01, 0.1, 1, 10),
}
WORDS = {
    "range": "range of the loss, nats",
    "change": "change of the gradient (ℓ2)",
    "beta": "effective β",
    "size": "length of the gradient (ℓ2)",
}


def along(evidence: Evidence) -> Drawing:
    """S4: range of the loss, change of the gradient, beta and its length, from early to late."""
    data = evidence.data
    depth, lr = data["places"][0]
    early, late = (
        {name: 10 ** s4_along_gradient.decades(data, name, when).mean() for name in WORDS}
        for when in ("early", "late")
    )
    titles = {"range": "Range", "change": "Change", "beta": "β", "size": "Length"}
    told = {name: f"{_times(early[name])}, then {_times(late[name])}" for name in WORDS}
    panels = [_over_steps(data, name, f"{titles[name]}: {told[name]}") for name in WORDS]
    numbers = "; ".join(
        f"{letter}, {WORDS[name].split(',')[0]}: {told[name]}"
        for letter, name in zip("abcd", WORDS, strict=True)
    )
    alt = (
        "Four panels against the step of the training, for depth "
        f"{depth} at rate {lr:g}. What BatchNorm does early, then late: {numbers}."
    )
    caption = (
        f"What BatchNorm does early (up to step {s4_along_gradient.EARLY}, dotted), then late (the "
        f"last third), to the range of the loss (a), the change of the gradient (b), β (c) and the "
        f"length of the gradient (d). {len(data['seeds'])} seeds: median, the shade spans all."
    )
    return draw(panels, alt, caption)


def _times(ratio: float) -> str:
    """How many times smaller or larger with BatchNorm, from none over BatchNorm."""
    if ratio >= 1:
        return f"{power(ratio)}× smaller"
    return f"{power(1 / ratio)}× larger"


def _over_steps(data: dict, name: str, title: str) -> Axes:
    axes, steps = panel(title, size=SIZE), data["looks"]
    for norm in s4_along_gradient.NORMS:
        rows = s4_along_gradient.curves(data, data["places"][0], norm, name)
        band(axes, norm, steps, np.nanmin(rows, 0), np.nanmax(rows, 0))
        curve(axes, norm, steps, np.nanmedian(rows, 0), ms=4)
    plain_log(axes, "y", TICKS[name])
    axes.axvline(s4_along_gradient.EARLY, color=INK, ls=":", lw=1)
    axes.set(xlabel="step of the training", ylabel=WORDS[name])
    names_in_corner(axes, s4_along_gradient.NORMS)
    return axes


def names_in_corner(
    axes: Axes, norms: Sequence[str], top: float = 0.97, side: str = "right", name: str = "label"
) -> None:
    """Names in their colours, one below the other, at the right or left end of the axes."""
    for place, norm in enumerate(norms):
        axes.annotate(
            STYLE[norm][name],
            ({"right": 0.98, "left": 0.03}[side], top - 0.08 * place),
            xycoords="axes fraction",
            color=STYLE[norm]["light"],
            weight="bold",
            ha=side,
            va="top",
        )


def lp_norms(evidence: Evidence) -> Drawing:
    """S5: the race of the five nets, what is missing of the gain, beta, the deep linear net."""
    data, facts = evidence.data, evidence.facts
    losses = panel("Each net is best at a rate of its own", size=SIZE)
    for norm in s5_lp_norms.NORMS:
        rows = np.array([s5_lp_norms.losses(data, norm, lr) for lr in s5_lp_norms.LRS])
        band(losses, norm, s5_lp_norms.LRS, rows.min(1), rows.max(1))
        curve(losses, norm, s5_lp_norms.LRS, rows.mean(1), ms=5)
    plain_log(losses, "x", [0.03, 0.1, 0.3, 1, 3])
    plain_log(losses, "y", [0.1, 0.2, 0.5, 1, 2])
    losses.set(xlabel="learning rate", ylabel="mean training loss, nats")
    names_in_corner(losses, s5_lp_norms.NORMS, 0.38, side="left", name="short")
    lacks = {norm: 100 * s5_lp_norms.missing_loss(data, norm) for norm in s5_lp_norms.LP}
    lacks["placebo"] = 100 * s5_lp_norms.placebo(data)
    linf = facts["missing_linf_batch"]
    share = _dots(lacks, f"Of the gain ℓ∞ lacks {linf:.0f} %", "% of BatchNorm's gain")
    share.axhline(100 * evidence.claim.effects[0].margin, color=INK, lw=1, ls=":")
    betas = {norm: s5_lp_norms.early(data, norm, "beta") for norm in s5_lp_norms.NORMS}
    ratio = facts["beta_less_linf_batch"]
    beta = _dots(
        betas, f"With ℓ∞ β is only {ratio:.1f}× smaller", "early effective β", TICKS["beta"]
    )
    ends = {norm: linear_net.numbers(data, norm) for norm in linear_net.trained(data)}
    ahead = facts["linear_ratio_l1_batch"]
    linear = _dots(ends, f"Linear net: ℓ1 ends {ahead:.1f}× lower", "loss at the end", LINEAR_TICKS)
    best = ", ".join(
        f"{_look(norm)[0]} {facts[f'loss_{norm}']:.2f} at {facts[f'lr_{norm}']:g}"
        for norm in s5_lp_norms.NORMS
    )
    alt = (
        "a: mean training loss against learning rate for five nets; each at its best rate: "
        f"{best}. b: share of BatchNorm's gain that is missing, in per cent: "
        f"{_listed(lacks, np.mean, '.0f')}. c: effective beta along the gradient, early: "
        f"{_listed(betas, np.median, '.1f')}. d: training loss of the deep linear net at the "
        f"end: {_listed(ends, np.mean, '.1f')}."
    )
    caption = (
        f"{len(data['seeds'])} seeds. In a the mean, and the shade spans all; else dots are seeds, "
        "with the median. In b 'none again' is a placebo, the net without a normalizer from other "
        "initial weights; the dotted line is what may be missing. In d 'BN as ℓ1' is the control."
    )
    return draw([losses, share, beta, linear], alt, caption)


def _look(name: str) -> tuple[str, dict]:
    """A short name and a style."""
    words, norm = OTHER.get(name, (None, name))
    return words or STYLE[norm]["short"], STYLE[norm]


def _listed(found: Mapping[str, np.ndarray], middle: Callable, form: str) -> str:
    return ", ".join(f"{_look(name)[0]} {middle(rows):{form}}" for name, rows in found.items())


def _dots(
    found: Mapping[str, np.ndarray], title: str, unit: str, ticks: Sequence[float] = ()
) -> Axes:
    """A dot a seed and the median; on a logarithmic axis if ``ticks`` are given."""
    axes = panel(title, size=SIZE)
    for place, (name, values) in enumerate(found.items()):
        look = _look(name)[1]
        x = place + np.linspace(-0.25, 0.25, len(values))
        axes.plot(x, np.sort(values), look["marker"], color=look["light"], ms=4, ls="none")
        axes.plot([place - 0.35, place + 0.35], [np.nanmedian(values)] * 2, color=INK, lw=1.5)
    if ticks:
        plain_log(axes, "y")
        low, high = (extreme(map(extreme, found.values())) for extreme in (min, max))
        axes.set_yticks([t for t in ticks if low / 2 < t < 2 * high])
    names = [_look(name)[0] for name in found]
    axes.set_xticks(range(len(found)), names, rotation=40, ha="right")
    axes.set_ylabel(unit)
    return axes


def theorem_layers(evidence: Evidence) -> Drawing:
    """S6: what the theorem's factor does, and how much its two other terms take away."""
    data, facts = evidence.data, evidence.facts
    depths = data["depths"]
    scales = panel(f"γ²/σ² is {facts[f'scale_{depths[-1]}']:.1f} from layer 2 on")
    scales.axhline(1, color=INK, lw=1, ls=":")
    removed = panel(f"Both terms take {facts['removed_every']:.0f} or {facts['removed_one']:.0f} %")
    for depth in depths:
        layers = np.arange(1, depth + 1)
        rows = s6_theorem.column(data, "every", depth, 0, "scale")
        band(scales, "batch", layers, rows.min(0), rows.max(0))
        curve(scales, "batch", layers, np.median(rows, 0), ms=5)
        for part, norm in (("every", "batch"), ("one", "none")):
            rows = 100 * s6_theorem.column(data, part, depth, 0, "removed")
            band(removed, norm, layers, rows.min(0), rows.max(0))
            curve(removed, norm, layers, np.median(rows, 0), ms=5)
    for axes in (scales, removed):
        axes.set_xlabel("layer")
        axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    scales.set_ylabel("γ²/σ²")
    scales.set_ylim(0.8, None)
    removed.set_ylabel("removed by the two terms, %")
    plain_log(removed, "y", [0.5, 1, 2, 5, 10, 20, 50])
    for place, (norm, words) in enumerate((("batch", "BatchNorm everywhere"), ("none", "one BN"))):
        removed.annotate(
            words,
            (0.03, 0.97 - 0.08 * place),
            xycoords="axes fraction",
            color=STYLE[norm]["light"],
            weight="bold",
            va="top",
        )
    through = ", ".join(f"{power(facts[f'through_{d}'])} at depth {d}" for d in depths)
    alt = (
        "a: the factor of theorem 4.1, gamma squared over sigma squared, at each layer of "
        f"untrained nets with BatchNorm in all layers: {facts[f'scale_{depths[-1]}']:.2f} "
        f"typically, in the product over the layers after the first {through}. b: how much of "
        "the squared gradient norm the two subtracted terms remove: "
        f"{facts['removed_every']:.1f} % with BatchNorm in all layers, "
        f"{facts['removed_one']:.1f} % where one is put into a net without."
    )
    caption = (
        f"{len(data['seeds'])} seeds, depths {' and '.join(map(str, depths))}: median over the "
        "units of a layer, the shade spans all seeds. Before training."
    )
    return draw([scales, removed], alt, caption)


FIGURES = {"S4": along, "S5": lp_norms, "S6": theorem_layers}
