"""Colours of nets that are seen together differ, to all eyes and on a pale projector."""

from __future__ import annotations

import itertools

import pytest

from bnlab.draw.style import STYLE
from bnlab.lab import Landscape, Profiles, Race, SmallBatches
from bnlab.lab.group_sizes.group_sizes import LOOKS as SIZES
from tests.draw.colour_difference import ciede2000, differences, lightness

APART = 8.5  # CIEDE2000; 2 to 3 is seen side by side, 10 at a glance
LIGHTER = 5  # L of CIELAB


def offered(kind: type) -> tuple[str, ...]:
    """The nets that a widget lets its reader choose."""
    widget = kind()
    names = [one if isinstance(one, str) else one["name"] for one in widget.options["norms"]]
    widget.close()
    return tuple(names)


NOISY = ("none", "batch", "layer", "group", "noisy_batch")  # the race of chapter 04
RACES = [NOISY, offered(SmallBatches), offered(Landscape)]
TOGETHER = [*RACES, offered(Race), offered(Profiles), ("batch", "ghost_batch")]
CHAIN = (*SIZES, "layer")  # a size is seen with its neighbours
TOGETHER += [(*CHAIN[k : k + 3], "none", "batch") for k in range(len(CHAIN) - 2)]
LOOK = {**STYLE, **{name: {"light": one[2], "dark": one[3]} for name, one in SIZES.items()}}
# Published pairs: Sharma, Wu and Dalal 2005, table 1.
KNOWN = [
    ((50, 2.6772, -79.7751), (50, 0, -82.7485), 2.0425),
    ((50, 3.1571, -77.2803), (50, 0, -82.7485), 2.8615),
    ((50, -1.3802, -84.2814), (50, 0, -82.7485), 1.0),
    ((50, 0, 0), (50, -1, 2), 2.3669),
    ((50, 2.5, 0), (50, 0, -2.5), 4.3065),
    ((50, 2.5, 0), (73, 25, -18), 27.1492),
    ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
    ((2.0776, 0.0795, -1.135), (0.9033, -0.0636, -0.5514), 0.9082),
]


def pairs(sets: list[tuple[str, ...]]) -> list[tuple[str, str]]:
    return sorted({pair for names in sets for pair in itertools.combinations(sorted(names), 2)})


@pytest.mark.parametrize(("one", "other", "wanted"), KNOWN)
def test_the_difference_is_the_published_one(one, other, wanted):
    assert ciede2000(one, other) == pytest.approx(wanted, abs=1e-4)
    assert ciede2000(other, one) == pytest.approx(wanted, abs=1e-4)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(("one", "other"), pairs(TOGETHER))
def test_nets_seen_together_differ_to_all_eyes_and_on_a_pale_projector(one, other, theme):
    found = differences(LOOK[one][theme], LOOK[other][theme])
    assert min(found.values()) >= APART, found


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_nets_of_one_race_differ_in_lightness_too(theme):
    for one, other in pairs(RACES):
        light, dark = (lightness(STYLE[name][theme]) for name in (one, other))
        assert abs(light - dark) >= LIGHTER, (one, other)


def test_no_curve_is_a_row_of_dots():
    """A dash of a pixel or two, and nothing longer, is gone on a projector."""
    for name, look in STYLE.items():
        assert not look["dash"] or max(look["dash"][::2]) >= 2, name
