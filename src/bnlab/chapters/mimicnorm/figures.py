"""The figures of chapter 09."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes

from bnlab.chapters.mimicnorm import m1_matches as m1
from bnlab.chapters.mimicnorm import m2_memory as m2
from bnlab.chapters.mimicnorm import m3_at_start as m3
from bnlab.chapters.mimicnorm import m4_usable_rates as m4
from bnlab.chapters.mimicnorm import m5_over_steps as m5
from bnlab.chapters.mimicnorm.looks import LOOKS, NET_WORDS, WORDS, legend, spread
from bnlab.chapters.mimicnorm.trainings import NETS
from bnlab.draw.figure import INK, Drawing, curve, draw, label, panel, plain_log
from bnlab.draw.style import STYLE
from bnlab.draw.words import power
from bnlab.verdicts.evidence import Evidence

KEPT = {  # who keeps it, by the kind of module
    "normalizers": ("BatchNorm",),
    "scalars of the branches": ("Scale",),
}
REST = "all others"
SHADES = {"normalizers": "batch", "scalars of the branches": "rms", REST: "none"}
HALVES = {
    "batch": "Batch-\nNorm",
    "mimic": "both",
    "last_norm": "last\nBatchNorm",
    "weight_mean": "weight\nmean",
    "neither": "neither",
}
"""The names of the nets of the ablation, below their marks."""


def matches(evidence: Evidence) -> Drawing:
    """M1: test accuracy over the steps, MimicNorm and BatchNorm, in three nets."""
    data, facts, panels, told = evidence.data, evidence.facts, [], []
    for net in NETS:
        ends = [facts[f"test_{method}_{net}"] for method in reversed(m1.METHODS)]
        axes = panel("{}: MimicNorm {:.0f}, BatchNorm {:.0f} %".format(NET_WORDS[net], *ends))
        for method in m1.METHODS:
            rows = np.array([m1.at_best(data, net, method, mark) for mark in m1.MARKS])
            spread(axes, method, m1.MARKS, 100 * rows.T)
        _over_steps(axes, m1.MARKS)
        legend(axes, "upper left" if net == "deep" else "lower right")
        panels.append(axes)
        told.append("{}: MimicNorm {:.1f} %, BatchNorm {:.1f} %".format(NET_WORDS[net], *ends))
    alt = (
        f"Test accuracy against the number of steps, up to {facts['steps']}. At the end, means "
        f"over {facts['seeds']} seeds: {'; '.join(told)}."
    )
    caption = (
        f"Each net at its best rate (validation, other seeds). Mean over {facts['seeds']} seeds; "
        "the shade spans all. Neither b nor c has shortcuts; c is outside of what the paper "
        "trains, and does not count."
    )
    return draw(panels, alt, caption)


def _over_steps(axes: Axes, marks: tuple[int, ...]) -> None:
    plain_log(axes, "x", marks)
    axes.set(xlabel="steps", ylabel="test accuracy, %", ylim=(0, 105))


def memory(evidence: Evidence) -> Drawing:
    """M2: KiB kept for the backward pass, by who keeps them."""
    data, facts, panels, told = evidence.data, evidence.facts, [], []
    for net in m2.NETS:
        saved = [facts[f"saved_mimic_{net}_{kernels}"] for kernels in m2.KERNELS]
        axes = panel("{}: {:.0f} or {:.0f} % less".format(NET_WORDS[net], *saved))
        rows = [(kernels, method) for kernels in m2.KERNELS for method in ("batch", "mimic")]
        left = np.zeros(len(rows))
        for part, sizes in _parts(data, net, rows).items():
            colour = STYLE[SHADES[part]]["light"]
            axes.barh(range(len(rows)), sizes, left=left, color=colour, label=part, alpha=0.75)
            left += sizes
        names = {"fused": "fused", "single": "single op."}
        axes.set_yticks(range(len(rows)), [f"{WORDS[m]},\n{names[k]}" for k, m in rows], size=11)
        axes.invert_yaxis()
        axes.set(xlabel="KiB kept for the backward pass")
        if net == "plain":
            axes.legend(frameon=False, fontsize=11, loc="center right", bbox_to_anchor=(1, 0.64))
        panels.append(axes)
        told.append(
            "{}: {:.0f} % less than BatchNorm with torch's fused kernels, {:.0f} % less with "
            "single operations".format(NET_WORDS[net], *saved)
        )
    alt = f"Memory kept for the backward pass by MimicNorm. {'; '.join(told)}."
    caption = (
        f"Batches of {facts['batch_size']}; the same for every seed. Fused: torch's kernels; "
        "single op.: the same BatchNorm, written in single operations."
    )
    return draw(panels, alt, caption)


def _parts(data: dict, net: str, rows: list[tuple[str, str]]) -> dict[str, np.ndarray]:
    found = {part: np.zeros(len(rows)) for part in (REST, *KEPT)}
    for place, (kernels, method) in enumerate(rows):
        for kind, size in m2.column(data, net, kernels, method, "by_kind")[0].items():
            part = next((p for p, kinds in KEPT.items() if kind in kinds), REST)
            found[part][place] += size / 1024
    return found


def apart(evidence: Evidence) -> Drawing:
    """M3: cosines of pairs and small differences, layer by layer, with the theory."""
    data, facts = evidence.data, evidence.facts
    layers = np.arange(1, facts["depth"] + 1)
    pairs = panel("Cosine {none_last:.2f} or {centred_last:.2f} at the end".format(**facts))
    nudged = panel("Differences grow ×{centred_factor:.2f} a layer".format(**facts))
    for net in m3.NETS:
        spread(pairs, net, layers, m3.curves(data, net, "cosine"), marker="")
        differences = m3.curves(data, net, "difference")
        spread(nudged, net, layers, differences / differences[:, :1], marker="")
    for net in ("none", "centred"):
        theory = m3.curves(data, net, "theory").mean(0)
        pairs.plot(layers, theory, color=INK, ls=":", lw=1.5, label="theory")
    nudged.plot(layers, 10 ** (m3.RATE * (layers - 1)), color=INK, ls=":", lw=1.5)
    label(nudged, "none", 22, 10 ** (m3.RATE * 14), "dotted: theory", xytext=(0, 0))
    pairs.set(xlabel="layer", ylabel="cosine of two inputs", ylim=(-0.2, 1.1))
    nudged.set(xlabel="layer", ylabel="relative difference")
    plain_log(nudged, "y")
    legend(nudged, "upper left")
    label(pairs, LOOKS["none"], 20, 0.9, WORDS["none"], xytext=(0, -16))
    label(pairs, LOOKS["centred"], 9, 0.25, WORDS["centred"], ha="left", xytext=(0, 0))
    label(pairs, LOOKS["batch"], 20, 0.0, WORDS["batch"], xytext=(0, -18))
    alt = (
        "a: mean cosine of two digits before the ReLU against the layer, at the start. No "
        "normalizer: from {none_1:.2f} to {none_last:.2f}; weight mean: from {centred_1:.2f} to "
        "{centred_last:.2f}; BatchNorm: from {batch_1:.2f} to {batch_last:.2f}. b: a small "
        "relative difference grows {centred_factor:.2f} times a layer with weight mean, "
        "{batch_factor:.2f} times with BatchNorm and {none_factor:.2f} times without a normalizer."
    ).format(**facts)
    caption = (
        f"Perceptrons of width {facts['width']} before the first step. Mean over {facts['seeds']} "
        f"seeds; the shade spans all. Dotted: the theory, χ = {facts['chi']:.3f}. b: in multiples "
        "of the difference in layer 1."
    )
    return draw([pairs, nudged], alt, caption)


def rates(evidence: Evidence) -> Drawing:
    """M4: accuracy over the rate, and the two halves alone and together at two rates."""
    data, facts = evidence.data, evidence.facts
    sweep = panel("Last BatchNorm: rates {}× as large".format(power(facts["rate_times"])))
    for method in m4.SWEPT:
        spread(sweep, method, m4.LRS[method], 100 * m4.swept(data, method).T)
        usable = facts[f"usable_{method}"]
        sweep.axvline(usable, color=STYLE[LOOKS[method]]["light"], ls=":", lw=1.5)
    plain_log(sweep, "x", [0.001, 0.01, 0.1, 1])
    sweep.set(xlabel="learning rate", ylabel="test accuracy, %", ylim=(0, 150))
    sweep.set_yticks(range(0, 101, 20))
    legend(sweep, "upper left")
    told = ", ".join(f"{WORDS[m]} {facts[f'usable_{m}']:.2g}" for m in m4.SWEPT)
    halves = "; ".join(
        f"{WORDS[m]} {facts[f'test_{m}_moderate']:.0f} and {facts[f'test_{m}_large']:.0f} %"
        for m in m4.ABLATED
    )
    alt = (
        f"a: test accuracy against learning rate after {m4.STEPS} steps; largest usable rates: "
        f"{told}. b: test accuracy at rates {m4.MODERATE:g} and {m4.LARGE:g}: {halves}."
    )
    caption = (
        f"Residual net, {facts['seeds']} seeds. a: mean, the shade spans all; a net that diverged "
        "counts as chance; dotted: the largest usable rate. b: a mark a seed, a line at the mean."
    )
    return draw([sweep, _halves(data, facts)], alt, caption)


def _halves(data: dict, facts: dict) -> Axes:
    ends = [facts[f"test_{method}_large"] for method in ("mimic", "last_norm")]
    axes = panel("At rate {:g}: both {:.0f}, last only {:.0f} %".format(m4.LARGE, *ends))
    for place, method in enumerate(m4.ABLATED):
        for shift, lr in ((-0.18, m4.MODERATE), (0.18, m4.LARGE)):
            score = 100 * m4.at_rate(data, method, lr)
            at = np.full(len(score), place + shift)
            hollow = {} if lr == m4.MODERATE else {"mfc": "none"}
            curve(axes, LOOKS[method], at, score, linestyle="", ms=5, alpha=0.7, **hollow)
            axes.hlines(score.mean(), *(place + shift + np.array([-0.14, 0.14])), color=INK, lw=2)
    axes.set_xticks(range(len(m4.ABLATED)), [HALVES[one] for one in m4.ABLATED], fontsize=10)
    axes.set(ylabel="test accuracy, %", ylim=(0, 105))
    axes.set_xlabel(f"full: rate {m4.MODERATE:g}; hollow: rate {m4.LARGE:g}")
    return axes


def over_steps(evidence: Evidence) -> Drawing:
    """M5: test accuracy over the number of steps, each net at its best rate for that number."""
    data, facts = evidence.data, evidence.facts
    ends = [facts[f"test_{method}_{m5.LONG}"] for method in ("mimic", "fixup")]
    leads = [facts[f"lead_fixup_{mark}"] for mark in (m5.SHORT, m5.LONG)]
    score = panel("At the end {:.0f}, Fixup {:.0f} %".format(*ends))
    ahead = panel("Ahead of Fixup: {:.0f}, then {:.0f} points".format(*leads))
    for method in m5.METHODS:
        rows = np.array([m5.at_best(data, method, mark) for mark in m5.MARKS])
        spread(score, method, m5.MARKS, 100 * rows.T)
        if method != "mimic":
            led = np.array([m5.lead(data, method, mark) for mark in m5.MARKS])
            spread(ahead, method, m5.MARKS, 100 * led.T)
    _over_steps(score, m5.MARKS)
    legend(score)
    plain_log(ahead, "x", m5.MARKS)
    ahead.axhline(0, color=INK, lw=1)
    ahead.set(xlabel="steps", ylabel="MimicNorm's lead, points")
    legend(ahead, "upper right")
    told = "; ".join(
        f"{WORDS[method]} "
        + ", ".join(f"{facts[f'test_{method}_{mark}']:.0f}" for mark in m5.MARKS)
        for method in m5.METHODS
    )
    alt = (
        f"Test accuracy in per cent after {', '.join(map(str, m5.MARKS))} steps, each net at its "
        f"best rate for that number: {told}. MimicNorm is {leads[0]:.0f} points ahead of Fixup "
        f"after {m5.SHORT} steps and {leads[1]:.1f} after {m5.LONG}."
    )
    caption = (
        f"Residual net. Mean over {facts['seeds']} seeds; the shade spans all. 'neither' has "
        "MimicNorm's scalars at the ends of the branches, without its two operations."
    )
    return draw([score, ahead], alt, caption)


FIGURES = {"M1": matches, "M2": memory, "M3": apart, "M4": rates, "M5": over_steps}
