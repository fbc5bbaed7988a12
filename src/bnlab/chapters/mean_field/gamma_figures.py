"""The figures of chapter 06 about gamma and the best rate: W3 and W4."""

from __future__ import annotations

import numpy as np

from bnlab.chapters.mean_field import w3_gamma_start, w4_best_rate
from bnlab.draw.figure import INK, Drawing, band, curve, draw, label, panel, plain_log
from bnlab.verdicts.evidence import Evidence
from bnlab.verdicts.table import fact_name

GAMMA = "γ at the start"
STARTS = {
    "usual": (
        "as it is",
        "solid",
        {
            "test_loss": {"xytext": (-40, 4), "ha": "right"},
            "rate": {"xytext": (4, 10), "ha": "left"},
        },
    ),
    "rescaled": (
        "rescaled",
        (0, (4, 2)),
        {
            "test_loss": {"xytext": (0, -34), "ha": "right"},
            "rate": {"xytext": (4, -24), "ha": "left"},
        },
    ),
}
"""Text, dash and place of the text in each panel."""


def counted(data: dict) -> str:
    """How many seeds, in words."""
    count = len(data["seeds"])
    return f"{count} seed{'s' if count > 1 else ''}"


def smaller_gamma(evidence: Evidence) -> Drawing:
    """W3: test loss and learning rate over gamma."""
    data, facts = evidence.data, evidence.facts
    gain = 10 ** (evidence.values["low"].mean() + evidence.values["high"].mean())
    losses = panel(f"From γ = 3 to 0.25 the loss falls {gain:.2g}-fold")
    rates = panel("The larger γ, the smaller the tuned rate")
    gammas = {start: [g for s, g in data["nets"] if s == start] for start in STARTS}
    for start, (text, dash, place) in STARTS.items():
        x = sorted([*gammas[start], *([1.0] if start == "rescaled" else [])])
        nets = [(start if g in gammas[start] else "usual", g) for g in x]
        if not gammas[start]:
            continue
        for axes, name in ((losses, "test_loss"), (rates, "rate")):
            rows = np.array([w3_gamma_start.select(data, net, name) for net in nets])
            band(axes, "batch", x, rows.min(1), rows.max(1))
            curve(axes, "batch", x, 10 ** np.log10(rows).mean(1), linestyle=dash)
            at = -1 if name == "test_loss" else 0  # where the curves are apart
            end = 10 ** np.log10(rows[at]).mean()
            label(axes, "batch", x[at], end, text, **place[name])
    for axes, name in ((losses, "test loss after five epochs"), (rates, "tuned learning rate η")):
        plain_log(axes, "x", gammas["usual"])
        axes.set(xlabel=GAMMA, ylabel=name)
    plain_log(losses, "y", [0.05, 0.1, 0.2, 0.5, 1])
    plain_log(rates, "y", [0.003, 0.01, 0.03, 0.1, 0.3])
    each = "; ".join(
        f"γ = {gamma:g}{' with rescaled outputs' if start == 'rescaled' else ''}: "
        f"{facts[fact_name('test', start, gamma)]:.2g}"
        for start, gamma in data["nets"]
    )
    alt = (
        f"a: test loss after five epochs against γ, each net at its tuned rate: {each}. b: "
        "the tuned rates, which fall as γ grows."
    )
    caption = (
        f"{counted(data)}; the shade spans all; geometric means. Dashed: the last "
        "matrix is divided by γ, so that all nets start with outputs of one size."
    )
    return draw([losses, rates], alt, caption)


def best_rates(evidence: Evidence) -> Drawing:
    """W4: test loss over the rate in units of eta*, and where it is lowest."""
    data, facts = evidence.data, evidence.facts
    gammas, factors = data["gammas"], 2 ** (np.array(data["powers"]) / 2)
    found = {gamma: facts[fact_name("best", gamma)] for gamma in gammas}
    low, high = min(found.values()), max(found.values())
    losses = panel(f"Lowest at {low:.2g} to {high:.2g} times η*")
    for number, gamma in enumerate(gammas):
        rows = w4_best_rate.losses(data, gamma)
        finite = np.isfinite(rows).all(0)
        means = 10 ** np.log10(rows[:, finite]).mean(0)
        curve(losses, "batch", factors[finite], means, ms=4, lw=1 + 0.5 * number, alpha=0.8)
        up = {0: -2, 1: -14, 2: 3}.get(number, -4)  # the three smallest start together
        place = {"xytext": (-58, up), "textcoords": "offset points", "color": INK}
        losses.annotate(f"γ = {gamma:g}", (factors[0], means[0]), **place)
    losses.axvline(w4_best_rate.EXPECTED, color=INK, ls=":", lw=1)
    plain_log(losses, "x", [0.06, 0.125, 0.25, 0.5, 1, 2])
    plain_log(losses, "y", [0.05, 0.1, 0.2, 0.5, 1, 2, 5])
    losses.set_xlim(0.33 * factors[0])
    losses.set(xlabel="learning rate ÷ η*", ylabel="test loss after five epochs")
    most = max(found, key=found.get)
    text = f"Best rate: {found[gammas[0]]:.2g} η* at γ = {gammas[0]:g}"
    best = panel(f"{text}, {high:.2g} at {most:g}")
    rows = np.array([w4_best_rate.best(data, gamma) for gamma in gammas])
    band(best, "batch", gammas, rows.min(1), rows.max(1))
    curve(best, "batch", gammas, 10 ** np.log10(rows).mean(1))
    for factor, dash in ((0.25, ":"), (0.5, "-"), (1.0, ":")):
        best.axhline(factor, color=INK, lw=1, ls=dash)
    plain_log(best, "x", gammas)
    plain_log(best, "y", [0.125, 0.25, 0.5, 1, 2])
    best.set(xlabel=GAMMA, ylabel="best learning rate ÷ η*")
    each = "; ".join(f"γ = {gamma:g}: {value:.2g}" for gamma, value in found.items())
    alt = (
        "a: test loss after five epochs against learning rate over η*, a curve for each γ; all "
        "fall at small rates. b: the rate with the lowest test loss "
        f"over η*, which the claim says is 0.5: {each}."
    )
    caption = (
        f"{counted(data)}; geometric means. a: a curve ends where a seed diverges. b: the shade "
        "spans all seeds; dotted, a factor of two from a half."
    )
    return draw([losses, best], alt, caption)
