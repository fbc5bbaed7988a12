"""The figures of chapter 12."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes

from bnlab.chapters.bn_nas.n4_stopwatch import CANDIDATES, seconds_of
from bnlab.chapters.bn_nas.n5_found import FOUND, reached
from bnlab.chapters.bn_nas.ranked import ALL, TENTH, ceilings, each, taus, taus_of_size
from bnlab.chapters.bn_nas.trainings import TRAINED
from bnlab.draw.figure import INK, Drawing, band, curve, draw, panel, plain_log
from bnlab.draw.style import STYLE
from bnlab.draw.words import power
from bnlab.verdicts.evidence import Evidence
from bnlab.verdicts.table import Table

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
        what = "Same depth" if alike else "All nets"
        axes = panel(f"{what}: τ {_signed(early)} at step {data['marks'][1]}")
        axes.axhline(0, color=INK, lw=0.8)
        _spread(axes, "score", steps, score, "score")
        accuracy = np.stack(
            [taus(data, "accuracies", mark, alike=alike) for mark in range(len(steps) - 1)], 1
        )
        _spread(axes, "accuracy", steps[1:], accuracy, "accuracy in the supernet")
        macs, parameters = (taus_of_size(data, n, alike).mean() for n in ("macs", "parameters"))
        _level(axes, ceilings(data, alike).mean(), "noise ceiling", "--", 0.02)
        _level(axes, macs, "FLOPs", ":", 0.45)
        _level(axes, parameters, "parameters", "-.", 0.72)
        _finish(axes, "Kendall’s τ with the truth")
        panels.append(axes)
        told.append(
            f"{letter}, {'nets with equally many layers' if alike else 'all nets'}: the score has "
            f"{_listed(steps, score.mean(0))}; accuracy in the supernet "
            f"{_listed(steps[1:], accuracy.mean(0))}; FLOPs {_signed(macs)}, parameters "
            f"{_signed(parameters)}; the noise ceiling is "
            f"{most:.2f}."
        )
    alt = (
        "Kendall's tau with the accuracy of nets trained alone, over the steps of the supernet. "
        f"{' '.join(told)}"
    )
    caption = (
        f"Mean over {_units(data['seeds'])} of {facts['nets']} nets each; the shade spans all "
        "units. b counts only pairs of nets with equally many layers. At step 0 the score is the "
        "number of layers. Dashed: what a second training of the same nets reaches. FLOPs and "
        "parameters are counted."
    )
    return draw(panels, alt, caption)


def _units(seeds: Collection[int]) -> str:
    return f"{len(seeds)} unit{'s' if len(seeds) > 1 else ''}"


def _over_steps(data: Mapping, name: str, alike: bool = False, trained: str = "all") -> np.ndarray:
    """Tau of a score before training, where it counts layers, and at each mark: (seeds, 1 + M)."""
    first = taus_of_size(data, "layers", alike)
    marks = range(len(data["marks"]))
    return np.stack([first, *(taus(data, name, mark, trained, alike) for mark in marks)], 1)


def _spread(axes: Axes, name: str, x: Sequence[float], rows: np.ndarray, word: str) -> None:
    band(axes, LOOKS[name], x, rows.min(0), rows.max(0))
    curve(axes, LOOKS[name], x, rows.mean(0), label=word)


def _level(axes: Axes, y: float, word: str, dash: str, place: float) -> None:
    axes.axhline(y, color=INK, ls=dash, lw=1.3)
    axes.annotate(
        word,
        (place, y),
        xycoords=axes.get_yaxis_transform(),
        textcoords="offset points",
        xytext=(0, -12 if dash == "--" else 3),
        fontsize=10,
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
    """N2: tau of the score by what is trained in the supernet, and whether wider ones learn."""
    data, facts = evidence.data, evidence.facts
    steps, end = [0, *data["marks"]], data["marks"][-1]
    scores = {kind: _over_steps(data, "scores", trained=kind) for kind in TRAINED}
    alone, least = (_signed(scores[kind][:, -1].mean()) for kind in TRAINED[1:])
    axes = panel(f"All BatchNorms τ {alone}, last {least}")
    axes.axhline(0, color=INK, lw=0.8)
    for kind in TRAINED:
        _spread(axes, kind, steps, scores[kind], KINDS[kind])
    _finish(axes, "Kendall’s τ with the truth")
    axes.set_ylim(bottom=min(-0.3, axes.get_ylim()[0]))  # room for the legend
    widths = sorted({width for _, width, *_ in data["widths"]})
    last = f"last_width_{widths[-1]}"
    other = panel(f"Last ones alone: {facts[f'val_{last}']:.0f} % at width {widths[-1]}")
    own = data["base"]["width"]
    told = []
    for kind in TRAINED:
        first = 100 * each(data, _reached, kind)
        found = {own: first} | {
            width: 100 * np.array([v for *case, _, v in data["widths"] if case == [kind, width]])
            for width in (widths if kind != "all" else ())
        }
        middle = [numbers.mean() for numbers in found.values()]
        spread = [[f(numbers) for numbers in found.values()] for f in (np.min, np.max)]
        band(other, LOOKS[kind], list(found), *spread)
        curve(other, LOOKS[kind], list(found), middle, label=KINDS[kind])
        reached = ", ".join(f"{m:.0f} % at width {w}" for w, m in zip(found, middle, strict=True))
        told.append(
            f"{KINDS[kind]}: {_listed(steps, scores[kind].mean(0))}; the paths of the supernet "
            f"reach {reached}"
        )
    plain_log(other, "x", [own, *widths])
    other.set(xlabel="width of the supernet", ylabel="validation accuracy, %", ylim=(0, 100))
    other.legend(frameon=False, fontsize=11, labelcolor="linecolor", loc="best")
    wide = {seed for *_, seed, _ in data["widths"]}
    alt = (
        "Kendall's tau of the score with the accuracy of nets trained alone, by what is trained in "
        f"the supernet, and how accurate its paths become. {'. '.join(told)}."
    )
    caption = (
        f"a: mean over {_units(data['seeds'])}; the shades span all units. At step 0 the score is "
        "the number of layers. b: mean accuracy of paths of the supernet after "
        f"{end} steps, with statistics made anew; above width {own} over {_units(wide)}."
    )
    return draw([axes, other], alt, caption)


def _reached(unit: Table) -> float:
    return np.mean([one[-1] for one in unit.entries("accuracies") if one])


def shorter(evidence: Evidence) -> Drawing:
    """N3: tau of the score before, early and late, and of the supernet's accuracy at the end."""
    data, facts = evidence.data, evidence.facts
    early, late = facts["tenth"], facts["steps"]
    rows = {
        "score before any step": ("score", taus_of_size(data, "layers")),
        f"score after {early} steps": ("score", taus(data, "scores", TENTH)),
        f"score after {late} steps": ("score", taus(data, "scores", ALL)),
        f"accuracy after {late} steps": ("accuracy", taus(data, "accuracies", ALL)),
    }
    short, first = facts[f"score_{early}"], facts["score_0"]
    axes = panel(f"τ {short:.2f} after {early} steps, {first:.2f} before any", (5.6, 3.2))
    for place, (look, numbers) in enumerate(rows.values()):
        one, many = [place], [place] * len(numbers)
        curve(axes, LOOKS[look], numbers, many, linestyle="", alpha=0.35, ms=5)
        curve(axes, LOOKS[look], [numbers.mean()], one, linestyle="", ms=12)
    axes.set_yticks(range(len(rows)), list(rows))
    axes.margins(y=0.2)
    axes.invert_yaxis()
    axes.set(xlabel="Kendall’s τ with the truth")
    told = "; ".join(
        f"{name} {_signed(numbers.mean())}, from {_signed(numbers.min())} to "
        f"{_signed(numbers.max())}"
        for name, (_, numbers) in rows.items()
    )
    alt = f"Kendall's tau with the accuracy of nets trained alone: {told}."
    caption = (
        f"Small: each of {len(data['seeds'])} units; large: the mean. Before any step the score "
        "is the number of layers."
    )
    return draw([axes], alt, caption)


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
        _seconds(f"One candidate: {power(facts['lookup'])} times faster", one),
        _seconds(f"A whole search: {facts['search']:.0f} times faster", whole),
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
        f"Geometric mean over {len(data['seeds'])} supernets; the lines span all. b counts the "
        f"training of the supernet and {CANDIDATES} candidates, and in its last line a tenth of "
        "that training."
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
    by_score, by_accuracy, at_random = (f"{facts[f'test_{name}']:.0f} %" for name in FOUND)
    title = f"Score {by_score}, random {at_random}, accuracy {by_accuracy}"
    axes = panel(title, (5.6, 3.2))
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


FIGURES = {"N1": rank, "N2": norms, "N3": shorter, "N4": stopwatch, "N5": found}
