"""Chapter 08 says what its widget shows: the things to try."""

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page

from bnlab.lab import GroupSizes
from bnlab.lab.group_sizes.group_sizes import LRS, SIZES
from tests.web.trained_page import LISTEN, newest
from tests.web.widget_page import alts, finished, load, move, press, settle, write_once

pytestmark = pytest.mark.web

CHAPTER = Path(__file__).parents[3] / "book" / "08_group_size.ipynb"
GUESS = 0.2  # accuracy that is hardly better than a guess among ten classes


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    widget = GroupSizes(group_size=8, depth=6)  # as the chapter's cell makes it
    return write_once(tmp_path_factory.mktemp("chapter_08"), widget, "compiled/groups.js")


def text():
    cells = json.loads(CHAPTER.read_text(encoding="utf-8"))["cells"]
    return "\n".join("".join(cell["source"]) for cell in cells)


def opened(page: Page, folder: Path, query: str = "") -> Page:
    page.add_init_script(LISTEN)
    return load(page, folder, query)


def end(net: dict, name: str) -> float:
    return net[name][-1][1]


def ends(sentence: str, label: str) -> tuple[float, float]:
    """First and last value of a net, in the words of a picture."""
    found = re.search(rf"{label}: ([\d.e-]+) in layer 1\D+([\d.e-]+) in layer \d+", sentence)
    return float(found[1]), float(found[2])


def test_the_widget_is_the_chapter_s():
    assert "GroupSizes(group_size=8, depth=6)" in text()


def test_the_forces(page, folder, troubles):
    opened(page, folder)
    move(page, "depth", 5)
    seen = {}
    for size, label in ((4, "groups of 4"), (64, "layer norm")):
        move(page, "group size", SIZES.index(size))
        settle(page)
        cosine, gradient = alts(page)[:2]
        seen[size] = ends(cosine, label)[1], ends(gradient, label)
    assert 0 < seen[64][0] - seen[4][0] < 0.1  # "The cosine of the last layer rises a little"
    first, last = seen[4][1]
    assert 7 < first / last < 14  # "With groups of 4 the gradient grows about tenfold"
    first, last = seen[64][1]
    assert first / last < 1.1  # "with 64 it does not grow at all"


def test_which_size_trains_and_what_breaks(page, folder, troubles):
    opened(page, folder)
    move(page, "learning rate", LRS.index(0.1))
    press(page, "Train")
    losses = {}
    for size in (4, 32):
        move(page, "group size", SIZES.index(size))
        finished(page)
        losses[size] = end(newest(page)[f"group_{size}"], "loss")
    assert losses[32] < losses[4]  # "the larger group has the lower loss"
    move(page, "depth", 5)
    move(page, "group size", SIZES.index(2))
    for stop in range(len(LRS)):
        move(page, "learning rate", stop)
        finished(page)
        net = newest(page)["group_2"]  # "no rate at which it trains"
        assert net["diverged_at"] or end(net, "accuracy") < GUESS
