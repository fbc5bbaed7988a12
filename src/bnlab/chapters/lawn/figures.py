"""The figures of chapter 10."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes

from bnlab.chapters.lawn import lw1_growth, lw2_held
from bnlab.chapters.lawn.gains import OPTIMIZERS
from bnlab.chapters.lawn.looks import LOOKS
from bnlab.chapters.lawn.lw3_optimizers import BATCH
from bnlab.chapters.lawn.lw4_large_batches import SIZES, gain
from bnlab.chapters.lawn.methods import (
    ALONE,
    DECAY,
    DECOUPLED,
    LAWN,
    Method,
    Place,
    best,
    column,
)
from bnlab.chapters.lawn.seen import along, at_end, stopped
from bnlab.draw.figure import Drawing, band, curve, draw, panel, plain_log
from bnlab.draw.style import STYLE
from bnlab.verdicts.evidence import Evidence

HOW = {ALONE: "alone", LAWN: "LAWN", DECAY: "weight decay", DECOUPLED: "AdamW"}
NAMES = {"adam": "Adam", "sgd": "SGD"}


def growth(evidence: Evidence) -> Drawing:
    """LW1: logits and gradient over the training, at both rates."""
    data, facts = evidence.data, evidence.facts
    places = lw1_growth.ways(data)
    rates = {"pinned": f"rate {facts['pinned_lr']:g}", "own": f"rate {facts['own_lr']:g}, the best"}
    grown = " or ".join(f"{facts[f'{rate}_logits_grown']:.1f}" for rate in rates)
    shrunk = " or ".join(f"{facts[f'{rate}_gradient_shrunk']:.0f}" for rate in rates)
    panels = []
    for name, title in (
        ("logits", f"Logits grow {grown} times"),
        ("gradient", f"The gradient shrinks {shrunk} times"),
    ):
        axes = panel(title)
        for (rate, word), dash in zip(rates.items(), ("-", ":"), strict=True):
            _along(axes, data, places[rate], name, LOOKS[ALONE], word, linestyle=dash)
        axes.set(xlabel="step", ylabel={"logits": "mean size", "gradient": "norm"}[name])
        _finish(axes)
        panels.append(axes)
    alt = (
        f"Adam alone, with wrong labels. Mean size of the logits and norm of the gradient over "
        f"{facts['steps']} steps. From the first tenth to the end the logits grow {grown} times "
        f"and the gradient shrinks {shrunk} times: the first number at the rate "
        f"{facts['pinned_lr']:g}, the second at {facts['own_lr']:g}, which validation prefers."
    )
    caption = (
        "Adam alone. Geometric mean over {} seeds; the shade spans all. The titles count from the "
        "first tenth of the training to its end, at the large rate and at the best one."
    )
    return draw(panels, alt, _caption(data, caption))


def _along(axes: Axes, data: dict, place: Place, name: str, look: str, word: str, **line) -> None:
    """A curve of something over the steps, on a logarithmic axis."""
    steps, numbers = along(data, place, "step")[0], along(data, place, name)
    band(axes, look, steps, numbers.min(0), numbers.max(0))
    mean = 10 ** np.log10(numbers).mean(0)
    curve(axes, look, steps, mean, ms=3, markevery=5, label=word, **line)


def _finish(axes: Axes) -> None:
    plain_log(axes, "y")
    axes.margins(y=0.12)
    axes.legend(frameon=False, fontsize=11, labelcolor="linecolor")


def _caption(data: dict, text: str) -> str:
    return text.format(len(data["seeds"]))


def held(evidence: Evidence) -> Drawing:
    """LW2: the gradient with LAWN and without, and test accuracies with all controls."""
    data, facts, places = evidence.data, evidence.facts, lw2_held.ways(evidence.data)
    ratios = [facts[f"gradient_ratio_{rate}"] for rate in ("pinned", "own")]
    axes = panel("LAWN's gradient {:.2g} or {:.2g} times Adam's".format(*ratios))
    for rate, dash in (("pinned", "-"), ("own", ":")):
        for how in (ALONE, LAWN):
            place = places[f"{how}_{rate}"]
            word = f"{'LAWN' if how == LAWN else 'Adam'}, rate {place.lr:g}"
            _along(axes, data, place, "gradient", LOOKS[how], word, linestyle=dash)
    axes.set(xlabel="step", ylabel="norm of the gradient")
    _finish(axes)
    tests = {}
    for rate, where in (("pinned", f"rate {lw2_held.PINNED:g}"), ("own", "own rate")):
        for how in (ALONE, LAWN, DECAY):
            numbers = at_end(data, places[f"{how}_{rate}"], "test")
            tests[f"{where}: {HOW[how]}"] = LOOKS[how], 100 * numbers
    if data["controls"]:
        early = stopped(data, places["stopped_own"])
        tests["own rate: stopped early"] = LOOKS["stopped"], 100 * early
        decoupled = at_end(data, places["decoupled_own"], "test")
        tests[f"own rate: {HOW[DECOUPLED]}"] = LOOKS[DECOUPLED], 100 * decoupled
    leads = [_signed(-facts[f"behind_{rate}"]) for rate in ("pinned", "own")]
    found = _dots("LAWN minus weight decay: {} or {} points".format(*leads), tests)
    told = "; ".join(f"{name} {numbers.mean():.1f} %" for name, (_, numbers) in tests.items())
    alt = (
        f"a: norm of the gradient over the training, Adam alone and with LAWN. At the end LAWN's "
        f"is {ratios[0]:.2g} times Adam's at the rate {lw2_held.PINNED:g}, and {ratios[1]:.2g} "
        f"times with each at its own best rate. b: test accuracy of Adam. {told}."
    )
    caption = (
        "a: geometric mean over {} seeds, solid at the rate that was fixed beforehand, dotted at "
        "own rates; the shade spans all seeds. b: mean, the lines span all seeds. In the titles "
        "first the rate that was fixed, then own rates. A fifth of the training labels are wrong. "
        "AdamW decays the weights apart from the gradient."
    )
    return draw([axes, found], alt, _caption(data, caption))


def _dots(title: str, rows: Mapping[str, tuple[str, np.ndarray]]) -> Axes:
    """A line for each row from its least to its largest number, a marker at the mean."""
    axes = panel(title, (5.6, 3.7))
    for place, (look, numbers) in enumerate(rows.values()):
        hue = STYLE[look]["light"]
        axes.plot([numbers.min(), numbers.max()], [place, place], color=hue, lw=1.4)
        axes.plot([numbers.mean()], [place], color=hue, marker=STYLE[look]["marker"], ms=8)
    axes.set_yticks(range(len(rows)), list(rows))
    axes.invert_yaxis()
    axes.set(xlabel="test accuracy, %")
    return axes


def optimizers(evidence: Evidence) -> Drawing:
    """LW3: accuracy over the rate, and at the best one, of SGD and Adam."""
    data, facts = evidence.data, evidence.facts
    panels, tests = [], {}
    for name in OPTIMIZERS:
        axes = panel(f"{NAMES[name]}: {_signed(facts[f'{name}_gain'])} points by LAWN")
        for how in (ALONE, LAWN, DECAY):
            method = Method(name, how, BATCH)
            rates = sorted({lr for lr, _ in method.grid})
            scores = [
                100 * column(data, best(data, method, lr), "val", data["tuning_seeds"]).mean()
                for lr in rates
            ]
            curve(axes, LOOKS[how], rates, scores, label=HOW[how])
            tests[f"{NAMES[name]} {HOW[how]}"] = column(data, best(data, method), "test")
        plain_log(axes, "x", [0.0001, 0.001, 0.01, 0.1] if name == "adam" else [0.001, 0.01, 0.1])
        axes.set(xlabel="learning rate", ylabel="validation accuracy, %", ylim=(70, 100))
        axes.legend(frameon=False, fontsize=11, labelcolor="linecolor", loc="lower left")
        panels.append(axes)
    told = "; ".join(f"{name} {100 * numbers.mean():.1f} %" for name, numbers in tests.items())
    alt = (
        f"Validation accuracy against learning rate in batches of {BATCH}, for Adam and for SGD, "
        f"each alone, with LAWN and with weight decay. Test accuracy at the best rate: {told}."
    )
    caption = (
        f"Mean over the {len(data['tuning_seeds'])} tuning seeds, at each rate with the weight "
        "decay or the free phase that suits it best. The titles tell the gain of test accuracy, "
        "mean over {} other seeds."
    )
    return draw(panels, alt, _caption(data, caption))


def _signed(points: float) -> str:
    return f"{points:+.1f}".replace("-", "−")


def batches(evidence: Evidence) -> Drawing:
    """LW4: what LAWN adds in full batches and in small ones."""
    data, facts = evidence.data, evidence.facts
    full = ", ".join(f"{NAMES[n]} {_signed(facts[f'{n}_full_gain'])}" for n in OPTIMIZERS)
    axes = panel(f"Full batches: {full} points", (5.6, 3.7))
    places, told = [], []
    for name in OPTIMIZERS:
        for label, size in SIZES.items():
            numbers = 100 * gain(data, name, size)
            place = len(places)
            curve(
                axes, LOOKS[LAWN], numbers, [place] * len(numbers), linestyle="", alpha=0.35, ms=5
            )
            curve(axes, LOOKS[LAWN], [numbers.mean()], [place], linestyle="", ms=12)
            places.append(f"{NAMES[name]}, {'all images' if label == 'full' else f'{size} images'}")
            told.append(f"{places[-1]}: {_signed(numbers.mean())} points")
    axes.axvline(0, color=STYLE["none"]["light"], lw=1)
    axes.axvline(2, color=STYLE["none"]["light"], lw=1, ls=":")
    axes.set_yticks(range(len(places)), places)
    axes.invert_yaxis()
    axes.set(xlabel="gain of test accuracy by LAWN, points")
    alt = f"Gain of test accuracy by LAWN, by optimizer and images a step. {'; '.join(told)}."
    caption = (
        "Images in a step. Small: each of {} seeds; large: the mean. Dotted: two points, our "
        "margin for a great gain."
    )
    return draw([axes], alt, _caption(data, caption))


FIGURES = {"LW1": growth, "LW2": held, "LW3": optimizers, "LW4": batches}
