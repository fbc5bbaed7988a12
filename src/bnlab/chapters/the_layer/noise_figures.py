"""The figure, the table and the sentences of the experiment on the noise of the batch."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes

from bnlab.chapters.the_layer import noise
from bnlab.draw.figure import INK, Drawing, draw, panel
from bnlab.draw.shown import Shown, fill, table
from bnlab.draw.style import STYLE
from bnlab.draw.words import size, span
from bnlab.verdicts.interval import interval
from bnlab.verdicts.table import Table

GAINS, GAINS_NOT, UNDECIDED = "gains", "does not gain a point", "undecided"
PLACES = (noise.NONE, *noise.GHOSTS)  # from left to right
WORDS = {
    "gap_same": f"Gap shrinks, all at rate {noise.SAME_RATE:g}",
    "test_same": f"Test accuracy gains, all at rate {noise.SAME_RATE:g}",
    "gap_own": "Gap shrinks, each at its own best rate",
    "test_own": "Test accuracy gains, each at its own best rate",
    "test_none": "Test accuracy gains over no normalizer, each at its own best rate",
}


def own_rates(data: Mapping) -> dict[int, float]:
    """The rate of each net with the highest validation accuracy over the seeds for tuning."""
    found = {}
    for ghost in PLACES:
        rows = Table.of(data).where(ghost=ghost, seed=data["tuning"])
        best = int(np.argmax(np.mean([row["val"] for row in rows], axis=0)))
        found[ghost] = data["rates"][best]
    return found


def score(data: Mapping, ghost: int, name: str, lr: float) -> np.ndarray:
    """One of ``SCORES``, or ``gap``, of a net at a rate, (seeds,), of the counted seeds alone."""
    if name == "gap":
        return score(data, ghost, "train", lr) - score(data, ghost, "test", lr)
    at = data["rates"].index(lr)
    rows = list(Table.of(data).where(ghost=ghost, seed=data["seeds"]))
    return np.array([row[name][at] for row in rows])


def rates(data: Mapping, own: bool) -> dict[int, float]:
    """The rate of each net in a comparison: its own, or the same."""
    return own_rates(data) if own else dict.fromkeys(PLACES, noise.SAME_RATE)


def differences(data: Mapping) -> dict[str, np.ndarray]:
    """For each of ``PREDICTED`` the difference of every seed."""
    first, last = max(noise.GHOSTS), min(noise.GHOSTS)
    found = {}
    for kind in ("same", "own"):
        lr = rates(data, kind == "own")
        ends = {g: (score(data, g, "gap", lr[g]), score(data, g, "test", lr[g])) for g in lr}
        found[f"gap_{kind}"] = ends[first][0] - ends[last][0]
        found[f"test_{kind}"] = ends[last][1] - ends[first][1]
    found["test_none"] = ends[last][1] - ends[noise.NONE][1]
    return found


def gains(difference: np.ndarray) -> str:
    """Whether test accuracy gains, by ``MARGIN`` and the interval over the seeds."""
    low, high = interval(difference)
    if low > noise.MARGIN:
        return GAINS
    return GAINS_NOT if high < noise.MARGIN else UNDECIDED


def facts(data: Mapping) -> dict[str, str]:
    """Numbers for sentences, as readers say them.

    The means of ``differences``; ``train_same_4`` and so on for each score, comparison and net;
    ``rate_4`` for the own rates; ``seeds``.
    """
    found = {name: size(values.mean(), "") for name, values in differences(data).items()}
    for kind in ("same", "own"):
        for ghost, lr in rates(data, kind == "own").items():
            for name in ("train", "test", "by_heart"):
                mean = score(data, ghost, name, lr).mean()
                found[f"{name}_{kind}_{ghost}"] = f"{100 * mean:.0f}\u00a0%"
    for ghost, lr in own_rates(data).items():
        found[f"rate_{ghost}"] = f"{lr:g}"
    return {**found, "seeds": str(len(data["seeds"]))}


def say(data: Mapping, template: str) -> Shown:
    """A sentence whose numbers come from the measurement: fields are names of ``facts``."""
    text = template.format(**facts(data))
    return Shown(f'<p class="bnlab-say">{text}</p>', fill(text))


def scored(data: Mapping) -> Shown:
    """The predictions beside what came out, from statistics of 64 samples to those of 4."""
    rows = []
    for name, values in differences(data).items():
        low, high = noise.PREDICTED[name]
        mean = values.mean()
        verdict = gains(values) if name.startswith("test") else "not judged"
        rows.append(
            [
                WORDS[name],
                span(low, high, ""),
                f"{size(mean, '')} ({span(*interval(values), '')})",
                "as predicted" if low <= mean <= high else "not as predicted",
                verdict,
            ]
        )
    heads = [
        "From 64 to 4 samples",
        "Predicted",
        "Measured (95 % interval)",
        "So",
        "By the margin",
    ]
    page, text = table(heads, rows)
    return Shown(f'<div class="bnlab-table">{page}</div>', text)


def gaps(data: Mapping) -> Drawing:
    """Training and test accuracy by the size of the ghost batches: same rate, and own rates."""
    panels = [
        _accuracies(f"All at rate {noise.SAME_RATE:g}", data, own=False),
        _accuracies("Each at its own best rate", data, own=True),
    ]
    told = facts(data)
    said = [
        "; ".join(
            f"{_name(ghost)}: {told[f'train_{kind}_{ghost}']} training, "
            f"{told[f'test_{kind}_{ghost}']} test"
            for ghost in PLACES
        )
        for kind in ("same", "own")
    ]
    alt = (
        "Accuracy on the training labels, a fifth of them wrong, and on test images, by the number "
        f"of samples that share statistics. a: all nets at one rate; {said[0]}. b: each at its own "
        f"best rate; {said[1]}."
    )
    own = ", ".join(f"{lr:g} ({_name(ghost)})" for ghost, lr in own_rates(data).items())
    tried = f"{data['rates'][0]:g} to {data['rates'][-1]:g}"
    caption = (
        f"{len(data['seeds'])} seeds, a dot each; lines are means. Dotted: the share of right "
        f"labels. Rates in (b), chosen with three other seeds from {tried}: {own}."
    )
    return draw(panels, alt, caption)


def _name(ghost: int) -> str:
    return "no normalizer" if ghost == noise.NONE else f"{ghost} samples"


def _accuracies(title: str, data: Mapping, own: bool) -> Axes:
    axes = panel(title, size=(4.4, 3.9))
    axes.axhline(100 * (1 - data["base"]["label_noise"]), color=INK, lw=1, ls=":")
    for name, look, words in (
        ("train", STYLE["layer"], "training"),
        ("test", STYLE["batch"], "test"),
    ):
        means = []
        for place, (ghost, lr) in enumerate(rates(data, own).items()):
            values = 100 * score(data, ghost, name, lr)
            x = place + np.linspace(-0.15, 0.15, len(values))
            axes.plot(x, values, look["marker"], color=look["light"], ms=4, alpha=0.45)
            means.append(values.mean())
        axes.plot(0, means[0], look["marker"], color=look["light"], ms=9)
        ghosts = range(1, len(means))
        axes.plot(ghosts, means[1:], look["marker"], ls="-", color=look["light"], ms=9, lw=2.2)
        style = {"color": look["light"], "weight": "bold", "ha": "right", "va": "center"}
        offset = {"xytext": (-2, 13 if name == "test" else -14), "textcoords": "offset points"}
        axes.annotate(words, (len(means) - 0.7, means[-1]), **offset, **style)
    axes.set_xticks(range(len(PLACES)), ["none", *map(str, noise.GHOSTS)])
    axes.set(xlabel="samples that share statistics", ylabel="accuracy, %", ylim=(68, 102))
    return axes
