"""The figures of chapter 07."""

from __future__ import annotations

import numpy as np
import torch
from matplotlib.axes import Axes

from bnlab.chapters.batch_renorm import r2_speed, r3_limits_at_work, r4_r5_figures
from bnlab.chapters.batch_renorm import r3_few_samples as small
from bnlab.chapters.batch_renorm.figure_parts import (
    NAMES,
    NET_NAMES,
    PARTS,
    SMALL,
    dots,
    grid,
    listed,
)
from bnlab.chapters.batch_renorm.methods import SCHEDULES, at_best, select
from bnlab.chapters.batch_renorm.two_nets import NETS, of_net
from bnlab.draw.figure import INK, Drawing, band, curve, draw, label, panel, plain_log
from bnlab.draw.style import STYLE
from bnlab.norms import make_norm
from bnlab.verdicts.evidence import Evidence
from bnlab.verdicts.table import Table, fact_name
from bnlab.verdicts.verdict import LEAST_SEEDS


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
    gaps = panel("In training as in inference, up to rounding")
    for norm, name in (("batch_renorm", "output"), ("batch", "batch")):
        pairs = [(row["size"], row[name]) for row in Table.of(data) if row[name] is not None]
        sizes, found = np.array(pairs).T
        jitter = np.linspace(0.85, 1.15, len(found))
        curve(gaps, norm, sizes * jitter, found, linestyle="", ms=4)
        label(gaps, norm, 8, found.max(), NAMES[norm])
    plain_log(gaps, "x", [2, 4, 32])
    gaps.set_yscale("log")
    gaps.set(xlabel="batch size", ylabel="largest relative difference", ylim=(1e-18, 1e3))
    alt = (
        "a: the output of the first of two samples against the distance between them. With "
        "BatchNorm it is a step from -1 to 1; with unlimited Batch Renormalization a straight "
        "line. b: largest relative difference between the output in training and in "
        f"inference: at most {facts['output_largest']:.1g} with unlimited Batch Renormalization, "
        f"{facts['batch_typical']:.2g} with BatchNorm (median)."
    )
    caption = (
        f"a: running mean 0 and variance 1. b: {facts['seeds']} seeds, layers with random "
        "numbers, vectors and images, and a net of four layers; 64 bits a number."
    )
    return draw([sign, gaps], alt, caption)


def speed(evidence: Evidence) -> Drawing:
    """R2: the grid, and loss and accuracy of each net at its best."""
    data, facts = evidence.data, evidence.facts
    panels = [grid(data, r2_speed.METHODS, "Each has its best rate")]
    wanted = {
        "loss": ("mean training loss, nats", f"Loss: {facts['speed']:.2f} × BatchNorm's", 1),
        "test_running": ("test accuracy, %", "As accurate at the end", 100),
    }
    for name, (unit, title, factor) in wanted.items():
        axes = panel(title, size=SMALL)
        for place, method in enumerate(r2_speed.METHODS):
            dots(axes, place, method.norm, factor * at_best(data, method, name))
        axes.set_xticks(range(3), ["batch", "renorm", "group"])
        axes.set(ylabel=unit)
        panels.append(axes)
    loss = {name: facts[f"loss_{norm}"] for norm, name in NAMES.items()}
    test = {name: facts[f"test_running_{norm}"] for norm, name in NAMES.items()}
    alt = (
        "a: validation accuracy against learning rate. b: mean training loss at each "
        f"method's best rate: {', '.join(f'{n} {v:.2f}' for n, v in loss.items())}. c: test "
        f"accuracy: {', '.join(f'{n} {v:.1f} %' for n, v in test.items())}."
    )
    caption = (
        f"a: {len(data['tuning_seeds'])} tuning seeds; rings: the choice. b and c: "
        f"{len(data['seeds'])} other seeds; bars: mean."
    )
    return draw(panels, alt, caption)


def few(evidence: Evidence) -> Drawing:
    """R3: test errors of both nets over the size of a group, and which part training has lost."""
    data, panels, told = evidence.data, [], []
    sizes = sorted(data["groups"])
    for net in NETS:
        part = of_net(data, net)
        axes = panel(f"{NET_NAMES[net]}: {_outcome(evidence, net)}")
        for norm in small.NORMS:
            rows = np.array(
                [100 * at_best(part, small.in_groups(norm, n, net), "test_running") for n in sizes]
            )
            band(axes, norm, sizes, 100 - rows.max(1), 100 - rows.min(1))
            curve(axes, norm, sizes, 100 - rows.mean(1), label=STYLE[norm]["label"])
            ends = dict(zip((f"groups of {n}" for n in sizes), 100 - rows.mean(1), strict=True))
            told.append(f"{NET_NAMES[net]}, {NAMES[norm]}: {listed(ends)}")
        plain_log(axes, "x", sizes)
        plain_log(axes, "y", [1, 2, 5, 10, 20, 50])
        axes.set(xlabel="samples that share statistics", ylabel="test errors, %", ylim=(0.06, 95))
        axes.tick_params(axis="y", which="minor", left=False)
        axes.legend(frameon=False, fontsize=11, labelcolor="linecolor", loc="lower left")
        panels.append(axes)
    alt = f"a, b: test errors against the size of the groups in a batch of 32. {'; '.join(told)}."
    caption = (
        f"a, b: groups in a batch of 32, each method at its own best rate. {len(data['seeds'])} "
        "seeds, mean; the shade spans all."
    )
    if sizes[0] < sizes[-1]:
        axes, shares = repaired(data)
        panels.append(axes)
        alt += f" c: test accuracy of the perceptrons with groups of {sizes[0]}: {shares}."
        caption += (
            f" c: perceptrons with groups of {sizes[0]}; with recomputed statistics; and, beside "
            "them, trained with groups of 32."
        )
    return draw(panels, alt, caption)


def _outcome(evidence: Evidence, net: str) -> str:
    """Whether there are fewer errors with Batch Renormalization in groups of four, as a title."""
    if len(evidence.data["seeds"]) < LEAST_SEEDS:
        return "groups of four"
    word = {one.effect.name: one.word for one in evidence.verdict.judgements}[net]
    fewer = f"{evidence.facts[f'fewer_{net}']:.0f} % fewer errors at four"
    return {"holds": fewer, "undecided": "undecided at four"}.get(word, "no gain at four")


def repaired(data: dict) -> tuple[Axes, str]:
    """R3: what recomputed statistics give back in the smallest groups, and what they do not."""
    least, *_, most = sorted(data["groups"])
    part, told, ends = of_net(data, "mlp"), [], {}
    axes = panel("")
    places = ("running", "recomputed", f"groups of {most}")
    for norm in small.NORMS:
        few_samples, whole = (small.in_groups(norm, size) for size in (least, most))
        rows = 100 * np.array(
            [
                at_best(part, few_samples, "test_running"),
                at_best(part, few_samples, "test_recomputed"),
                at_best(part, whole, "test_recomputed"),
            ]
        )
        band(axes, norm, range(3), rows.min(1), rows.max(1))
        curve(axes, norm, range(3), rows.mean(1), label=STYLE[norm]["label"])
        ends[norm] = rows.mean(1)
        told.append(f"{NAMES[norm]}: {listed(dict(zip(places, ends[norm], strict=True)))}")
    gained, missing = np.diff(ends["batch"])
    share = f"{gained:.0f} of {gained + missing:.0f} points"
    axes.set_title(f"Groups of {least}: recomputing gives back {share}")
    axes.set_xticks(range(3), [*places[:2], f"of {most}"], fontsize=11)
    axes.set_yticks(range(0, 101, 20))
    axes.set(ylabel="test accuracy, %", ylim=(-45, 105), xlabel="statistics (perceptron)")
    axes.legend(frameon=False, fontsize=11, labelcolor="linecolor", loc="lower left")
    return axes, "; ".join(told)


def four_accuracies(evidence: Evidence, alone: bool = False) -> Drawing:
    """R3: four accuracies of the perceptrons over the number of samples to normalize over.

    Args:
        evidence: for R3.
        alone: batches as small as that, instead of groups in a batch of 32.
    """
    data = of_net(evidence.data, "mlp")
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
        sentences.append(f"{NAMES[norm]}: {listed(found)}")
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
    table = Table(r3_limits_at_work.COLUMNS, evidence.data["limits"])
    panels, step, facts = [], table.column("step"), evidence.facts
    for name, neutral in (("r", 1.0), ("d", 0.0)):
        axes = panel(f"{name}: {facts[f'{name}_clipped']:.1f} % are beyond the open limit")
        low, middle, high = (table.column(f"{name}_{q}") for q in (5, 50, 95))
        most = table.column(f"{name}_max")
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
        "r (a) and d (b) that groups of four ask for, against the step, with the limits "
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
    data, facts = of_net(evidence.data, "mlp"), evidence.facts
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
        dots(plans, place, "batch_renorm", 100 * select(data, method, lr, "test_running"))
    plans.set_xticks(range(len(SCHEDULES)), list(SCHEDULES), fontsize=11)
    plans.set(ylabel="test accuracy, %")
    ends = {name: facts[fact_name("schedule", name)] for name in SCHEDULES}
    alt = (
        f"a: test accuracy with groups of four against momentum; at {moments[0]:g}: "
        f"{', '.join(told)}. b: with other schedules of the limits: "
        f"{', '.join(f'{name} {value:.1f} %' for name, value in ends.items())}."
    )
    caption = (
        f"{len(data['seeds'])} seeds, groups of four in a batch of 32, everything else as it was "
        "chosen. Shade: all seeds; bars: mean."
    )
    return draw([axes, plans], alt, caption)


FIGURES = {"R1": identity, "R2": speed, "R3": few, **r4_r5_figures.FIGURES}
