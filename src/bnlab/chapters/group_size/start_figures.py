"""The figures of chapter 08 about untrained nets, and its words for nets."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes

from bnlab.chapters.group_size import l2_l4_at_start
from bnlab.draw.figure import Drawing, band, curve, draw, label, panel, plain_log
from bnlab.draw.style import STYLE
from bnlab.draw.words import power
from bnlab.verdicts.evidence import Evidence

PROFILES = ("instance", "group_4", "layer", "batch")

SIMILAR = {
    "layer": (14, 0, 16),
    "group_4": (14, 0, -26),
    "instance": (16, 0, 8),
    "batch": (16, 0, -18),
}
EXPLODING = {
    "layer": (7, 0, -18),
    "group_4": (8, 24, 9),
    "instance": (8, 14, 12),
    "batch": (6, -10, -22),
}


def look(norm: str) -> str:
    """The normalizer whose colour a net has: ``group_4`` has that of ``group``."""
    return "group" if norm.startswith("group_") else norm


def word(norm: str) -> str:
    """A short name for a label."""
    return f"groups of {norm[6:]}" if norm.startswith("group_") else STYLE[norm]["short"]


def size_word(norm: str) -> str:
    """The group size of a net, for an axis."""
    return {"instance": "1", "layer": "all"}.get(norm, norm[6:])


def _profiles(
    data: dict,
    title: str,
    transform: Callable[[np.ndarray], np.ndarray],
    places: Mapping[str, tuple[int, float, float]],
) -> Axes:
    """A signal by layer at the depth that decides.

    Args:
        data: of ``l2_l4_at_start.measure``.
        title: of the panel.
        transform: of the rows, (seeds, layers).
        places: of the labels: a layer, and points to the right and up.
    """
    axes = panel(title)
    for norm in PROFILES:
        rows = transform(l2_l4_at_start.rows(data, norm))
        layers, middle = np.arange(1, rows.shape[1] + 1), np.median(rows, axis=0)
        band(axes, look(norm), layers, rows.min(0), rows.max(0))
        curve(axes, look(norm), layers, middle, ms=4)
        at, *offset = places[norm]
        at = min(at, len(layers))
        label(axes, look(norm), at, middle[at - 1], word(norm), xytext=offset)
    axes.set(xlabel="layer")
    axes.set_xticks([1, *range(5, len(layers) + 1, 5)])
    return axes


def _by_size(
    data: dict, title: str, of: Callable[[str, int], np.ndarray], where: int, offsets: Sequence[int]
) -> Axes:
    """A number over the group size, a curve a depth, with BatchNorm's as a line.

    Args:
        data: of ``l2_l4_at_start.measure``.
        title: of the panel.
        of: the number for a normalizer and a depth, (seeds,).
        where: at which group size the curves are labelled.
        offsets: points by which each label lies above its curve.
    """
    axes, places = panel(title), np.arange(len(l2_l4_at_start.SIZES))
    for number, depth in enumerate(data["depths"]):
        rows = np.array([of(norm, depth) for norm in l2_l4_at_start.SIZES])
        band(axes, "group", places, rows.min(1), rows.max(1))
        curve(axes, "group", places, rows.mean(1), ms=5, **({"linestyle": ":"} if number else {}))
        place = {"ha": "left", "xytext": (8, offsets[number])}
        label(axes, "group", places[where], rows[where].mean(), f"depth {depth}", **place)
    deep = data["depths"][0]
    height = of("batch", deep).mean()
    axes.axhline(height, color=STYLE["batch"]["light"], ls="--", lw=1.5)
    text = f"BatchNorm, depth {deep}"
    label(axes, "batch", places[-1], height, text, ha="right", xytext=(0, 5))
    axes.set_xticks(places, [size_word(norm) for norm in l2_l4_at_start.SIZES])
    axes.set(xlabel="channels in a group (all: layer norm)")
    return axes


def similarity(evidence: Evidence) -> Drawing:
    """L2: cosine of two samples' activations, by layer and by group size."""
    data, facts = evidence.data, evidence.facts
    deep = data["depths"][0]
    ends = [facts[f"{norm}_{deep}"] for norm in ("instance", "layer")]
    left = _profiles(data, "With layer norm ever more alike", np.asarray, SIMILAR)
    left.set(ylabel="cosine of two samples", ylim=(0, 1.05))
    right = _by_size(
        data,
        f"The larger the groups: {ends[0]:.2f} to {ends[1]:.2f}",
        lambda norm, depth: l2_l4_at_start.rows(data, norm, depth)[:, -1],
        where=3,
        offsets=(16, -24),
    )
    right.set(ylabel="cosine in the last layer", ylim=(0, 1.05))
    listed = ", ".join(
        f"{facts[f'{norm}_{deep}']:.2f} ({size_word(norm)})" for norm in l2_l4_at_start.SIZES
    )
    alt = (
        f"a: mean cosine of two samples' activations against the layer, for four normalizers at "
        f"depth {deep}. b: the cosine in the last layer by group size: {listed}; with "
        f"BatchNorm {facts[f'batch_{deep}']:.2f}."
    )
    return draw([left, right], alt, _start_caption(data))


def _start_caption(data: dict) -> str:
    seeds = len(data["seeds"])
    return (
        f"{seeds} seed{'s' if seeds > 1 else ''}; the shade spans all. Untrained nets, 128 digits. "
        f"a: median, depth {data['depths'][0]}. b: mean."
    )


def explosion(evidence: Evidence) -> Drawing:
    """L4: gradient norm by layer, and the ratio of first to last by group size."""
    data, facts = evidence.data, evidence.facts
    deep = data["depths"][0]
    left = _profiles(
        data,
        "Instance norm: gradients grow",
        lambda rows: rows / rows[:, -1:],
        EXPLODING,
    )
    plain_log(left, "y", [0.3, 1, 3, 10, 30])
    left.set(ylabel="gradient ÷ the last layer's")
    right = _by_size(
        data,
        f"Instance norm has {power(facts['apart'])}× layer norm's",
        lambda norm, depth: l2_l4_at_start.ratio(data, norm, depth),
        where=0,
        offsets=(4, -50),
    )
    plain_log(right, "y", [0.3, 1, 3, 10, 30])
    right.set(ylabel="first layer ÷ last layer")
    listed = ", ".join(
        f"{facts[f'{norm}_{deep}']:.2g} ({size_word(norm)})" for norm in l2_l4_at_start.SIZES
    )
    alt = (
        f"a: norm of the gradient at each convolution's output over that of the last one, at "
        f"depth {deep}. b: first over last layer by group size at depth {deep}: {listed}; with "
        f"BatchNorm {facts[f'batch_{deep}']:.2g}. With instance norm the ratio is "
        f"{power(facts['deeper'])} times as large as at depth {data['depths'][-1]}."
    )
    return draw([left, right], alt, _start_caption(data))


FIGURES = {"L2": similarity, "L4": explosion}
