"""The figures of chapter 12."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes

from bnlab.chapters.bn_nas.n4_stopwatch import CANDIDATES, seconds_of
from bnlab.chapters.bn_nas.n5_found import FOUND, reached
from bnlab.chapters.bn_nas.ranked import ceilings, each, taus, taus_of_size
from bnlab.chapters.bn_nas.trainings import TRAINED
from bnlab.draw.figure import INK, Drawing, band, curve, draw, panel
from bnlab.draw.style import STYLE
from bnlab.draw.words import power
from bnlab.verdicts.evidence import Evidence

LOOKS = {
    "score": "batch",
    "accuracy": "group",
    "random": "none",
    "all": "batch",
    "norms": "l1_batch",
    "last": "layer",
}
"""The look of each way to choose, and of what is trained; a key of ``STYLE``."""

KINDS = {"all": "all weights", "norms": "all BatchNorms", "last": "last BatchNorms"}
"""What is trained in a supernet, as the figures call it."""

CHOSEN = {"score": "by score", "accuracy": "by accuracy", "random": "random, same size"}


def rank(evidence: Evidence) -> Drawing:
    """N1: tau of score and accuracy over the supernet's steps, among all nets and among equals."""
    data, facts = evidence.data, evidence.facts
    steps = [0, *data["marks"]]
    panels, told = [], []
    for letter, alike in (("a", False), ("b", True)):
        score = _over_steps(data, "scores", alike)
        end = "_alike" if alike else ""
        early, most = facts[f"score{end}_{data['marks'][1]}"], facts[f"ceiling{end}"]
        what = "equally many layers" if alike else "all nets"
        axes = panel(f"{letter}: {what}, τ {_signed(early)} of {most:.2f}")
        axes.axhline(0, color=INK, lw=0.8)
        _spread(axes, "score", steps, score, "score")
        accuracy = np.stack(
            [taus(data, "accuracies", mark, alike=alike) for mark in range(len(steps) - 1)], 1
        )
        _spread(axes, "accuracy", steps[1:], accuracy, "accuracy in the supernet")
        _level(axes, steps, ceilings(data, alike).mean(), "noise ceiling", "--")
        size = taus_of_size(data, "macs", alike).mean()
        _level(axes, steps, size, "FLOPs", ":")
        _finish(axes, "Kendall’s τ with the truth")
        panels.append(axes)
        told.append(
            f"{letter}, {'nets with equally many layers' if alike else 'all nets'}: the score has "
            f"{_listed(steps, score.mean(0))}; accuracy in the supernet "
            f"{_listed(steps[1:], accuracy.mean(0))}; FLOPs {_signed(size)}; the noise ceiling is "
            f"{most:.2f}."
        )
    alt = (
        "Kendall's tau with the accuracy of nets trained alone, over the steps of the supernet. "
        f"{' '.join(told)}"
    )
    caption = (
        f"Mean over {len(data['seeds'])} units of {facts['nets']} nets each; the shade spans all "
        "units. At step 0 the score is the number of layers. Dashed: what a second training of "
        "the same nets reaches."
    )
    return draw(panels, alt, caption)


def _over_steps(data: Mapping, name: str, alike: bool = False, trained: str = "all") -> np.ndarray:
    """Tau of a score before training, where it counts layers, and at each mark: (seeds, 1 + M)."""
    first = taus_of_size(data, "layers", alike)
    marks = range(len(data["marks"]))
    return np.stack([first, *(taus(data, name, mark, trained, alike) for mark in marks)], 1)


def _spread(axes: Axes, name: str, x: Sequence[float], rows: np.ndarray, word: str) -> None:
    band(axes, LOOKS[name], x, rows.min(0), rows.max(0))
    curve(axes, LOOKS[name], x, rows.mean(0), label=word)


def _level(axes: Axes, x: Sequence[float], y: float, word: str, dash: str) -> None:
    axes.axhline(y, color=INK, ls=dash, lw=1.5)
    axes.annotate(
        word, (max(x), y), textcoords="offset points", xytext=(0, 4), ha="right", fontsize=11
    )


def _finish(axes: Axes, what: str) -> None:
    axes.set(xlabel="step of the supernet", ylabel=what)
    axes.margins(y=0.12)
    axes.legend(frameon=False, fontsize=11, labelcolor="linecolor", loc="best")


def _listed(steps: Sequence[int], numbers: Sequence[float]) -> str:
    parts = [f"{_signed(one)} at step {step}" for step, one in zip(steps, numbers, strict=True)]
    return f"{', '.join(parts[:-1])} and {parts[-1]}"


def _signed(value: float) -> str:
    return f"{value:.2f}".replace("-", "−")


def norms(evidence: Evidence) -> Drawing:
    """N2: tau of the score, and whether the supernet learns, by what is trained in it."""
    data = evidence.data
    steps, last = [0, *data["marks"]], len(data["marks"]) - 1
    scores = {kind: _over_steps(data, "scores", trained=kind) for kind in TRAINED}
    learnt = {
        kind: 100 * np.stack([each(data, _reached(m), kind) for m in range(last + 1)], 1)
        for kind in TRAINED
    }
    ends = " / ".join(_signed(scores[kind][:, -1].mean()) for kind in TRAINED)
    axes = panel(f"a: at the end τ {ends}")
    axes.axhline(0, color=INK, lw=0.8)
    for kind in TRAINED:
        _spread(axes, kind, steps, scores[kind], KINDS[kind])
    _finish(axes, "Kendall’s τ with the truth")
    ends = " / ".join(f"{learnt[kind][:, -1].mean():.0f}" for kind in TRAINED)
    other = panel(f"b: the supernet reaches {ends} %")
    for kind in TRAINED:
        _spread(other, kind, steps[1:], learnt[kind], KINDS[kind])
    _finish(other, "validation accuracy, %")
    told = "; ".join(
        f"{KINDS[kind]}: {_listed(steps, scores[kind].mean(0))}, and the supernet's paths reach "
        f"{learnt[kind][:, -1].mean():.0f} %"
        for kind in TRAINED
    )
    alt = (
        "Kendall's tau of the score with the accuracy of nets trained alone, by what is trained in "
        f"the supernet. {told}."
    )
    caption = (
        f"a: mean over {len(data['seeds'])} units; the shades span all units. At step 0 the score "
        "is the number of layers. b: mean over the unit's nets as paths of the supernet, "
        "statistics made anew. Titles: all weights, all BatchNorms, last BatchNorms."
    )
    return draw([axes, other], alt, caption)


def _reached(mark: int):
    return lambda unit: unit.column("accuracies")[:, mark].mean()


def stopwatch(evidence: Evidence) -> Drawing:
    """N4: seconds for one candidate, and for a whole search with the training before it."""
    data, facts = evidence.data, evidence.facts
    training, evaluation, indicator, table, lookup = (
        seconds_of(data, name)
        for name in ("training", "evaluation", "indicator", "table", "lookup")
    )
    one = {
        "by accuracy": ("group", evaluation),
        "by score, table anew": ("l1_batch", indicator),
        "by score, table once": ("batch", lookup),
    }
    search = training + table + CANDIDATES * lookup
    whole = {
        "by accuracy": ("group", training + CANDIDATES * evaluation),
        "by score": ("batch", search),
        "by score, a tenth": ("layer", search - 0.9 * training),
    }
    panels = [
        _seconds(f"a: one candidate: {power(facts['lookup'])} times faster", one),
        _seconds(f"b: a whole search: {facts['search']:.1f} times faster", whole),
    ]
    told = "; ".join(f"{name} {_time(_middle(numbers))}" for name, (_, numbers) in one.items())
    search_told = "; ".join(
        f"{name} {_time(_middle(numbers))}" for name, (_, numbers) in whole.items()
    )
    alt = (
        f"Seconds on one core. a, one candidate: {told}. b, a whole search with {CANDIDATES} "
        f"candidates, the training of the supernet included: {search_told}."
    )
    caption = (
        f"Geometric mean over {len(data['seeds'])} supernets; the lines span all. a: one "
        f"candidate. b: the training of the supernet, and {CANDIDATES} candidates; the last line "
        "with a tenth of the training."
    )
    return draw(panels, alt, caption)


def _time(seconds: float) -> str:
    units = {"s": 1.0, "ms": 1e3, "µs": 1e6}
    unit = next((name for name, factor in units.items() if seconds * factor >= 0.1), "µs")
    return f"{seconds * units[unit]:.2g} {unit}"


def _middle(numbers: np.ndarray) -> float:
    return float(np.exp(np.log(numbers).mean()))


def _seconds(title: str, rows: Mapping[str, tuple[str, np.ndarray]]) -> Axes:
    axes = panel(title, (5.2, 2.9))
    for place, (look, numbers) in enumerate(rows.values()):
        hue = STYLE[look]["light"]
        axes.plot([numbers.min(), numbers.max()], [place, place], color=hue, lw=1.4)
        axes.plot([_middle(numbers)], [place], color=hue, marker=STYLE[look]["marker"], ms=9)
    axes.set_xscale("log")
    axes.set_yticks(range(len(rows)), list(rows))
    axes.margins(y=0.25, x=0.12)
    axes.invert_yaxis()
    axes.set(xlabel="seconds")
    return axes


def found(evidence: Evidence) -> Drawing:
    """N5: test accuracy, alone, of what two searches find, and of a random net of that size."""
    data, facts = evidence.data, evidence.facts
    title = " / ".join(f"{facts[f'test_{name}']:.1f}" for name in FOUND)
    axes = panel(f"Trained alone: {title} %", (5.6, 3.2))
    told = []
    for place, name in enumerate(FOUND):
        numbers, look = 100 * reached(data, name), LOOKS[name]
        curve(axes, look, numbers, [place] * len(numbers), linestyle="", alpha=0.35, ms=5)
        curve(axes, look, [numbers.mean()], [place], linestyle="", ms=12)
        told.append(
            f"{CHOSEN[name]} {numbers.mean():.1f} %, from {numbers.min():.1f} to "
            f"{numbers.max():.1f} %"
        )
    axes.set_yticks(range(len(FOUND)), [CHOSEN[name] for name in FOUND])
    axes.margins(y=0.2)
    axes.invert_yaxis()
    axes.set(xlabel="test accuracy, %")
    alt = f"Test accuracy, trained alone, of the net that is found: {'; '.join(told)}."
    caption = f"Small: each of {len(data['seeds'])} supernets; large: the mean."
    return draw([axes], alt, caption)


FIGURES = {"N1": rank, "N2": norms, "N4": stopwatch, "N5": found}
