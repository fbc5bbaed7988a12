"""The figures of chapter 07."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from matplotlib.axes import Axes

from bnlab.chapters.batch_renorm import r2_speed, r3_limits_at_work, r4_one_class, r5_scale
from bnlab.chapters.batch_renorm import r3_few_samples as small
from bnlab.chapters.batch_renorm.methods import LRS, SCHEDULES, Method, at_best, best_lr, select
from bnlab.draw.figure import INK, Drawing, band, curve, draw, label, panel, plain_log
from bnlab.draw.style import STYLE
from bnlab.norms import make_norm
from bnlab.verdicts.evidence import Evidence

NAMES = {norm: STYLE[norm]["label"] for norm in small.NORMS}
PARTS = {  # column, line and marker of each accuracy
    "train": ("train", ":", "^", "in training"),
    "batch": ("val_batch", "--", "s", "batch statistics"),
    "running": ("val_running", "-", "o", "running statistics"),
    "recomputed": ("val_recomputed", "-.", "D", "recomputed"),
}
SMALL = (4.4, 3.7)


def _listed(values: Mapping[str, float], unit: str = " %") -> str:
    return ", ".join(f"{name} {value:.0f}{unit}" for name, value in values.items())


def identity(evidence: Evidence) -> Drawing:
    """R1: what two samples leave of a unit, and how far training is from inference."""
    data, facts = evidence.data, evidence.facts
    sign = panel("Two samples: only the sign is left")
    apart = np.linspace(-4, 4, 81)
    x = torch.tensor(np.stack([apart / 2, -apart / 2]))[:, :, None]
    for norm, limits in (("batch", {}), ("batch_renorm", {"r_max": None, "d_max": None})):
        layer = make_norm(norm, 1, momentum=0, **limits).double()
        y = [layer(pair)[0].item() for pair in x.unbind(1)]
        curve(sign, norm, apart, y, marker="")
        at, place = (64, (0, -20)) if norm == "batch" else (14, (14, -8))
        label(sign, norm, apart[at], y[at], ha="left" if at < 40 else "center", xytext=place)
    sign.set(xlabel="first input minus second, deviations", ylabel="output of the first")
    gaps = panel(f"Training is inference, to {facts['output_largest']:.0e}")
    for norm, name in (("batch_renorm", "output"), ("batch", "batch")):
        at = data["columns"].index(name)
        rows = [row for row in data["rows"] if row[at] is not None]
        found = np.array([row[at] for row in rows])
        jitter = np.linspace(0.85, 1.15, len(found))
        curve(gaps, norm, np.array([row[1] for row in rows]) * jitter, found, linestyle="", ms=4)
        label(gaps, norm, 8, found.max(), NAMES[norm])
    plain_log(gaps, "x", [2, 4, 32])
    gaps.set_yscale("log")
    gaps.set(xlabel="batch size", ylabel="largest relative difference", ylim=(1e-18, 1e3))
    alt = (
        "Left: the output of the first of two samples against the distance between them. With "
        "BatchNorm it is a step from -1 to 1; with unlimited Batch Renormalization a straight "
        "line. Right: largest relative difference between the output in training and in "
        f"inference: at most {facts['output_largest']:.1g} with unlimited Batch Renormalization, "
        f"{facts['batch_typical']:.2g} with BatchNorm (median)."
    )
    caption = (
        f"Left: running mean 0 and variance 1. Right: {facts['seeds']} seeds, layers with random "
        "numbers, vectors and images, and a net of four layers; 64 bits a number."
    )
    return draw([sign, gaps], alt, caption)


def grid(data: dict, methods: Sequence[Method], title: str) -> Axes:
    """Validation accuracy over the learning rate, with the tuning seeds; a ring at the choice."""
    axes = panel(title, size=SMALL)
    for method in methods:
        lr, seeds = best_lr(data, method), data["tuning_seeds"]
        rows = np.array([select(data, method, rate, "val_running", seeds) for rate in LRS])
        band(axes, method.norm, LRS, 100 * rows.min(1), 100 * rows.max(1))
        curve(axes, method.norm, LRS, 100 * rows.mean(1), ms=4)
        chosen = 100 * rows[LRS.index(lr)].mean()
        axes.plot([lr], [chosen], "o", ms=13, mfc="none", mec=STYLE[method.norm]["light"], mew=2)
    plain_log(axes, "x", LRS[1::2])
    axes.set(xlabel="learning rate", ylabel="validation accuracy, %")
    return axes


def _dots(axes: Axes, place: float, norm: str, scores: np.ndarray) -> None:
    """The seeds of one net, and a bar at their mean."""
    around = place + np.linspace(-0.16, 0.16, len(scores))
    curve(axes, norm, around, scores, linestyle="", ms=4, alpha=0.7)
    axes.plot([place - 0.24, place + 0.24], [scores.mean()] * 2, color=INK, lw=2)


def speed(evidence: Evidence) -> Drawing:
    """R2: the grid, and loss and accuracy of each net at its best."""
    data, facts = evidence.data, evidence.facts
    panels = [grid(data, r2_speed.METHODS, "32 samples: each its own rate")]
    wanted = {
        "loss": ("mean training loss, nats", f"Loss: {facts['speed']:.2f}× BatchNorm's", 1),
        "test_running": ("test accuracy, %", f"Accuracy: {-facts['behind']:+.1f} points", 100),
    }
    for name, (unit, title, factor) in wanted.items():
        axes = panel(title, size=SMALL)
        for place, method in enumerate(r2_speed.METHODS):
            _dots(axes, place, method.norm, factor * at_best(data, method, name))
        axes.set_xticks(range(3), ["BatchNorm", "Renorm.", "group norm"])
        axes.set(ylabel=unit)
        panels.append(axes)
    loss = {name: facts[f"loss_{norm}"] for norm, name in NAMES.items()}
    test = {name: facts[f"test_running_{norm}"] for norm, name in NAMES.items()}
    alt = (
        "Left: validation accuracy against learning rate. Middle: mean training loss at each "
        f"method's best rate: {', '.join(f'{n} {v:.2f}' for n, v in loss.items())}. Right: test "
        f"accuracy: {', '.join(f'{n} {v:.1f} %' for n, v in test.items())}."
    )
    caption = (
        f"Left: {len(data['tuning_seeds'])} tuning seeds; rings: the choice. Middle "
        f"and right: {len(data['seeds'])} other seeds; bars: mean."
    )
    return draw(panels, alt, caption)


def four_accuracies(evidence: Evidence, alone: bool = False) -> Drawing:
    """R3: the four accuracies of each method over the number of samples to normalize over.

    Args:
        evidence: for R3.
        alone: batches as small as that, instead of groups in a batch of 32.
    """
    data = evidence.data
    make = small.in_batches if alone else small.in_groups
    sizes = sorted(data["sizes" if alone else "groups"])
    panels, sentences = [], []
    for norm in small.NORMS:
        axes, found = panel("", size=SMALL), {}
        for part, (name, dash, marker, text) in PARTS.items():
            rows = np.array([100 * at_best(data, make(norm, size), name) for size in sizes])
            look = {"linestyle": dash, "marker": marker, "ms": 5, "label": text}
            if part == "running":
                band(axes, norm, sizes, rows.min(1), rows.max(1))
            curve(axes, norm, sizes, rows.mean(1), **look)
            found[text] = rows.mean(1)[0]
            if part == "running":
                axes.set_title(f"{NAMES[norm]}: {found[text]:.0f} % with {sizes[0]}")
        plain_log(axes, "x", sizes)
        axes.set(ylim=(0, 105), xlabel="samples that share statistics", ylabel="accuracy, %")
        axes.legend(frameon=False, fontsize=11, loc="lower right", labelcolor="linecolor")
        panels.append(axes)
        sentences.append(f"{NAMES[norm]}: {_listed(found)}")
    alt = (
        "Four accuracies against the number of samples that share statistics, a panel a method. "
        f"At {sizes[0]} samples: " + "; ".join(sentences) + "."
    )
    what = "Batches as small as that" if alone else "Groups in a batch of 32"
    caption = (
        f"{what}, each method at its best rate. {len(data['seeds'])} seeds, mean; the shade "
        "spans all seeds (running statistics). All but the first on validation images."
    )
    return draw(panels, alt, caption)


def limits(evidence: Evidence) -> Drawing:
    """R3: r and d of groups of four while the limits open."""
    rows = np.array(evidence.data["limits"], dtype=float)
    columns, facts = list(r3_limits_at_work.COLUMNS), evidence.facts
    panels = []
    for name, neutral in (("r", 1.0), ("d", 0.0)):
        axes, step = panel(f"{name}: {facts[f'{name}_clipped']:.1f} % beyond the limit"), rows[:, 0]
        low, middle, high = (rows[:, columns.index(f"{name}_{q}")] for q in (5, 50, 95))
        most = rows[:, columns.index(f"{name}_max")]
        band(axes, "batch_renorm", step, low, high)
        curve(axes, "batch_renorm", step, middle, marker="")
        least = 1 / most if name == "r" else -most
        axes.plot(step, most, color=INK, ls="--", lw=1.4)
        axes.plot(step, least, color=INK, ls="--", lw=1.4)
        axes.annotate("limit", (step[-1], most[-1]), (-34, -16), textcoords="offset points")
        axes.axhline(neutral, color=INK, lw=0.6, alpha=0.6)
        axes.set(xlabel="step", ylabel=f"{name} before it is clipped")
        panels.append(axes)
    plain_log(panels[0], "y", [0.1, 0.2, 0.5, 1, 2, 3])
    alt = (
        "r (left) and d (right) that groups of four ask for, against the step, with the limits "
        f"opening. At the end nine in ten values of r lie between {facts['end_r_5']:.2f} and "
        f"{facts['end_r_95']:.2f}, of d between {facts['end_d_5']:.2f} and "
        f"{facts['end_d_95']:.2f}. With open limits {facts['r_clipped']:.1f} % of r and "
        f"{facts['d_clipped']:.1f} % of d are clipped."
    )
    caption = (
        "Groups of four, four seeds; line: median, shade: nine in ten values over layers, units, "
        "groups and seeds; dashed: the limits."
    )
    return draw(panels, alt, caption)


def controls(evidence: Evidence) -> Drawing:
    """R3: other momenta, and other schedules, at the best rate for four samples."""
    data, facts = evidence.data, evidence.facts
    axes = panel("")
    moments, told = sorted(small.MOMENTA), []
    for norm in small.RUNNING:
        for how, dash in (("running", "-"), ("recomputed", "-.")):
            found = [
                100 * select(data, *small.controlled(data, norm, momentum=m), f"test_{how}")
                for m in moments
            ]
            rows = np.array(found)
            band(axes, norm, moments, rows.min(1), rows.max(1))
            name = f"{STYLE[norm]['short']}, {PARTS[how][3]}"
            curve(axes, norm, moments, rows.mean(1), linestyle=dash, ms=5, label=name)
            told.append(f"{name} {rows.mean(1)[0]:.0f} %")
    plain_log(axes, "x", moments)
    axes.legend(frameon=False, fontsize=11, labelcolor="linecolor")
    axes.set(xlabel="momentum of the running statistics", ylabel="test accuracy, %")
    late = facts["batch_recomputed_at_0_001"] - facts["batch_running_at_0_001"]
    axes.set_title(f"At 0.001 recomputing gives {late:.0f} points")
    gain = facts["schedule_paper"] - facts["schedule_too_late"]
    plans = panel(f"Too late: {gain:.1f} points less")
    for place, name in enumerate(SCHEDULES):
        method, lr = small.controlled(data, "batch_renorm", schedule=name)
        _dots(plans, place, "batch_renorm", 100 * select(data, method, lr, "test_running"))
    plans.set_xticks(range(len(SCHEDULES)), list(SCHEDULES), fontsize=11)
    plans.set(ylabel="test accuracy, %")
    ends = {name: facts[f"schedule_{name}".replace(" ", "_")] for name in SCHEDULES}
    alt = (
        f"Left: test accuracy with groups of four against momentum; at {moments[0]:g}: "
        f"{', '.join(told)}. Right: with other schedules of the limits: "
        f"{', '.join(f'{name} {value:.1f} %' for name, value in ends.items())}."
    )
    caption = (
        f"{len(data['seeds'])} seeds, groups of four in a batch of 32, everything else as it was "
        "chosen. Shade: all seeds; bars: mean."
    )
    return draw([axes, plans], alt, caption)


def pure(evidence: Evidence) -> Drawing:
    """R4: the grid for pure groups; the four accuracies; mixed against pure."""
    data, facts = evidence.data, evidence.facts
    methods = [r4_one_class.arranged(norm, "pure") for norm in r4_one_class.NORMS]
    first = grid(data, methods, "Groups of one class: each its own rate")
    worst = facts["val_running_batch_pure"]
    parts = panel(f"One class a group: BatchNorm {worst:.0f} % in use", size=SMALL)
    for shift, norm in zip((-0.27, 0, 0.27), r4_one_class.NORMS, strict=True):
        for place, (name, *_) in enumerate(PARTS.values()):
            scores = 100 * at_best(data, r4_one_class.arranged(norm, "pure"), name)
            curve(parts, norm, [place + shift], [scores.mean()], ms=8)
            ends = [scores.min(), scores.max()]
            parts.plot([place + shift] * 2, ends, color=STYLE[norm]["light"], lw=1.5)
    texts = [text.replace(" statistics", "") for *_, text in PARTS.values()]
    parts.set_xticks(range(4), texts, fontsize=10)
    parts.set(ylabel="accuracy, %", ylim=(0, 105))
    last = panel(f"Renormalization recovers {facts['recovered']:.0f} %", size=SMALL)
    arrangements = data["arrangements"]
    for norm in r4_one_class.NORMS:
        rows = np.array(
            [
                100 * at_best(data, r4_one_class.arranged(norm, one), "test_running")
                for one in arrangements
            ]
        )
        places = range(len(arrangements))
        band(last, norm, places, rows.min(1), rows.max(1))
        curve(last, norm, places, rows.mean(1))
        label(last, norm, 1, rows.mean(1)[1], STYLE[norm]["short"], ha="left", xytext=(8, 4))
    names = {"mixed": "mixed", "pure": "one class", "alone": "batch of\none class"}
    last.set_xticks(range(len(arrangements)), [names[one] for one in arrangements])
    last.set(ylabel="test accuracy, %", ylim=(0, 105))
    told = {
        NAMES[norm]: {text: facts[f"{name}_{norm}_pure"] for name, *_, text in PARTS.values()}
        for norm in r4_one_class.NORMS
    }
    ends = {
        NAMES[norm]: {names[a]: facts[f"test_running_{norm}_{a}"] for a in arrangements}
        for norm in r4_one_class.NORMS
    }
    tests = "; ".join(f"{n} {_listed(v)}" for n, v in ends.items()).replace("\n", " ")
    alt = (
        "Left: validation accuracy against learning rate for groups of one class. Middle: four "
        f"accuracies: {'; '.join(f'{n}: {_listed(v)}' for n, v in told.items())}. Right: test "
        f"accuracy: {tests}."
    )
    caption = (
        f"Left: {len(data['tuning_seeds'])} tuning seeds; rings: the choice. Middle and right: "
        f"{len(data['seeds'])} other seeds, mean and range."
    )
    return draw([first, parts, last], alt, caption)


def scale(evidence: Evidence) -> Drawing:
    """R5: test accuracy over the scale of the initial weights."""
    data, facts = evidence.data, evidence.facts
    scales, panels = r5_scale.SCALES, []
    for own, title, name in ((False, "One rate", "range"), (True, "Own rates", "range_own")):
        apart = [facts[f"{name}_{norm}"] for norm in ("batch_renorm", "none")]
        axes = panel("{}: {:.0f} points, {:.0f} without".format(title, *apart))
        for norm in data["norms"]:
            rows = []
            for one in scales:
                place = r5_scale.at(data, norm, one)
                if own:
                    place = (place[0], best_lr(data, place[0]))
                rows.append(100 * select(data, *place, "test_running"))
            rows = np.array(rows)
            band(axes, norm, scales, rows.min(1), rows.max(1))
            curve(axes, norm, scales, rows.mean(1), label=STYLE[norm]["label"])
        plain_log(axes, "x", scales)
        axes.legend(frameon=False, fontsize=11, labelcolor="linecolor", loc="lower center")
        axes.set(xlabel="factor of the initial weights", ylabel="test accuracy, %", ylim=(0, 105))
        panels.append(axes)
    labels = {norm: STYLE[norm]["label"] for norm in data["norms"]}
    told = [
        f"{name} {facts[f'range_{norm}']:.0f} and {facts[f'range_own_{norm}']:.0f} points"
        for norm, name in labels.items()
    ]
    alt = (
        "Test accuracy against the factor of the initial weights, left at the rate that is best "
        "for factor 1, right at each factor's own. Range over the factors, left and right: "
        f"{', '.join(told)}."
    )
    caption = f"{len(data['seeds'])} seeds; the shade spans all. A net that diverged counts 10 %."
    return draw(panels, alt, caption)


FIGURES = {
    "R1": identity,
    "R2": speed,
    "R3": four_accuracies,
    "R4": pure,
    "R5": scale,
}
