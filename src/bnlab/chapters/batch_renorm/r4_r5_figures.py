"""The figures of chapter 07 about alike samples (R4) and about the initial weights (R5)."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes

from bnlab.chapters.batch_renorm import r4_alike, r4_constant_statistics, r5_scale
from bnlab.chapters.batch_renorm.figure_parts import NAMES, NET_NAMES, dots, listed
from bnlab.chapters.batch_renorm.methods import at_best, best_lr, select
from bnlab.chapters.batch_renorm.two_nets import of_net
from bnlab.draw.figure import Drawing, band, curve, draw, panel, plain_log
from bnlab.draw.style import STYLE
from bnlab.verdicts.evidence import Evidence
from bnlab.verdicts.table import Table

WORDS = {"mixed": "mixed", "four": "four classes", "two": "two classes", "pure": "one class"}
TICKS = {"mixed": "mixed", "four": "4", "two": "2", "pure": "1"}

STRESSED = ("batch", "renorm", "constant", "group")  # ticks of the stress test


def alike(evidence: Evidence) -> Drawing:
    """R4: test accuracy of both nets over how alike the images of a group are; the stress test."""
    facts, data, panels, told = evidence.facts, evidence.data, [], []
    for net, arrangements in r4_alike.ARRANGEMENTS.items():
        part, start = of_net(data, net), "" if net == "mlp" else "conv_"
        order = sorted(arrangements, key=list(WORDS).index)
        axes = panel(f"{NET_NAMES[net]}: {_loses(facts[f'lost_batch_{start}two'])}")
        for norm in r4_alike.NORMS:
            rows = np.array(
                [
                    100 * at_best(part, r4_alike.arranged(norm, one, net), "test_running")
                    for one in order
                ]
            )
            band(axes, norm, range(len(order)), rows.min(1), rows.max(1))
            curve(axes, norm, range(len(order)), rows.mean(1), label=STYLE[norm]["label"])
            ends = {WORDS[one]: score for one, score in zip(order, rows.mean(1), strict=True)}
            told.append(f"{NET_NAMES[net]}, {NAMES[norm]}: {listed(ends)}")
        axes.set_xticks(range(len(order)), [TICKS[one] for one in order])
        axes.set_yticks(np.arange(20, 101, 20) if net == "mlp" else np.arange(90, 101, 2))
        axes.set(ylabel="test accuracy, %", xlabel="classes in a group of eight")
        low, high = axes.get_ylim()
        axes.set_ylim(low - 0.3 * (high - low))  # room for the legend
        axes.legend(frameon=False, fontsize=11, labelcolor="linecolor", loc="lower left")
        panels.append(axes)
    alt = f"a, b: test accuracy against the number of classes in a group. {'; '.join(told)}."
    caption = (
        f"Groups of eight in a batch of 80, each method at its own best rate. {len(data['seeds'])} "
        "seeds. a, b: mean; the shade spans all."
    )
    if data["constant"]:
        axes, ends = stressed(data)
        panels.append(axes)
        alt += f" c: perceptrons, groups of one class: {listed(ends)}."
        caption += (
            " c: perceptrons with groups of one class; constant: Batch Renormalization whose "
            "statistics of the group get no gradient. Bars: mean."
        )
    return draw(panels, alt, caption)


def _loses(points: float) -> str:
    """What groups of two classes cost BatchNorm, as the end of a title."""
    if points < 0.5:
        return "two classes do no harm"
    return f"two classes cost BatchNorm {points:.0f} points"


def stressed(data: dict) -> tuple[Axes, dict[str, float]]:
    """R4: groups of one class, with and without the gradient through the group's statistics."""
    part, constant = of_net(data, "mlp"), Table(r4_constant_statistics.COLUMNS, data["constant"])
    lr = r4_constant_statistics.best_lr(data["constant"], "pure")
    found = {
        "batch": at_best(part, r4_alike.arranged("batch", "pure"), "test_running"),
        "renorm": at_best(part, r4_alike.arranged("batch_renorm", "pure"), "test_running"),
        "constant": constant.where(what="pure", lr=lr).column("test_running", seed=data["seeds"]),
        "group": select(part, r4_alike.GROUP, best_lr(part, r4_alike.GROUP), "test_running"),
    }
    axes = panel("One class: constant statistics repair it")
    for place, name in enumerate(STRESSED):
        look = {"renorm": "batch_renorm", "constant": "batch_renorm"}.get(name, name)
        dots(axes, place, look, 100 * found[name])
    axes.set_xticks(range(len(STRESSED)), STRESSED, fontsize=11)
    axes.set(ylabel="test accuracy, %", ylim=(0, 105), xlabel="groups of one class")
    return axes, {name: 100 * scores.mean() for name, scores in found.items()}


def scale(evidence: Evidence) -> Drawing:
    """R5: test accuracy over the scale of the initial weights."""
    data, facts = evidence.data, evidence.facts
    scales, panels = r5_scale.SCALES, []
    for own, title, name in ((False, "One rate", "range"), (True, "Its own rates", "range_own")):
        apart = [facts[f"{name}_{norm}"] for norm in ("batch_renorm", "none")]
        axes = panel("{}: range {:.0f} points, {:.0f} without".format(title, *apart))
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
        "Test accuracy against the factor of the initial weights, a at the rate that is best "
        "for factor 1, b at each factor's own. Range over the factors, in a and b: "
        f"{', '.join(told)}."
    )
    caption = f"{len(data['seeds'])} seeds; the shade spans all. A net that diverged counts 10 %."
    return draw(panels, alt, caption)


FIGURES = {"R4": alike, "R5": scale}
