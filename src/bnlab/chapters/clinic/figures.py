"""The figures of chapter 14: a mark a seed, and a larger one at the mean."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes

from bnlab.chapters.clinic import t1_modes as t1
from bnlab.chapters.clinic import t3_frozen as t3
from bnlab.chapters.clinic import t4_accumulation as t4
from bnlab.chapters.clinic import t5_decay as t5
from bnlab.chapters.clinic import t7_dropout as t7
from bnlab.chapters.clinic import t8_penalty as t8
from bnlab.chapters.clinic.t2_tiny_batches import NORMS, POOLING, repaired
from bnlab.chapters.clinic.titles import titled
from bnlab.draw.figure import INK, Drawing, band, curve, draw, label, panel, plain_log
from bnlab.draw.style import STYLE
from bnlab.verdicts.evidence import Evidence
from bnlab.verdicts.race import at_rate, lead, of_arm, rates_of
from bnlab.verdicts.table import Table

Rows = Mapping[str, tuple[str, np.ndarray]]
"""By the words of a row: its look, a key of ``STYLE``, and a number for each seed."""

ACCURACY = "test accuracy, %"
MARKS = "Small: each of {} seeds; large: the mean."
WIDE = (5.6, 3.7)
MODES = {
    "train_mode": ("batch", "training mode"),
    "eval_mode": ("layer", "evaluation mode"),
    "repaired": ("group", "computed anew"),
}
CAUSES = {
    "slow": "momentum\n0.001",
    "one_class": "one class\nat the end",
    "averaged": "averaged\nweights",
    "usual": "none of\nthese",
}
WAYS = {
    "free": ("none", "all free"),
    "head": ("batch", "requires_grad\n= False alone"),
    "frozen": ("group", "and evaluation\nmode"),
}
TRAININGS = {
    "whole": ("batch", "32 at once"),
    "ghost": ("ghost_batch", "eight times\nfour"),
    "small": ("none", "four"),
}
DECAYED = {
    "none": ("none", "nothing"),
    "all": ("batch", "everything"),
    "weights": ("group", "the weights"),
    "gamma": ("layer", "gamma"),
}
ORDERS = {"before": ("batch", "before the ReLU"), "after": ("layer", "behind the ReLU")}
PLACES = {
    "none": ("none", "no dropout"),
    "head_5": ("group", "behind the last"),
    "layer_5": ("layer", "behind each ReLU"),
    "before_5": ("batch", "before each"),
}


def marks(axes: Axes, rows: Rows, xlabel: str) -> Axes:
    """The numbers of each row along the x axis, one row below the other."""
    for place, (look, numbers) in enumerate(rows.values()):
        at = np.full(len(numbers), place)
        curve(axes, look, numbers, at, linestyle="", alpha=0.35, ms=5)
        curve(axes, look, [numbers.mean()], [place], linestyle="", ms=11)
    axes.set_yticks(range(len(rows)), list(rows), fontsize=11)
    axes.set(xlabel=xlabel, ylim=(len(rows) - 0.6, -0.4))
    return axes


def listed(rows: Rows, form: str = "{:.1f} %") -> str:
    """The means of rows for an alt text."""
    told = (f"{name} {form.format(numbers.mean())}" for name, (_, numbers) in rows.items())
    return ", ".join(told).replace("\n", " ")


def raced(data: dict, looks: Mapping[str, tuple[str, str]]) -> Rows:
    """The test accuracies of some arms, each at its own best rate."""
    return {
        words: (look, 100 * at_rate(data, arm, "test_accuracy"))
        for arm, (look, words) in looks.items()
    }


def modes(evidence: Evidence) -> Drawing:
    """T1: test accuracy in both modes and after the repair, for each cause."""
    data, facts, told = evidence.data, evidence.facts, []
    least = min(facts[f"{cause}_repaired"] for cause in t1.CAUSES)
    axes = panel(f"Computed anew, evaluation has {least:.0f} % whatever the cause", (6.6, 4.0))
    for place, (cause, words) in enumerate(CAUSES.items()):
        table = Table.of(data).where(cause=cause)
        rows = {mode: 100 * table.column(mode, seed=data["seeds"]) for mode in MODES}
        for shift, (mode, numbers) in zip((-0.25, 0, 0.25), rows.items(), strict=True):
            look, name = MODES[mode]
            at = np.full(len(numbers), place + shift)
            curve(axes, look, numbers, at, linestyle="", alpha=0.35, ms=4)
            also = {} if place else {"label": name}
            curve(axes, look, [numbers.mean()], at[:1], linestyle="", ms=10, **also)
        means = [f"{MODES[mode][1]} {numbers.mean():.0f} %" for mode, numbers in rows.items()]
        told.append(f"{words}: {', '.join(means)}".replace("\n", " "))
    axes.set_yticks(range(len(CAUSES)), list(CAUSES.values()), fontsize=11)
    axes.invert_yaxis()
    axes.set(xlabel=ACCURACY, xlim=(0, 102))
    axes.legend(frameon=False, fontsize=11, labelcolor="linecolor", loc="upper left")
    alt = f"Test accuracy by cause, in both modes and after the repair. {'; '.join(told)}."
    return draw([axes], alt, MARKS.format(facts["seeds"]))


def tiny_batches(evidence: Evidence) -> Drawing:
    """T2: test accuracy over the batch size."""
    data, facts = evidence.data, evidence.facts
    two = [facts[f"test_{norm}_2"] for norm in ("batch", "group")]
    axes = panel("Batches of two: BatchNorm {:.0f} %, group norm {:.0f} %".format(*two), (6.6, 4.0))
    for norm in NORMS:
        sizes = [size for size in reversed(data["sizes"]) if size > 1 or norm not in POOLING]
        rows = np.array([100 * at_rate(data, f"{norm}_{s}", "test_accuracy") for s in sizes])
        curve(axes, norm, sizes, rows.mean(1), label=STYLE[norm]["label"])
        band(axes, norm, sizes, rows.min(1), rows.max(1))
    sizes = [size for size in reversed(data["sizes"]) if size > 1]
    anew = [100 * repaired(data, size).mean() for size in sizes]
    curve(axes, "noisy_batch", sizes, anew, label="batch norm, computed anew")
    plain_log(axes, "x", sorted(data["sizes"]))
    axes.set(xlabel="images a batch", ylabel=ACCURACY, ylim=(0, 102))
    axes.legend(frameon=False, fontsize=11, labelcolor="linecolor", loc="lower right")
    told = "; ".join(
        f"{STYLE[norm]['label']} {facts[f'test_{norm}_2']:.0f} % with two and "
        f"{facts[f'test_{norm}_8']:.0f} % with eight"
        for norm in NORMS
    )
    alt = f"Test accuracy against the size of the batch. {told}."
    caption = (
        f"Each at its own best rate, {facts['images']:,} images seen. Mean over {facts['seeds']} "
        "seeds; the shade spans all. On single images the first two cannot be trained."
    )
    return draw([axes], alt, caption)


def frozen(evidence: Evidence) -> Drawing:
    """T3: what is left of the old task, and what is learned of the new one."""
    data, facts = evidence.data, evidence.facts
    old, new = (
        {words: (look, 100 * t3.column(data, way, name)) for way, (look, words) in WAYS.items()}
        for name in ("old", "new")
    )
    lost = facts["head_before"] - facts["head_old"]
    gained = facts["frozen_new"] - facts["head_new"]
    left = panel(f"Old digits: requires_grad alone loses {lost:.1f} points")
    right = panel(f"New digits: evaluation mode gains {gained:.0f} points")
    marks(left, old, ACCURACY).axvline(facts["head_before"], color=INK, lw=1, ls=":")
    marks(right, new, ACCURACY)
    alt = (
        f"a: test accuracy on the digits 0 to 4 after fine-tuning, from "
        f"{facts['head_before']:.1f} % before: {listed(old)}. b: on 5 to 9: {listed(new)}."
    )
    caption = MARKS.format(facts["seeds"]) + " Dotted: before the fine-tuning."
    return draw([left, right], alt, caption)


def accumulated(evidence: Evidence) -> Drawing:
    """T4: how far gradients are apart, and how the nets do."""
    data, facts = evidence.data, evidence.facts
    tiny = 1e-17  # a difference of 0 has no place on a logarithmic axis
    apart = {
        words: (look, np.maximum(t4.differences_of(data, name), tiny).ravel())
        for name, look, words in (
            ("whole", "batch", "BatchNorm,\n32 at once"),
            ("ghost", "ghost_batch", "BatchNorm,\ngroups of four"),
            ("layer", "layer", "layer norm,\n32 at once"),
        )
    }
    rows = raced(data, TRAININGS)
    whole, ghost = facts["test_whole"], facts["test_ghost"]
    left = panel("Accumulated, it is the gradient of groups of four")
    right = panel(f"It ends at {ghost:.0f} %, 32 at once at {whole:.0f} %")
    marks(left, apart, "distance of the gradients")
    plain_log(left, "x", [1e-16, 1e-8, 1])
    marks(right, rows, ACCURACY)
    alt = (
        "a: relative distance of the gradient of eight times four images from that of, largest: "
        f"32 at once {facts['whole_most']:.1f}, groups of four {facts['ghost_most']:.0e}, and with "
        f"layer norm 32 at once {facts['layer_most']:.0e}. b: test accuracy: {listed(rows)}."
    )
    caption = MARKS.format(facts["seeds"]) + " a: before and after a training."
    return draw([left, right], alt, caption)


def decayed(evidence: Evidence) -> Drawing:
    """T5: effective rates at the same rate, and accuracies at the best ones."""
    data, facts = evidence.data, evidence.facts
    rates = {
        words: (look, t5.SAME_RATE / t5.ends(data, arm, "length") ** 2)
        for arm, (look, words) in DECAYED.items()
    }
    rows = raced(data, DECAYED)
    times = facts["effective_weights"] / facts["effective_none"]
    left = panel(f"Decay of weights: effective rate {times:.1f} times as large")
    right = panel(titled("Each at its own best rate", evidence, [""]))
    marks(left, rates, "rate / norm of the weights squared")
    plain_log(left, "x", [0.001, 0.002, 0.004])
    marks(right, rows, ACCURACY)
    alt = (
        f"a: effective rate at the end, all at the rate {t5.SAME_RATE}, by what is decayed: "
        f"{listed(rates, '{:.2g}')}. b: test accuracy, each at its own best rate: {listed(rows)}."
    )
    return draw([left, right], alt, MARKS.format(facts["seeds"]))


def orders(evidence: Evidence) -> Drawing:
    """T6: accuracy over the rate in nets of both depths, and the difference at the best rates."""
    data, facts, panels, told = evidence.data, evidence.facts, [], []
    for depth in data["depths"]:
        axes = panel(f"{depth} layers: which rates does each order bear?")
        for order, (look, words) in ORDERS.items():
            arm = f"{order}_bias_{depth}"
            rates = rates_of(data, arm)
            found = of_arm(data, arm).column("val_accuracy", lr=rates, seed=data["tuning_seeds"])
            means = 100 * found.mean(1)
            curve(axes, look, rates, means, label=words)
            band(axes, look, rates, 100 * found.min(1), 100 * found.max(1))
            told.append(f"{depth} layers, {words}: " + ", ".join(f"{one:.0f}" for one in means))
        plain_log(axes, "x", rates)
        axes.set(xlabel="learning rate", ylabel="validation accuracy, %", ylim=(0, 102))
        axes.legend(frameon=False, fontsize=11, labelcolor="linecolor", loc="lower left")
        panels.append(axes)
    rows = {f"{d} layers": ("layer", 100 * lead(data, *_pair(d))) for d in data["depths"]}
    axes = panel(titled("At the best rates", evidence, [f" with {d}" for d in data["depths"]]))
    marks(axes, rows, "behind minus before, points")
    for edge in (-0.5, 0.5):
        axes.axvline(edge, color=INK, lw=1, ls=":")
    alt = (
        f"Validation accuracy in % at the rates {', '.join(f'{r:g}' for r in rates)}. "
        f"{'; '.join(told)}. c: test accuracy behind the ReLU minus before it, each at its own "
        f"best rate: {listed(rows, '{:+.1f} points')}."
    )
    caption = (
        f"a, b: mean over {len(data['tuning_seeds'])} tuning seeds; the shade spans all. c: each "
        f"of {facts['seeds']} other seeds, large: the mean; dotted: half a point, our margin."
    )
    return draw([*panels, axes], alt, caption)


def _pair(depth: int) -> tuple[str, str]:
    return f"after_bias_{depth}", f"before_bias_{depth}"


def dropped(evidence: Evidence) -> Drawing:
    """T7: what the running variance is over what evaluation mode meets, and the accuracy."""
    data, facts, told = evidence.data, evidence.facts, []
    first = facts["factor_before_5_1"]
    left = panel(f"Before each BatchNorm: {first:.1f} times in the first layer")
    for arm, (look, words) in PLACES.items():
        factors = 10 ** t7.looks(data, arm, "shifts")
        layers = range(1, factors.shape[1] + 1)
        curve(left, look, layers, factors.mean(0), label=words)
        band(left, look, layers, factors.min(0), factors.max(0))
        told.append(f"{words}: " + ", ".join(f"{one:.1f}" for one in factors.mean(0)))
    left.set(xlabel="layer", ylabel="running / met variance", ylim=(0, 6), xticks=list(layers))
    left.legend(frameon=False, fontsize=11, labelcolor="linecolor", loc="upper left")
    rows = raced(data, PLACES)
    ends = facts["test_head_5"], facts["test_before_5"]
    right = panel("Behind the last {:.0f} %, before each {:.0f} %".format(*ends))
    marks(right, rows, ACCURACY)
    alt = (
        "a: running variance over that in evaluation mode by layer, half left out. "
        f"{'; '.join(told)}. b: test accuracy: {listed(rows)}."
    )
    caption = f"a: mean over {facts['seeds']} seeds; the shade spans all. b: each at its best rate."
    return draw([left, right], alt, caption)


def mixed(evidence: Evidence) -> Drawing:
    """T8: the share of the gradients that belongs to other samples, and the error of a penalty."""
    data, facts, panels, told = evidence.data, evidence.facts, [], []
    words = {
        "leak": ("Gradient that belongs to other samples", "share of the squares, %"),
        "penalty": ("Error of the gradient that is penalized", "of its norm, %"),
    }
    for name, (title, unit) in words.items():
        rows = {
            STYLE[norm]["short"]: (norm, 100 * t8.column(data, norm, name, 64))
            for norm in data["norms"]
        }
        panels.append(marks(panel(title), rows, unit))
        told.append(f"{title}: {listed(rows, '{:.0f} %')}")
    for axes, norm in zip(panels, ("leak_batch_64", "penalty_batch_64"), strict=True):
        label(axes, "batch", facts[norm], 1, f"{facts[norm]:.0f} %")
    alt = f"After training, 64 samples. {'. '.join(told)}."
    return draw(panels, alt, MARKS.format(facts["seeds"]) + " Ghost batches hold four samples.")


FIGURES = {
    **{"T1": modes, "T2": tiny_batches, "T3": frozen, "T4": accumulated},
    **{"T5": decayed, "T6": orders, "T7": dropped, "T8": mixed},
}
