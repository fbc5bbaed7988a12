"""Chapter 02's things to try do what the page says, at the links of the page."""

import json
import re
from html import unescape
from pathlib import Path

import pytest
from playwright.sync_api import expect

from bnlab.lab import Profiles
from tests.web.widget_page import alts, load, pick, press, settle, summary_text, write_once

pytestmark = pytest.mark.web

BOOK = Path(__file__).parents[3] / "book" / "02_signals.ipynb"
VARIANCE, COSINE, GRADIENT = range(3)


def links(start, end):
    """The states of the widget that the links between two phrases of the page open, in order."""
    cells = json.loads(BOOK.read_text(encoding="utf-8"))["cells"]
    text = "\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "markdown")
    return re.findall(r'href="(#profiles[^"]*)"', unescape(text.split(start)[1].split(end)[0]))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    guess_first = Profiles(norms=("none", "batch"), depth=18, width=16, predict=True)
    return write_once(tmp_path_factory.mktemp("profiles"), guess_first, "replay/profiles.js")


@pytest.fixture
def at(page, folder, troubles):
    """Opens the widget in the state of a link."""

    def opened(link=""):
        load(page, folder, link)
        if "predict=0" in link:
            page.wait_for_function("document.querySelector('.bnlab-plot').dataset.shown")
        return page

    return opened


def growth(page, norm):
    """By how much the variance grows from first to last, as the summary says."""
    return float(re.search(rf"{norm}: × ([\d.,]+)", summary_text(page))[1].replace(",", "")[:9])


def ends(page, panel, norm):
    """The first and the last value of a curve."""
    told = re.search(rf"{norm}[^:]*: ([\d.,]+) in \w+ 1, ([\d.,]+) in", alts(page)[panel])
    return [float(value.replace(",", "").rstrip(".")) for value in told.groups()]


def vote(page, name):
    page.locator(".bnlab-guess").get_by_role("radio", name=name).click()
    press(page, "Reveal")
    expect(page.locator(".bnlab-verdict")).to_contain_text("Guess:")
    return page.locator(".bnlab-verdict").inner_text()


def test_the_guess_at_the_top(at):
    """More than ten thousand times, and not level with BatchNorm."""
    page = at()
    assert "Right: the variance grows most with no normalizer" in vote(page, "no normalizer")
    assert growth(page, "no normalizer") > 10_000 and 3 < growth(page, "batch norm") < 10


def test_deeper_multiplies_or_adds(at):
    (link, _, _) = links("## Things to try", "## What is disputed")
    page, grown = at(link), []
    for depth in ("4", "8", "12"):
        pick(page, "depth", depth)
        grown.append([growth(page, name) for name in ("no normalizer", "batch norm")])
    none, batch = zip(*grown, strict=True)
    assert none[1] > 10 * none[0] and none[2] > 10 * none[1]  # "by more than ten"
    assert max(batch) < 4  # "less than four times"


def test_without_shortcuts_the_gradient_multiplies_on_its_way_back(at):
    (_, link, _) = links("## Things to try", "## What is disputed")
    page, depths = at(link), ("18", "12", "8", "4")
    assert 0.9 < growth(page, "batch norm") < 1.1  # "level"
    larger = {}
    for net in ("plain", "residual"):
        pick(page, "net", net)
        for depth in depths:
            pick(page, "depth", depth)
            first, last = ends(page, GRADIENT, "batch norm")
            larger[net, int(depth)] = first / last
    for depth in (8, 12):  # "about doubles with every four layers"
        assert 1.7 < larger["plain", depth] / larger["plain", depth - 4] < 2.4
    assert larger["plain", 18] > larger["plain", 12] * 1.7**1.5
    for depth in map(int, depths):  # "about in proportion to depth"
        assert 0.4 < larger["residual", depth] / depth < 0.75


def test_small_groups_tell_images_apart_and_large_ones_spare_the_gradient(at):
    (_, _, link) = links("## Things to try", "## What is disputed")
    page, variances, cosines, gradients = at(link), [], [], []
    for size in ("1", "4", "16"):
        pick(page, "group size", size)
        settle(page)
        variances.append(ends(page, VARIANCE, "group norm")[1])
        cosines.append(ends(page, COSINE, "group norm")[1])
        gradients.append(ends(page, GRADIENT, "group norm")[0])
    assert max(variances) < 1.6 * min(variances)  # "hardly changes"
    assert cosines == sorted(cosines) and cosines[0] < 0.6 and cosines[-1] > 0.9
    assert gradients == sorted(gradients, reverse=True)
