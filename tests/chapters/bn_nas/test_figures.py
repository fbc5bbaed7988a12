"""The figures of chapter 12 say what they show; the page takes over the nets alone."""

import pytest

from bnlab import claims, show
from bnlab.chapters.bn_nas import setups_figure
from bnlab.chapters.bn_nas.page import alone_of
from bnlab.chapters.bn_nas.ranked import _by_supernet, _taken_over
from bnlab.chapters.bn_nas.space import BASE


@pytest.mark.parametrize("name", ["N1", "N2", "N3", "N4", "N5"])
def test_figures_say_what_they_show(name):
    drawing = show.plot(claims.load(name))
    assert len(drawing.alt) > 100 and "nan" not in drawing.alt + drawing.caption


def test_the_search_for_a_set_up_shows_every_way_and_which_one_was_taken():
    drawing = setups_figure.setups()
    data = setups_figure.load()
    at = [data["columns"].index(name) for name in setups_figure.CHANGED]
    ways = {tuple(row[k] for k in at) for row in data["rows"]}
    assert drawing.alt.count(", ceiling ") == len(ways)
    assert f"{BASE.steps} steps, rate {BASE.lr:g}" in drawing.alt


def test_the_page_takes_over_the_nets_alone_and_no_supernet():
    stored = claims.load("N1").data
    given = alone_of(stored)
    assert _taken_over(given, BASE) == _taken_over(stored, BASE)
    wanted = {("all", seed) for seed in stored["seeds"]}
    assert wanted == set(_by_supernet(stored))
    assert not wanted & set(_by_supernet(given))
