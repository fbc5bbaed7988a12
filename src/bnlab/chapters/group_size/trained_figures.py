"""The figures of chapter 08 about trained nets."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes

from bnlab.chapters.group_size import l2_l4_at_start, l5_tradeoff, l6_architectures
from bnlab.chapters.group_size.start_figures import look, size_word, word
from bnlab.chapters.group_size.trainings import best_lr, column, losses, rates_of
from bnlab.draw.figure import INK, Drawing, band, curve, draw, label, panel, plain_log
from bnlab.draw.style import STYLE
from bnlab.draw.words import power
from bnlab.verdicts.evidence import Evidence

PLACES = {  # words for the nets of L5 and L6
    "plain10": "conv, 10",
    "plain20": "conv, 20",
    "mlp6": "MLP, 6",
    "mlp12": "MLP, 12",
    "resnet": "residual",
    "skipinit": "with SkipInit",
}


LINES: Mapping[str, dict] = {"layer": {}, "group_4": {}, "group_2": {"linestyle": ":"}}
ENDS: Mapping[str, tuple[int, Sequence[float]]] = {
    "layer": (-3, (-6, 9)),
    "group_4": (-2, (-14, 14)),
    "group_2": (-2, (30, -20)),
}

BESIDE: Mapping[str, tuple[str, int, int]] = {  # labels of L3: side, points to the right and up
    "layer": ("left", 14, -16),
    "group_2": ("left", -4, 9),
    "group_4": ("left", -4, -22),
    "group_8": ("left", -6, 10),
    "instance": ("right", -8, 4),
    "filter_response": ("right", 4, 14),
    "variance": ("left", 44, -5),
    "batch": ("right", -8, -12),
    "scaled_weight_standardization": ("left", 9, -12),
    "evonorm_s0": ("left", 50, -5),
    "evonorm_b0": ("left", 58, -5),
}


def order(evidence: Evidence) -> Drawing:
    """L3: loss at the best rate over the cosine at the start; best rates and sharpness."""
    data, facts = evidence.data, evidence.facts
    left = _scatter(data, f"Alike and slow: τ = {facts['tau']:.2f}")
    right = _sharpness(data, "2 ÷ sharpness, and the best rate")
    listed = ", ".join(
        f"{word(norm)} {facts[f'{norm}_cosine']:.2f} and {facts[f'{norm}_loss']:.2f}"
        for norm in data["norms"]
    )
    bounds = ", ".join(
        f"{word(norm)} {power(facts[f'{norm}_bound'])} and {facts[f'{norm}_lr']:g}"
        for norm in data["norms"]
    )
    alt = (
        "a: mean training loss at each normalizer's best rate against the cosine of two samples "
        f"at the start: {listed}. b: 2 over the sharpness at the start, and the best of the "
        f"rates that were tried: {bounds}."
    )
    caption = (
        f"{len(data['seeds'])} seeds, depth 10. a: mean, lines span all seeds; numbers are "
        "group sizes. b: 2 ÷ sharpness (open) and the best rate, by the mean loss of the "
        "tuning seeds (filled)."
    )
    return draw([left, right], alt, caption)


def _scatter(data: dict, title: str) -> Axes:
    axes, net = panel(title), data["nets"][0]
    for norm in data["norms"]:
        cosine = column(data, net, norm, None, "cosine")
        loss = losses(data, net, norm)
        x, y, hue = cosine.mean(), loss.mean(), STYLE[look(norm)]["light"]
        axes.plot([x, x], [loss.min(), loss.max()], color=hue, lw=1)
        axes.plot([cosine.min(), cosine.max()], [y, y], color=hue, lw=1)
        axes.plot([x], [y], color=hue, marker=STYLE[look(norm)]["marker"], ms=8)
        text = size_word(norm) if look(norm) == "group" else word(norm)
        side, *place = BESIDE.get(norm, ("left", 7, 6))
        label(axes, look(norm), x, y, text, ha=side, xytext=place)
    axes.set(xlabel="cosine of two samples at the start", ylabel="mean training loss, nats")
    axes.margins(0.18)
    return axes


def _sharpness(data: dict, title: str) -> Axes:
    axes, net = panel(title), data["nets"][0]
    for place, norm in enumerate(data["norms"]):
        found = 2 / column(data, net, norm, None, "sharpness")
        hue, marker = STYLE[look(norm)]["light"], STYLE[look(norm)]["marker"]
        axes.plot([place] * 2, [found.min(), found.max()], color=hue, lw=1)
        axes.plot([place], [2 / np.mean(2 / found)], color=hue, marker=marker, ms=9, mfc="none")
        axes.plot([place], [best_lr(data, net, norm)], color=hue, marker=marker, ms=9)
    plain_log(axes, "y", [0.03, 0.1, 0.3, 1, 3])
    names = [size_word(n) if n in l2_l4_at_start.SIZES else word(n) for n in data["norms"]]
    axes.set_xticks(range(len(names)), names, rotation=40, ha="right")
    axes.set(ylabel="learning rate")
    return axes


def tradeoff(evidence: Evidence) -> Drawing:
    """L5: loss over the rate by group size; and how the sizes compare, by net."""
    data, facts = evidence.data, evidence.facts
    net = data["nets"][0]
    left = panel(f"Mean loss: {PLACES[net]}")
    for norm, shape in LINES.items():
        lrs = rates_of(data, net, norm)
        rows = np.array([column(data, net, norm, lr, "loss") for lr in lrs])
        band(left, look(norm), lrs, rows.min(1), rows.max(1))
        curve(left, look(norm), lrs, rows.mean(1), **shape)
        at, place = ENDS[norm]
        label(left, look(norm), lrs[at], rows[at].mean(), word(norm), xytext=place)
    plain_log(left, "x", lrs)
    left.set(xlabel="learning rate", ylabel="mean training loss, nats")
    right = _elsewhere(data, "Layer norm ÷ small groups, by net")
    ends = [(pair, l5_tradeoff.fact_end(*pair)) for pair in l5_tradeoff.compared(data["nets"])]
    ratios = "; ".join(
        f"{PLACES[net]}, {word(norm)}: loss {facts[f'slower_{end}']:.2f} times, largest usable "
        f"rate {power(facts[f'usable_{end}'])} times"
        for (net, norm), end in ends
    )
    alt = (
        f"a: mean training loss against learning rate ({PLACES[net]}), with layer norm, groups "
        f"of 2 and groups of 4. b: layer norm over small groups: {ratios}."
    )
    caption = (
        f"{len(data['seeds'])} seeds. a: mean, the shade spans all seeds. b: geometric "
        "means, the lines span all seeds; 2 and 4 are group sizes, and the number behind a net's "
        "name is its depth. conv: convolutions without shortcuts; MLP: perceptron."
    )
    return draw([left, right], alt, caption)


def _elsewhere(data: dict, title: str) -> Axes:
    axes = panel(title)
    axes.axhline(1, color=INK, lw=1, ls=":")
    marks: Mapping[str, tuple[str, float]] = {"speed": ("o", -0.12), "stability": ("s", 0.12)}
    places = l5_tradeoff.compared(data["nets"])
    for place, pair in enumerate(places):
        for name, values in l5_tradeoff.over(data, *pair).items():
            marker, shift = marks[name]
            ends = 10.0 ** np.array([values.min(), values.max()])
            axes.plot([place + shift] * 2, ends, color=INK, lw=1)
            axes.plot(
                [place + shift],
                [10 ** values.mean()],
                color=INK,
                marker=marker,
                ms=8,
                mfc=INK if name == "speed" else "none",
            )
    names = [f"{PLACES[net]}: {size_word(norm)}" for net, norm in places]
    axes.set_xticks(range(len(places)), names, rotation=30, ha="right")
    axes.set_xlim(-0.5, len(places) - 0.5)
    plain_log(axes, "y", [0.1, 0.3, 1, 3, 10])
    axes.set(ylabel="● loss   □ usable rate")
    return axes


def winners(evidence: Evidence) -> Drawing:
    """L6: test accuracy of each normalizer in each net."""
    data, facts = evidence.data, evidence.facts
    title = f"At the end of training; best overall: {word(facts['overall'])}"
    axes = panel(title, (7.2, 3.9))
    step = 0.13
    pairs = itertools.product(data["nets"], data["norms"])
    low = 5 * np.floor(min(20 * l6_architectures.at_best(data, *pair).min() for pair in pairs))
    for number, norm in enumerate(data["norms"]):
        for place, net in enumerate(data["nets"]):
            found = 100 * l6_architectures.at_best(data, net, norm)
            x, hue = place + step * (number - 2), STYLE[look(norm)]["light"]
            axes.plot([x, x], [found.min(), found.max()], color=hue, lw=1.2)
            axes.plot([x], [found.mean()], color=hue, marker=STYLE[look(norm)]["marker"], ms=8)
        rows = [100 * l6_architectures.at_best(data, net, norm).mean() for net in data["nets"]]
        label(
            axes,
            look(norm),
            len(rows) - 0.45,
            100 - (100 - low) * (number + 1) / 6,
            word(norm),
            ha="left",
        )
    axes.set_xticks(range(len(data["nets"])), [PLACES[net] for net in data["nets"]])
    axes.set(ylabel="test accuracy, %", ylim=(low, 101), xlim=(-0.5, len(data["nets"]) + 0.35))
    listed = "; ".join(
        f"{PLACES[net]}: "
        + ", ".join(f"{word(norm)} {facts[f'{norm}_{net}']:.1f}" for norm in data["norms"])
        for net in data["nets"]
    )
    alt = f"Test accuracy in per cent, each normalizer at its best rate. {listed}."
    caption = (
        f"{len(data['seeds'])} seeds: mean, the lines span all. Each normalizer's rate was chosen "
        "in each net on validation images of other seeds. conv: convolutions without shortcuts, "
        "with their number."
    )
    return draw([axes], alt, caption)


FIGURES = {"L3": order, "L5": tradeoff, "L6": winners}
