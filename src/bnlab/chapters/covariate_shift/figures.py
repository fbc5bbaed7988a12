"""The figures of chapter 04."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
from matplotlib.axes import Axes

from bnlab.chapters.covariate_shift import deep_linear, s1_race, s2_noisy_race
from bnlab.chapters.covariate_shift import s3_shift_by_depth as shift_by_depth
from bnlab.chapters.covariate_shift.moving_inputs import select
from bnlab.draw.figure import INK, Drawing, band, curve, draw, label, panel, plain_log
from bnlab.draw.style import STYLE
from bnlab.draw.words import power
from bnlab.verdicts.evidence import Evidence
from bnlab.verdicts.table import fact_name


def _losses(data: dict, norms: Iterable[str], lrs: Iterable[float], depth: int, title: str) -> Axes:
    """Mean training loss over the learning rate."""
    axes, lrs = panel(title), list(lrs)
    for norm in norms:
        rows = np.array([select(data, "race", norm, lr, "loss", depth) for lr in lrs])
        band(axes, norm, lrs, rows.min(1), rows.max(1))
        curve(axes, norm, lrs, rows.mean(1))
    plain_log(axes, "x", [lr for lr in lrs if f"{lr:g}"[-1] == "1"] or lrs)
    plain_log(axes, "y", [0.1, 0.2, 0.5, 1, 2])
    axes.set(xlabel="learning rate", ylabel="mean training loss, nats")
    return axes


def _movements(
    data: dict, nets: Mapping[str, tuple[str, float]], title: str
) -> tuple[Axes, dict[str, float]]:
    """Movement of the inputs by layer, for nets named by their label; and its medians."""
    axes, typical = panel(title), {}
    for name, (norm, lr) in nets.items():
        rows = 100 * select(data, "look", norm, lr, "moves")
        dots = {"linestyle": ":"} if name.endswith(f"{lr:g}") else {}
        layers, middle = np.arange(2, rows.shape[1] + 2), np.median(rows, axis=0)
        band(axes, norm, layers, rows.min(0), rows.max(0))
        curve(axes, norm, layers, middle, ms=4, **dots)
        above = {"no normalizer": -16 if "noisy" in nets else 7, "noisy": 10}.get(name, 7)
        label(axes, norm, layers[-1], middle[-1], name, ha="right", xytext=(0, above))
        typical[name] = float(np.median(rows, axis=1).mean())
    plain_log(axes, "y", [0.5, 1, 2, 5, 10, 20, 50])
    axes.set(xlabel="layer", ylabel="movement in a step, %")
    axes.set_xticks(layers)
    axes.set_ylim(axes.get_ylim()[0], 1.3 * axes.get_ylim()[1])
    return axes, typical


def _listed(typical: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {value:.2g} %" for name, value in typical.items())


def race_and_movement(evidence: Evidence) -> Drawing:
    """S1: training loss over the rate, and how far the inputs of the layers move."""
    data, facts = evidence.data, evidence.facts
    depth, seeds = data["depths"][0], len(data["seeds"])
    (_, same), *_, (_, own) = s1_race.looked_at(data)
    faster, ratio = facts[f"faster_{depth}"], facts[f"ratio_{depth}"]
    title = f"Rates up to {power(ratio)}× as large, loss ÷ {power(faster)}"
    losses = _losses(data, s1_race.NORMS, s1_race.LRS, depth, title)
    for norm, at, place in (("none", 1.0, (24, -18)), ("batch", 0.01, (30, 8))):
        value = select(data, "race", norm, at, "loss", depth).mean()
        label(losses, norm, at, value, STYLE[norm]["short"], xytext=place)
    nets = {"no normalizer": ("none", same), "BatchNorm": ("batch", same)}
    if own != same:
        nets[f"BatchNorm at rate {own:g}"] = ("batch", own)
    moves, typical = _movements(
        data, nets, f"Without it, inputs move {power(facts['calmer'])}× as far"
    )
    alt = (
        f"Left: mean training loss against learning rate at depth {depth}. The largest usable rate "
        f"is {power(ratio)} times as large with BatchNorm, and at its best rate the mean loss is "
        f"{power(faster)} times smaller. Right: how far the inputs of each layer move in a step at "
        f"rate {same:g}, in per cent of their standard deviation; typical: {_listed(typical)}."
    )
    caption = (
        f"{seeds} seeds; the shade spans all. Left: mean. Right: median; rate {same:g}, the best "
        "one of the net without a normalizer, if nothing else is said."
    )
    return draw([losses, moves], alt, caption)


def noise(evidence: Evidence) -> Drawing:
    """S2: training loss over the rate with noise, and how far the inputs move."""
    data, facts = evidence.data, evidence.facts
    depth, seeds, lr = data["depths"][0], len(data["seeds"]), s2_noisy_race.LR
    end = fact_name(depth, lr)
    near, ahead = facts[f"near_{end}"], facts[f"ahead_{end}"]
    title = f"At {lr:g}: {near:.1f}× BatchNorm's loss"
    losses = _losses(data, s2_noisy_race.NORMS, data["lrs"], depth, title)
    losses.axvline(lr, color=INK, ls=":", lw=1)
    losses.set_xticks(data["lrs"])
    places = {"none": (-30, 6), "batch": (26, -14), "noisy_batch": (30, 8)}
    for norm, place in places.items():
        at = data["lrs"][-2] if norm != "noisy_batch" else data["lrs"][0]
        value = select(data, "race", norm, at, "loss", depth).mean()
        label(losses, norm, at, value, STYLE[norm]["short"], xytext=place)
    nets = {
        "no normalizer": ("none", lr),
        "BatchNorm": ("batch", lr),
        "noisy": ("noisy_batch", lr),
    }
    ratio = facts["moves_ratio"]
    moves, typical = _movements(data, nets, f"Its inputs move {power(ratio)}× as far as plain ones")
    alt = (
        f"Left: mean training loss against learning rate at depth {depth}. At rate {lr:g} noisy "
        f"BatchNorm has {near:.2f} times the loss of BatchNorm, and the net without a normalizer "
        f"{ahead:.1f} times that of noisy BatchNorm. Right: how far the inputs of each layer move "
        f"in a step at that rate, in per cent of their standard deviation; typical: "
        f"{_listed(typical)}."
    )
    caption = f"{seeds} seeds; the shade spans all. Left: mean, dotted the rate that decides."
    return draw([losses, moves], alt, caption)


def gradient_shift(evidence: Evidence) -> Drawing:
    """S3: the shift of gradients by depth and rate; how large they are; the deep linear net."""
    data, facts = evidence.data, evidence.facts
    seeds, depths = len(data["seeds"]), data["depths"]
    shifts = [power(10 ** effect.mean()) for effect in list(evidence.values.values())[:2]]
    titles = {
        "l2": "Shift: {}× at depth {}, {}× at {}".format(
            *(part for pair in zip(shifts, shift_by_depth.DECISIVE, strict=True) for part in pair)
        ),
        "before": "Size of the gradients: falls too",
    }
    panels = [_by_depth(data, name, title) for name, title in titles.items()]
    linear = _linear(data)
    ratios = "; ".join(
        f"{power(facts[fact_name('ratio', depth, lr)])} at depth {depth} and rate {lr:g}"
        for depth, lr in shift_by_depth.DECISIVE.items()
    )
    cosines = {
        norm: shift_by_depth.typical(
            data, "linear", deep_linear.LAYERS, norm, shift_by_depth.LINEAR_LR, "cosine"
        ).mean()
        for norm in shift_by_depth.NORMS
    }
    linear.set_title(f"Linear net: cosine {cosines['none']:.2f} and {cosines['batch']:.2f}")
    alt = (
        f"Left: shift of the gradients without a normalizer over that with BatchNorm, against "
        f"depth ({', '.join(map(str, depths))}), a curve for each learning rate: {ratios}. Middle: "
        "the same ratio for the size of the gradients before the step; it falls with depth in the "
        "same way. Right: cosine of the gradients before and after in the deep linear net, by "
        f"learning rate; at {shift_by_depth.LINEAR_LR:g} it is {cosines['none']:.2f} without and "
        f"{cosines['batch']:.2f} with BatchNorm, on average."
    )
    caption = (
        f"{seeds} seeds; left and middle: geometric means, above 1 BatchNorm's is smaller; dots "
        "decide, with the range of their seeds. Right: mean, the shade spans all seeds."
    )
    return draw([*panels, linear], alt, caption)


def _by_depth(data: dict, name: str, title: str) -> Axes:
    axes, depths = panel(title, size=(4.4, 3.7)), data["depths"]
    axes.axhline(1, color=INK, lw=1, ls=":")
    ends = {}
    for number, lr in enumerate(data["lrs"]):
        found = [shift_by_depth.decades(data, depth, lr, name) for depth in depths]
        ratios = [10 ** np.nanmean(one) if np.isfinite(one).any() else np.nan for one in found]
        axes.plot(depths, ratios, color=INK, lw=1 + 0.5 * number, alpha=0.55)
        ends[lr] = ratios[-1]
    for depth, lr in shift_by_depth.DECISIVE.items():
        found = 10.0 ** shift_by_depth.decades(data, depth, lr, name)
        axes.plot([depth] * 2, [found.min(), found.max()], color=INK, lw=1.2)
        axes.plot([depth], [10 ** np.log10(found).mean()], color=INK, marker="o", ms=8)
    _name_ends(axes, depths[-1], ends)
    plain_log(axes, "y", [0.1, 0.2, 0.5, 1, 2, 5, 10])
    axes.set(xlabel="hidden layers (a curve a learning rate)", ylabel="none ÷ BatchNorm")
    axes.set_xticks(depths)
    axes.set_xlim(min(depths) - 0.5, max(depths) + 2)
    return axes


def _name_ends(axes: Axes, x: float, ends: Mapping[float, float]) -> None:
    """Write each rate beside the end of its curve, one above the other where ends are close."""
    last = -np.inf
    for lr, ratio in sorted(ends.items(), key=lambda end: end[1]):
        if np.isfinite(ratio):
            last = max(ratio, 1.22 * last)
            axes.annotate(f"{lr:g}", (x, last), (10, -4), textcoords="offset points", color=INK)


def _linear(data: dict) -> Axes:
    axes, lrs = panel("", size=(4.4, 3.7)), data["linear_lrs"]
    for norm in shift_by_depth.NORMS:
        rows = np.array(
            [
                shift_by_depth.typical(data, "linear", deep_linear.LAYERS, norm, lr, "cosine")
                for lr in lrs
            ]
        )
        band(axes, norm, lrs, np.nanmin(rows, 1), np.nanmax(rows, 1))
        curve(axes, norm, lrs, np.nanmean(rows, 1))
        place = (0, 8) if norm == "none" else (0, -60)
        label(axes, norm, lrs[0], np.nanmean(rows[0]), xytext=place, ha="left")
    axes.set_xscale("log")
    axes.set(xlabel="learning rate", ylabel="cosine before and after", ylim=(-1, 1.25))
    return axes


FIGURES = {"S1": race_and_movement, "S2": noise, "S3": gradient_shift}
