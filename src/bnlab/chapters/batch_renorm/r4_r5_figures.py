"""The figures of chapter 07 about alike samples (R4) and about the initial weights (R5)."""

from __future__ import annotations

import numpy as np

from bnlab.chapters.batch_renorm import r4_one_class, r5_scale
from bnlab.chapters.batch_renorm.figure_parts import NAMES, PARTS, SMALL, grid, listed
from bnlab.chapters.batch_renorm.methods import at_best, best_lr, select
from bnlab.draw.figure import Drawing, band, curve, draw, label, panel, plain_log
from bnlab.draw.style import STYLE
from bnlab.verdicts.evidence import Evidence


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
    tests = "; ".join(f"{n} {listed(v)}" for n, v in ends.items()).replace("\n", " ")
    alt = (
        "Left: validation accuracy against learning rate for groups of one class. Middle: four "
        f"accuracies: {'; '.join(f'{n}: {listed(v)}' for n, v in told.items())}. Right: test "
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


FIGURES = {"R4": pure, "R5": scale}
