"""The figures of chapter 04."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
from matplotlib.axes import Axes

from bnlab.chapters.covariate_shift import equal_steps, s1_race, s2_noisy_race
from bnlab.chapters.covariate_shift import s3_shift_by_depth as shift_by_depth
from bnlab.chapters.covariate_shift.moving_inputs import movement, select
from bnlab.draw.figure import INK, Drawing, band, curve, draw, label, panel, plain_log
from bnlab.draw.style import STYLE
from bnlab.draw.words import power
from bnlab.verdicts.evidence import Evidence
from bnlab.verdicts.table import fact_name

SIZE = (4.4, 3.7)
PLACES = {
    "step": "step,\nafter",
    "step_before": "step,\nbefore",
    "whole": "run,\nafter",
    "whole_before": "run,\nbefore",
}


def _losses(
    data: dict, norms: Iterable[str], lrs: Iterable[float], depth: int, title: str, name: str
) -> Axes:
    """Training loss over the learning rate: the mean over the run, or its end."""
    axes, lrs = panel(title, SIZE), list(lrs)
    for norm in norms:
        rows = np.array([select(data, "race", norm, lr, name, depth) for lr in lrs])
        band(axes, norm, lrs, rows.min(1), rows.max(1))
        curve(axes, norm, lrs, np.exp(np.log(rows).mean(1)))
    plain_log(axes, "x", [lr for lr in lrs if f"{lr:g}"[-1] == "1"] or lrs)
    is_mean = name == "loss"
    plain_log(axes, "y", [0.1, 0.2, 0.5, 1, 2] if is_mean else [0.01, 0.1, 1])
    what = "mean loss, nats" if is_mean else "loss at the end, nats"
    axes.set(xlabel="learning rate", ylabel=what)
    return axes


def _name(axes: Axes, data: dict, name: str, places: Mapping) -> None:
    """Write the names of nets at their curves: rate and offset of each."""
    depth = data["depths"][0]
    for norm, (at, offset) in places.items():
        value = np.exp(np.log(select(data, "race", norm, at, name, depth)).mean())
        label(axes, norm, at, value, STYLE[norm]["short"], xytext=offset)


def _movements(data: dict, nets: Iterable[tuple[str, float]], title: str) -> Axes:
    """How far inputs move, in a step and in all, after the normalizer and before it."""
    axes, nets = panel(title, SIZE), list(nets)
    for number, (norm, lr) in enumerate(nets):
        again = norm in [other for other, _ in nets[:number]]
        found = [100 * np.median(movement(data, norm, lr, name), axis=1) for name in PLACES]
        at = np.arange(len(PLACES)) + 0.22 * (number - (len(nets) - 1) / 2)
        look = {"color": STYLE[norm]["light"], "lw": 2}
        axes.vlines(at, [min(one) for one in found], [max(one) for one in found], **look)
        fill = {"mfc": "none"} if again else {}
        means = [one.mean() for one in found]
        text = STYLE[norm]["short"] + (", own rate" if again else "")
        marks = {"ls": "none", "marker": STYLE[norm]["marker"], "ms": 8, "mew": 2, "label": text}
        axes.plot(at, means, **marks, **fill, **look)
    plain_log(axes, "y", [1, 3, 10, 30, 100])
    axes.set(ylabel="movement, %", ylim=(0.6, 1500))
    axes.legend(loc="upper left", frameon=False, fontsize=11, labelcolor="linecolor")
    axes.set_xticks(range(len(PLACES)), PLACES.values())
    axes.set_xlim(-0.6, len(PLACES) - 0.4)
    return axes


def _listed(data: dict, nets: Iterable[tuple[str, float]], name: str) -> str:
    return ", ".join(
        f"{STYLE[norm]['label']} at rate {lr:g} "
        f"{100 * np.median(movement(data, norm, lr, name), axis=1).mean():.2g} %"
        for norm, lr in nets
    )


def race_and_movement(evidence: Evidence) -> Drawing:
    """S1: training loss over the rate, its mean and its end, and how far the inputs move."""
    data, facts = evidence.data, evidence.facts
    depth, seeds = data["depths"][0], len(data["seeds"])
    nets = s1_race.looked_at(data)
    faster, end = facts[f"faster_{depth}"], facts[f"end_{depth}"]
    calmer = facts[fact_name("calmer", "step", depth)]
    mean, last = (
        _losses(data, s1_race.NORMS, s1_race.LRS, depth, title, name)
        for name, title in (
            ("loss", f"BatchNorm's mean loss is {power(faster)}× lower at best"),
            ("end", f"Its loss at the end is {power(end)}× that of none"),
        )
    )
    _name(mean, data, "loss", {"none": (0.3, (-24, 10)), "batch": (0.1, (-8, -30))})
    _name(last, data, "end", {"none": (0.03, (-26, -14)), "batch": (1, (6, -24))})
    moves = _movements(data, nets, f"Its inputs move {power(calmer)}× less in a step")
    alt = (
        f"a: mean training loss against learning rate at depth {depth}; at its best rate it is "
        f"{power(faster)} times lower with BatchNorm. b: the loss at the end of the training; "
        f"each at its best rate, BatchNorm's is {power(end)} times that of no normalizer. c: "
        "how far what goes into the layers moves, in per cent of its standard deviation. In a "
        f"step: {_listed(data, nets, 'step')}; before the normalizer: "
        f"{_listed(data, nets, 'step_before')}. From the first step to the last: "
        f"{_listed(data, nets, 'whole')}; before the normalizer: "
        f"{_listed(data, nets, 'whole_before')}."
    )
    caption = (
        f"{seeds} seeds; shades and lines span all. a and b: geometric means. c: movement in % of "
        "the standard deviation, in a step and from the first step of the run to the last; “after” "
        f"is what the next layer gets, “before” what goes into the normalizer. Rate {nets[0][1]:g} "
        f"is the best one of the net without a normalizer, {nets[-1][1]:g} BatchNorm's own."
    )
    return draw([mean, last, moves], alt, caption)


def noise(evidence: Evidence) -> Drawing:
    """S2: training loss over the rate with noise, its mean and its end, and the movement."""
    data, facts = evidence.data, evidence.facts
    depth, seeds, lr = data["depths"][0], len(data["seeds"]), s2_noisy_race.LR
    ahead, taken = facts[f"ahead_{depth}_own"], facts[f"taken_{depth}"]
    ends = facts[f"noisy_batch_end_{depth}_own"] / facts[f"none_end_{depth}_own"]
    mean, last = (
        _losses(data, s2_noisy_race.NORMS, data["lrs"], depth, title, name)
        for name, title in (
            ("loss", f"Noisy BatchNorm's mean loss is {ahead:.1f}× below none's at best"),
            ("end", f"Its loss at the end is {power(ends)}× that of none"),
        )
    )
    above = {"noisy_batch": (0.03, (40, 6))}
    _name(mean, data, "loss", {"none": (0.3, (-20, 14)), "batch": (0.1, (-4, -30)), **above})
    _name(last, data, "end", {"none": (0.03, (-26, -14)), "batch": (1, (6, -26)), **above})
    nets = [(norm, lr) for norm in s2_noisy_race.NORMS]
    moves = _movements(data, nets, "Noise shakes inputs, but carries them less far")
    alt = (
        f"a: mean training loss against learning rate at depth {depth}. Each at its best rate, "
        f"that of no normalizer is {ahead:.1f} times that of noisy BatchNorm; the noise takes "
        f"{taken:.0f} % of BatchNorm's lead. b: the loss at the end; each at its best rate, "
        f"noisy BatchNorm has {power(ends)} times that of no normalizer, by medians. c: how "
        f"far what goes into the layers moves at rate {lr:g}, in per cent of its standard "
        f"deviation. In a step: {_listed(data, nets, 'step')}. From the first step to the last: "
        f"{_listed(data, nets, 'whole')}."
    )
    caption = (
        f"{seeds} seeds; shades and lines span all. a and b: geometric means. c: movement at rate "
        f"{lr:g} in % of the standard deviation, in a step and from the first step of the run to "
        "the last; “after” is what the next layer gets, “before” what goes into the normalizer."
    )
    return draw([mean, last, moves], alt, caption)


def gradient_shift(evidence: Evidence) -> Drawing:
    """S3: the shift of gradients by depth, the same for steps of one length, the linear net."""
    data, facts = evidence.data, evidence.facts
    depths, seeds, length = data["depths"], len(data["seeds"]), equal_steps.LENGTHS[-1]
    ratios = [facts[f"ratio_{depth}"] for depth in depths]
    equal = [facts[f"equal_{fact_name(depth, length)}"] for depth in depths]
    shift = _by_depth(data, f"Shift of none ÷ BatchNorm: {power(ratios[0])} to {power(ratios[-1])}")
    same = _at_one_length(data, f"For steps of one length: {power(equal[0])} to {power(equal[-1])}")
    linear = _linear(data)
    told, told_equal = (
        "; ".join(
            f"{power(ratio)} at depth {depth}" for ratio, depth in zip(each, depths, strict=True)
        )
        for each in (ratios, equal)
    )
    alt = (
        "a: shift of the gradients without a normalizer over that with BatchNorm, against "
        f"depth, both at the best rate without a normalizer: {told}. b: the same ratio if "
        f"all steps have length {length:g}, and the shift is divided by the size of the "
        f"gradient: {told_equal}. c: cosine of the gradients before and after in the deep "
        "linear net, by learning rate; at "
        f"{shift_by_depth.LINEAR_LR:g} its median is {facts['linear_none_1e04']:.2f} without and "
        f"{facts['linear_batch_1e04']:.2f} with BatchNorm."
    )
    caption = (
        f"{seeds} seeds; above 1 BatchNorm's is smaller. a and b: geometric means; the lines span "
        "all seeds. Thin curves in a: one rate at all depths; dotted in b: before the first "
        "update. c: mean, the shade spans all seeds."
    )
    return draw([shift, same, linear], alt, caption)


def _ratio_axes(title: str, depths: list[int]) -> Axes:
    axes = panel(title, SIZE)
    axes.axhline(1, color=INK, lw=1, ls=":")
    plain_log(axes, "y", [0.1, 0.2, 0.5, 1, 2, 5, 10])
    axes.set(xlabel="hidden layers", ylabel="none ÷ BatchNorm")
    axes.set_xticks(depths)
    axes.set_xlim(min(depths) - 1, max(depths) + 2.5)
    axes.set_ylim(0.08, 14)  # the same in both panels
    return axes


def _spans(axes: Axes, depths: list[int], found: list[np.ndarray]) -> None:
    """A dot a depth, and a line over its seeds."""
    ratios = [10.0**one for one in found]
    axes.vlines(
        depths, [min(one) for one in ratios], [max(one) for one in ratios], color=INK, lw=1.5
    )
    axes.plot(depths, [10 ** one.mean() for one in found], color=INK, marker="o", ms=8, lw=2)


def _by_depth(data: dict, title: str) -> Axes:
    depths = data["depths"]
    axes, ends = _ratio_axes(title, depths), {}
    for lr in data["lrs"]:
        found = [shift_by_depth.decades(data, depth, lr) for depth in depths]
        ratios = [10 ** np.nanmean(one) if np.isfinite(one).any() else np.nan for one in found]
        axes.plot(depths, ratios, color=INK, lw=1, alpha=0.6)
        ends[lr] = ratios[-1]
    chosen = [shift_by_depth.best_lr(data, depth, "none") for depth in depths]
    at = zip(depths, chosen, strict=True)
    _spans(axes, depths, [shift_by_depth.decades(data, depth, lr) for depth, lr in at])
    _name_ends(axes, depths[-1], ends)
    return axes


def _at_one_length(data: dict, title: str) -> Axes:
    depths, length = data["depths"], equal_steps.LENGTHS[-1]
    axes = _ratio_axes(title, depths)
    first = (shift_by_depth.START,)
    start = [shift_by_depth.equal_decades(data, d, length, first).mean() for d in depths]
    axes.plot(depths, 10.0 ** np.array(start), color=INK, lw=1.5, ls=":", marker="o", mfc="none")
    _spans(axes, depths, [shift_by_depth.equal_decades(data, d, length) for d in depths])
    return axes


def _name_ends(axes: Axes, x: float, ends: Mapping[float, float]) -> None:
    """Write each rate beside the end of its curve, one above the other where ends are close."""
    last = -np.inf
    for lr, ratio in sorted(ends.items(), key=lambda end: end[1]):
        if np.isfinite(ratio):
            last = max(ratio, 1.22 * last)
            axes.annotate(f"{lr:g}", (x, last), (10, -4), textcoords="offset points", color=INK)


def _linear(data: dict) -> Axes:
    axes, lrs = panel("Deep linear net: gradients turn with BatchNorm", SIZE), data["linear_lrs"]
    for norm in shift_by_depth.NORMS:
        rows = np.array([shift_by_depth.linear(data, norm, lr) for lr in lrs])
        band(axes, norm, lrs, np.nanmin(rows, 1), np.nanmax(rows, 1))
        curve(axes, norm, lrs, np.nanmean(rows, 1))
        place = (0, 8) if norm == "none" else (0, -60)
        label(axes, norm, lrs[0], np.nanmean(rows[0]), xytext=place, ha="left")
    axes.set_xscale("log")
    axes.set(xlabel="learning rate", ylabel="cosine before and after", ylim=(-1, 1.25))
    return axes


FIGURES = {"S1": race_and_movement, "S2": noise, "S3": gradient_shift}
