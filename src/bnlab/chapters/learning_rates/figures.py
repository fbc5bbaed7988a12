"""The figures of chapter 03."""

from __future__ import annotations

import itertools

import numpy as np
from matplotlib.axes import Axes

from bnlab.chapters.learning_rates import b1_rates as sweep
from bnlab.chapters.learning_rates import b7_b9_figures
from bnlab.chapters.learning_rates import b10_given_rates as given
from bnlab.chapters.learning_rates.b1_rates import (
    LRS,
    NORMS,
    SMALL_LR,
    accuracies,
    usable_rate,
)
from bnlab.chapters.learning_rates.b2_explosion import profiles, typical
from bnlab.draw.figure import Drawing, band, curve, draw, label, panel, plain_log
from bnlab.draw.style import STYLE
from bnlab.draw.words import power
from bnlab.verdicts.evidence import Evidence
from bnlab.verdicts.tuning import USABLE

CEILING = 1e60  # variances above leave the picture: a few seeds would squash the others


def accuracy_by_lr(evidence: Evidence) -> Drawing:
    """Test accuracy over learning rate with and without BatchNorm, a panel for each depth."""
    data = evidence.data
    depths = sorted(data["depths"])
    seeds = len(data["seeds"])
    ratio = {depth: 10 ** sweep.at_own_rates(data, depth)["rate"].mean() for depth in depths}
    by_depth = ", ".join(f"at depth {d} by a factor of {power(r)}" for d, r in ratio.items())
    alt = (
        f"Test accuracy against learning rate for {STYLE['batch']['label']} and "
        f"{STYLE['none']['label']}. BatchNorm extends the usable learning rates {by_depth} "
        f"(mean over {seeds} seeds). After {data['base']['steps']} steps at rate {SMALL_LR:g} "
        + "; ".join(_at_small(data, depth) for depth in depths)
        + "."
    )
    caption = (
        f"After {data['base']['steps']} steps. "
        f"Mean over {seeds} seeds; the shade spans all; a net that diverged counts as chance. "
        f"Dotted: the largest rate within {100 * USABLE:g} points of the net's best (validation)."
    )
    return draw([_accuracy_panel(data, depth, ratio[depth]) for depth in depths], alt, caption)


def _accuracy_panel(data: dict, depth: int, ratio: float) -> Axes:
    axes = panel(f"Depth {depth}: rates up to {power(ratio)}× as large")
    scores = {norm: accuracies(data, depth, norm, data["seeds"]) for norm in NORMS}
    for norm in NORMS:
        mean = scores[norm].mean(1)
        band(axes, norm, LRS, scores[norm].min(1), scores[norm].max(1))
        curve(axes, norm, LRS, mean)
        usable = 10 ** np.log10(usable_rate(data, depth, norm)).mean()
        axes.axvline(usable, color=STYLE[norm]["light"], ls=":", lw=1.5)
    label(axes, "none", LRS[0], 1.0, ha="left", xytext=(0, 5))
    label(axes, "batch", 1.0, 1.0, xytext=(0, 5))
    plain_log(axes, "x", [0.01, 0.1, 1, 10])
    axes.set(xlabel="learning rate", ylabel="test accuracy", ylim=(0, 1.12))
    axes.set_yticks([0, 0.2, 0.4, 0.6, 0.8, 1])
    return axes


def _at_small(data: dict, depth: int) -> str:
    at = LRS.index(SMALL_LR)
    batch, none = (
        accuracies(data, depth, norm, data["seeds"])[at].mean() for norm in ("batch", "none")
    )
    return f"it reaches {batch:.2f} against {none:.2f} without, at depth {depth}"


def explosion(evidence: Evidence) -> Drawing:
    """Variance of each block's output before and after the step that diverges."""
    data = evidence.data
    grown = {}
    for net, when in itertools.product(NORMS, ("before", "after")):
        first, *_, last = typical(data, net, when)
        grown[net, when] = last / first
    alt = (
        "Variance of each block's output before and after the step in which the net without a "
        "normalizer diverges (medians). Without a normalizer the last block's variance is "
        f"{power(grown['none', 'before'])} times the first block's before the step and "
        f"{power(grown['none', 'after'])} times after it; with BatchNorm it is "
        f"{power(grown['batch', 'before'])} and {power(grown['batch', 'after'])} times."
    )
    highest = profiles(data, "none", "after").max(1)
    outside = int((highest > CEILING).sum())
    caption = (
        f"Bold: median over {len(data['seeds'])} seeds, thin: each seed; dotted before the step, "
        "solid after it. Both nets take a step of the length at which the one without a normalizer "
        "diverges. " + (f"{outside} seeds leave the picture at the top." if outside else "")
    )
    panels = [_explosion_panel(data, net, grown[net, "after"]) for net in NORMS]
    low = min(each.get_ylim()[0] for each in panels)
    for each in panels:
        each.set_ylim(low / 1e4, min(10 * highest.max(), CEILING))
    return draw(panels, alt, caption.strip())


def _explosion_panel(data: dict, net: str, growth: float) -> Axes:
    axes = panel(
        f"{STYLE[net]['label'].capitalize()}: last block {power(growth)}× the first after the step"
    )
    for when, dash in (("before", ":"), ("after", "-")):
        values = profiles(data, net, when)
        block = np.arange(1, values.shape[1] + 1)
        for one in values:
            curve(axes, net, block, one, linestyle=dash, marker="", lw=0.8, alpha=0.35)
        middle = typical(data, net, when)
        curve(axes, net, block, middle, linestyle=dash, ms=4)
        if net == "none":
            place = {"after": (-4, 9), "before": (-4, -20)}[when]
            label(axes, net, block[-1], middle[-1], when, ha="right", xytext=place)
    if net == "batch":  # the two lines lie close to each other
        label(axes, net, block[-1] * 0.6, middle.max(), "before and after", xytext=(0, 14))
    axes.set(xlabel="residual block", ylabel="variance of its output", yscale="log")
    axes.set_xticks([1, *range(3, len(block) + 1, 3)])
    return axes


def interventions(evidence: Evidence) -> Drawing:
    """What is left of BatchNorm's lead without larger rates, and what larger rates give alone."""
    data, facts = evidence.data, evidence.facts
    told = {name: f"{facts[f'{name}_median']:.1f} %" for name in given.at_best(data)}
    alt = (
        f"a: test accuracy against learning rate after {data['base']['steps']} steps. Medians, "
        f"each at its own best rate: BatchNorm {told['batch']}, no normalizer {told['bare']}, no "
        f"normalizer with {facts['given']} {told['given']}. BatchNorm at the best rate of the net "
        f"without a normalizer: {told['held']}. b: largest usable rate and best validation "
        f"accuracy of each means. {facts['given']} multiplies the usable rate by "
        f"{facts['ratio']:.0f}, the best of the scaled starts and warm-ups by "
        f"{facts['starts_ratio']:.2g}."
    )
    caption = (
        f"a: mean over {len(data['seeds'])} seeds; the shade spans all; dotted: the rate that is "
        "best without a normalizer. b: the nets without a normalizer that are helped to bear "
        f"larger rates, means over the {len(data['tuning_seeds'])} tuning seeds; bold: counted."
    )
    return draw([_rates_panel(data), _means_panel(data, facts)], alt, caption)


def _rates_panel(data: dict) -> Axes:
    axes = panel("Clipped, a net without a normalizer bears larger rates")
    nets = {"none": given.BARE, "batch": given.BATCH, "layer": given.given(data)}
    for look, net in nets.items():
        numbers = given.accuracies(data, net, data["seeds"])
        band(axes, look, given.LRS, numbers.min(1), numbers.max(1))
        curve(axes, look, given.LRS, numbers.mean(1))
    axes.axvline(given.best_lr(data, given.BARE), color=STYLE["none"]["light"], ls=":", lw=1.5)
    label(axes, "none", given.LRS[0], 0.3, "no normalizer", ha="left")
    label(axes, "layer", given.LRS[0], 0.2, f"with {nets['layer']}", ha="left")
    label(axes, "batch", 1.0, 1.0, xytext=(0, 5))
    plain_log(axes, "x", [0.01, 0.1, 1])
    axes.set(xlabel="learning rate", ylabel="test accuracy", ylim=(0, 1.12))
    axes.set_yticks([0, 0.2, 0.4, 0.6, 0.8, 1])
    return axes


def _means_panel(data: dict, facts: dict) -> Axes:
    times = f"{facts['ratio']:.0f}"
    axes = panel(f"Clipping: usable rate {times}× as large; starts, warm-ups: no larger")
    for net in (given.BATCH, *given.HELPS):
        look = {given.BATCH: "batch", given.BARE: "none"}.get(net, "layer")
        x = 10 ** given.usable(data, net, data["tuning_seeds"]).mean()
        y = given.tuned(data, net).mean(1).max()
        curve(axes, look, [x], [y], linestyle="")
        text = {given.BATCH: STYLE["batch"]["label"], given.BARE: STYLE["none"]["label"]}.get(
            net, net
        )
        is_counted = net in (given.BATCH, given.BARE, given.given(data))
        left = {"xytext": (-6, -4), "ha": "right"} if net == given.BARE else {"xytext": (6, -4)}
        place = {"textcoords": "offset points", "fontsize": 9, **left}
        weight, colour = "bold" if is_counted else "normal", STYLE[look]["light"]
        axes.annotate(text, (x, y), weight=weight, color=colour, **place)
    plain_log(axes, "x", [0.1, 0.3, 1, 3])
    axes.set(xlabel="largest usable rate", ylabel="best validation accuracy")
    axes.margins(x=0.4, y=0.1)
    return axes


FIGURES = {
    "B1": accuracy_by_lr,
    "B2": explosion,
    "B10": interventions,
    **b7_b9_figures.FIGURES,
}
