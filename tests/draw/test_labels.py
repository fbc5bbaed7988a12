"""Names beside points: none covers another name, a point or a text."""

import itertools

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Text

from bnlab.draw.figure import INK, panel
from bnlab.draw.labels import place_labels


def crowd(count, needed):
    generator = np.random.default_rng(3)
    axes = panel("a crowd", (4.9, 4.9))
    axes.set(xlim=(-1, 1), ylim=(-1, 1))
    axes.text(0.99, 0.99, "a corner", ha="right", va="top", transform=axes.transAxes)
    points = generator.uniform(-0.5, 0.5, (count, 2))
    names = [f"S{k} part" for k in range(count)]
    return axes, points, names, place_labels(axes, points, names, [INK] * count, needed)


def boxes(axes):
    renderer = FigureCanvasAgg(axes.figure).get_renderer()
    axes.figure.draw(renderer)
    # The box of the words: an annotation's own has its line in it.
    found = [Text.get_window_extent(text, renderer) for text in axes.texts]
    return found, axes.get_window_extent(renderer)


@pytest.mark.parametrize(("count", "needed"), [(8, 8), (40, 10), (120, 20)])
def test_no_two_names_overlap_and_none_leaves_the_panel(count, needed):
    axes, points, _, written = crowd(count, needed)
    found, frame = boxes(axes)
    assert len(found) == len(written) + 1
    for one, other in itertools.combinations(found, 2):
        assert not one.overlaps(other)
    for box in found:
        assert frame.x0 <= box.x0 and box.x1 <= frame.x1
        assert frame.y0 <= box.y0 and box.y1 <= frame.y1
        for x, y in axes.transData.transform(points):
            assert not box.contains(x, y)


def test_the_first_names_find_room_and_others_may_be_left_out():
    _, _, names, written = crowd(120, 10)
    assert set(names[:10]) <= set(written) and len(written) < len(names)
