"""Names beside points, none over another name or point."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.transforms import Bbox

from bnlab.draw.figure import RC

SIZE = 10
POINT = 4.0  # half the side of a point, in points
RADII = (0, 8, 16, 26, 38, 52, 70, 90)  # how far a name may lie from its point, in points
SIDES = ((1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (-1, 1), (1, -1), (-1, -1))


def place_labels(
    axes: Axes,
    points: Sequence[tuple[float, float]],
    names: Sequence[str],
    colours: Sequence[str],
    needed: int = 0,
) -> list[str]:
    """Write names beside points, the first ones first, each where it covers nothing.

    The first names may lie far from their points, with a line to them; the others lie close. One
    that finds no room is left out.

    Args:
        axes: with its limits and all its texts, which are not covered either.
        points: in the units of the data.
        names: one a point.
        colours: one a point.
        needed: how many of the first names may lie far from their points.

    Returns:
        The names that were written.
    """
    figure = axes.figure
    with matplotlib.rc_context(RC):
        renderer = FigureCanvasAgg(figure).get_renderer()
        figure.draw(renderer)  # the layout has to stand before anything can be measured
    unit = figure.dpi / 72
    centres = axes.transData.transform(np.asarray(points, dtype=float))
    frame = axes.get_window_extent(renderer)
    taken = [_around(centre, POINT * unit, POINT * unit) for centre in centres]
    taken += [text.get_window_extent(renderer) for text in axes.texts]
    written = []
    every = zip(points, centres, names, colours, strict=True)
    for place, (point, centre, name, colour) in enumerate(every):
        text = axes.annotate(
            name, point, xytext=(0, 0), textcoords="offset points", ha="center", va="center"
        )
        text.set(fontsize=SIZE, color=colour)
        box = text.get_window_extent(renderer)
        half = np.array([box.width, box.height]) / 2 + unit
        where = _free(centre, half, taken, frame, unit, RADII if place < needed else RADII[:2])
        text.remove()
        if where is None:
            continue
        offset, far = where
        line = {"arrowstyle": "-", "color": colour, "lw": 0.6, "shrinkA": 0, "shrinkB": 2}
        text = axes.annotate(
            name,
            point,
            xytext=tuple(offset / unit),
            textcoords="offset points",
            ha="center",
            va="center",
            arrowprops=line if far else None,
        )
        text.set(fontsize=SIZE, color=colour)
        taken.append(_around(centre + offset, *half))
        written.append(name)
    return written


def _around(centre: np.ndarray, width: float, height: float) -> Bbox:
    x, y = centre
    return Bbox.from_extents(x - width, y - height, x + width, y + height)


def _free(
    centre: np.ndarray,
    half: np.ndarray,
    taken: Sequence[Bbox],
    frame: Bbox,
    unit: float,
    radii: Sequence[float],
) -> tuple[np.ndarray, bool] | None:
    """The nearest place that is free, from the point, and whether it needs a line."""
    for radius in radii:
        for side in SIDES:
            offset = np.array(side) * (half + (POINT + radius) * unit)
            box = _around(centre + offset, *half)
            inside = (
                frame.x0 <= box.x0
                and box.x1 <= frame.x1
                and frame.y0 <= box.y0
                and box.y1 <= frame.y1
            )
            if inside and not any(box.overlaps(other) for other in taken):
                return offset, radius > 0
    return None
