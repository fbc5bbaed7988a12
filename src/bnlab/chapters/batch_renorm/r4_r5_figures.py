"""The figures of chapter 07 about alike samples (R4) and about the initial weights (R5)."""

from __future__ import annotations

import numpy as np

from bnlab.chapters.batch_renorm import r4_alike, r5_scale
from bnlab.chapters.batch_renorm.figure_parts import NAMES, NET_NAMES, listed
from bnlab.chapters.batch_renorm.methods import at_best, best_lr, select
from bnlab.chapters.batch_renorm.two_nets import of_net
from bnlab.draw.figure import Drawing, band, curve, draw, panel, plain_log
from bnlab.draw.style import STYLE
from bnlab.verdicts.evidence import Evidence

WORDS = {"mixed": "mixed", "four": "four classes", "two": "two classes", "pure": "one class"}


def alike(evidence: Evidence) -> Drawing:
    """R4: test accuracy of both nets over how alike the images of a group are."""
    facts, panels, told = evidence.facts, [], []
    for net, arrangements in r4_alike.ARRANGEMENTS.items():
        part, start = of_net(evidence.data, net), "" if net == "mlp" else "conv_"
        order = sorted(arrangements, key=list(WORDS).index)
        errors = [100 - facts[f"test_running_{norm}_{start}two"] for norm in r4_alike.NORMS]
        axes = panel("{}, two classes: {:.1f} or {:.1f} % errors".format(NET_NAMES[net], *errors))
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
        axes.set_xticks(range(len(order)), [WORDS[one] for one in order], fontsize=11)
        axes.set(ylabel="test accuracy, %", xlabel="images of a group of eight")
        axes.legend(frameon=False, fontsize=11, labelcolor="linecolor", loc="lower left")
        panels.append(axes)
    alt = f"Test accuracy against how alike the images of a group are. {'; '.join(told)}."
    caption = (
        f"Groups of eight in a batch of 80, each method at its own best rate. "
        f"{len(evidence.data['seeds'])} seeds, mean; the shade spans all."
    )
    return draw(panels, alt, caption)


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


FIGURES = {"R4": alike, "R5": scale}
