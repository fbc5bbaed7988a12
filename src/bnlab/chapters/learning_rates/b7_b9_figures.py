"""The figures of B7 and B9."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes

from bnlab.chapters.learning_rates import b7_noise, b9_one_norm
from bnlab.draw.figure import Drawing, band, curve, draw, label, panel, plain_log
from bnlab.draw.style import STYLE
from bnlab.verdicts.evidence import Evidence

TIMES = b7_noise.TIMES
PLACES = {  # where the three trainings stand, and what they are called
    "small": "both\nsmall",
    "ratio": f"both\n× {TIMES}",
    "large": f"rate\n× {TIMES}",
}
NETS = {  # its look, and its name
    "none": ("none", STYLE["none"]["label"]),
    "head": ("layer", "one BatchNorm"),
    "batch": ("batch", STYLE["batch"]["label"]),
}


def noise_and_sharpness(evidence: Evidence) -> Drawing:
    """Noise over batch size, sharpness by training, and accuracy at equal images and steps."""
    data, facts = evidence.data, evidence.facts
    told = "; ".join(
        f"{STYLE[norm]['label']}: slope {facts[f'{norm}_slope']:.2f}, sharpness "
        + ", ".join(f"{facts[f'{norm}_{name}_sharpness']:.2g}" for name in PLACES)
        + f", behind by {facts[f'{norm}_images_behind']:.1f} points at equal images and "
        f"{facts[f'{norm}_steps_behind']:.1f} at equal steps"
        for norm in b7_noise.NORMS
    )
    alt = (
        "a: squared noise of the gradient over batch size. b: sharpness at a training loss of "
        f"{b7_noise.TARGET:g} with a small rate and batch, with both {TIMES} times as large, and "
        f"with the larger rate alone. c: lead in test accuracy of rate and batch {TIMES} times as "
        f"large. {told}."
    )
    caption = (
        f"Mean over {facts['seeds']} seeds; points: each seed. a and b: when the training loss "
        f"first reaches {b7_noise.TARGET:g}. b: both small, both {TIMES} times as "
        f"large, or the rate alone; dotted: 2 over the rate, above which full-batch descent is "
        "unstable. c: both trainings have the same ratio of rate and batch size."
    )
    return draw(
        [_noise_panel(data), _sharpness_panel(data, facts), _lead_panel(data)], alt, caption
    )


def _noise_panel(data: dict) -> Axes:
    slopes = {norm: b7_noise.batch_slope(data, norm).mean() for norm in b7_noise.NORMS}
    told = {norm: f"{slope:.1f}".replace("-", "−") for norm, slope in slopes.items()}
    axes = panel(f"Noise falls as batch to the {told['none']}; BatchNorm: {told['batch']}")
    for norm in b7_noise.NORMS:
        noise = b7_noise.end(data, norm, "small", "noise")
        band(axes, norm, b7_noise.SIZES, noise.min(0), noise.max(0))
        middle = np.exp(np.log(noise).mean(0))
        curve(axes, norm, b7_noise.SIZES, middle)
        label(axes, norm, b7_noise.SIZES[1], middle[1], ha="left", xytext=(0, 10))
    plain_log(axes, "x", b7_noise.SIZES)
    axes.set(xlabel="batch size", ylabel="squared noise", yscale="log")
    return axes


def _sharpness_panel(data: dict, facts: dict) -> Axes:
    axes = panel(f"At the larger rate {facts['batch_flatter']:.1f}× as flat with BatchNorm")
    for norm, aside in (("none", -0.08), ("batch", 0.08)):
        places = np.arange(len(PLACES)) + aside
        tops = np.array([b7_noise.end(data, norm, name, "sharpness") for name in PLACES])
        for place, numbers, name in zip(places, tops, PLACES, strict=True):
            curve(axes, norm, [place] * len(numbers), numbers, linestyle="", ms=4, alpha=0.5)
            bound = facts[f"{norm}_{name}_bound"]
            axes.hlines(bound, place - 0.2, place + 0.2, STYLE[norm]["light"], ":", lw=2)
        middle = 10 ** np.log10(tops).mean(1)
        curve(axes, norm, places, middle, marker="")
        aside = {"none": (0.9, 2.2), "batch": (0.4, 1.6)}[norm]
        label(axes, norm, aside[0], middle[0] * aside[1], ha="left", xytext=(0, 0))
    axes.set_xticks(range(len(PLACES)), PLACES.values())
    axes.set(
        xlabel="rate and batch",
        ylabel="largest eigenvalue",
        yscale="log",
        xlim=(-0.5, len(PLACES) - 0.5),
    )
    axes.margins(y=0.15)
    return axes


def _lead_panel(data: dict) -> Axes:
    axes = panel("Same ratio: level with BatchNorm")
    for norm, aside in (("none", -0.08), ("batch", 0.08)):
        for place, equal in enumerate(b7_noise.EQUAL):
            numbers = 100 * b7_noise.lead(data, norm, equal)
            curve(
                axes, norm, [place + aside] * len(numbers), numbers, linestyle="", ms=4, alpha=0.5
            )
            axes.hlines(
                numbers.mean(), place + aside - 0.1, place + aside + 0.1, STYLE[norm]["light"]
            )
        label(axes, norm, aside, 100 * b7_noise.lead(data, norm, "images").min(), xytext=(0, -18))
    axes.axhline(0, color="#888888", lw=1, ls=":")
    axes.set_xticks(range(2), [f"as many\n{equal}" for equal in b7_noise.EQUAL])
    axes.set(xlabel="compared after", ylabel="lead in points", xlim=(-0.5, 1.5))
    axes.margins(y=0.2)
    return axes


def one_norm(evidence: Evidence) -> Drawing:
    """Accuracy over rates of the three nets, and what is counted of them."""
    data, facts = evidence.data, evidence.facts
    told = "; ".join(
        f"{name}: {facts[f'{net}_own_median']:.1f} % at its own best rate, "
        f"{facts[f'{net}_common_median']:.1f} % at BatchNorm’s"
        for net, (_, name) in NETS.items()
    )
    alt = (
        "a: validation accuracy against learning rate without a normalizer, with one BatchNorm "
        "before the classifier, and with BatchNorm everywhere. b: test accuracies, medians: "
        f"{told}."
    )
    caption = (
        f"After {facts['steps']} steps. a: mean over the {len(data['tuning_seeds'])} tuning seeds; "
        f"the shade spans all; a net that diverged counts as chance. b: {facts['seeds']} other "
        "seeds, at the rates that were chosen; bars: medians."
    )
    return draw([_rates_panel(data), _counted_panel(data, facts)], alt, caption)


def _rates_panel(data: dict) -> Axes:
    axes = panel("One BatchNorm bears larger rates, but not all")
    for net, (look, name) in NETS.items():
        numbers = b9_one_norm.tuned(data, net)
        band(axes, look, b9_one_norm.LRS, numbers.min(1), numbers.max(1))
        curve(axes, look, b9_one_norm.LRS, numbers.mean(1))
        best = b9_one_norm.best_lr(data, net)
        place = {"none": (best, 0.2), "head": (0.25, 0.72), "batch": (best, 1.0)}[net]
        label(axes, look, *place, name)
    plain_log(axes, "x", b9_one_norm.LRS[::2])
    axes.set(xlabel="learning rate", ylabel="validation accuracy", ylim=(0, 1.12))
    axes.set_yticks([0, 0.2, 0.4, 0.6, 0.8, 1])
    return axes


def _counted_panel(data: dict, facts: dict) -> Axes:
    axes = panel("It gives most of the gain at own rates, little at BatchNorm’s")
    for start, (name, score) in zip((0, 4), b9_one_norm.compared(data).items(), strict=True):
        for place, (net, (look, _)) in enumerate(NETS.items(), start):
            numbers = score[net]
            curve(axes, look, [place] * len(numbers), numbers, linestyle="", ms=4, alpha=0.5)
            axes.hlines(np.median(numbers), place - 0.3, place + 0.3, STYLE[look]["light"], lw=2)
        told = {"own": "own best rates", "common": "BatchNorm’s best rate"}[name]
        axes.annotate(told, (start + 1, 1.04), ha="center")
    axes.set_xticks([0, 1, 2, 4, 5, 6], ["none", "one", "all"] * 2)
    axes.set(xlabel="BatchNorm", ylabel="test accuracy", ylim=(0, 1.12))
    axes.set_yticks([0, 0.2, 0.4, 0.6, 0.8, 1])
    return axes


FIGURES = {"B7": noise_and_sharpness, "B9": one_norm}
