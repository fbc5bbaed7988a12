"""Chapter 12's guess and its things to try do what the page says, at the links of the page."""

import json
import re
from html import unescape
from pathlib import Path

import pytest
from playwright.sync_api import expect

from bnlab.lab import Choices
from tests.web.widget_page import finished, load, press, write_once

pytestmark = pytest.mark.web

PAGE = Path(__file__).parents[3] / "book" / "12_bn_nas.ipynb"


def cells(kind):
    every = json.loads(PAGE.read_text(encoding="utf-8"))["cells"]
    return "\n\n".join("".join(c["source"]) for c in every if c["cell_type"] == kind)


def links(heading):
    """The states that the links of a section open, in order."""
    section = re.search(rf"^## {heading}$(.*?)(?=^## |\Z)", cells("markdown"), re.M | re.S)[1]
    return [unescape(one) for one in re.findall(r'href="(#choices[^"]*)"', section)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    widget = Choices(predict=True)  # as the page makes it
    return write_once(tmp_path_factory.mktemp("chapter_12"), widget, "replay/choices.js")


@pytest.fixture
def opened(page, folder, troubles):
    """Opens the widget with the state of a link, until what the link asks for is there."""

    def open_page(link=""):
        load(page, folder, link)
        if link.endswith("predict=0"):
            finished(page)
            expect(page.locator('.bnlab-ranks tr[data-who="random"]')).to_be_visible()
        return page

    return open_page


def answer(page):
    return page.locator(".bnlab-answer").inner_text().replace("−", "-")


def taus(page):
    """Kendall's τ of γ and of the number of layers."""
    found = re.search(
        r"γ has a Kendall’s τ of ([\d.-]+), the number of layers ([\d.-]+)", answer(page)
    )
    return float(found[1]), float(found[2])


def place(page):
    """How many architectures the search may choose from, and the rank of what it finds."""
    found = re.search(r"Of the (\d+) .* what γ finds is number (\d+) by accuracy", answer(page))
    return int(found[1]), int(found[2])


def bars(page):
    """The lengths of each block's bars."""
    found = page.evaluate(
        """() => [...document.querySelectorAll(".bnlab-block")].map((block) =>
          [...block.querySelectorAll(".bnlab-bar")]
            .map((bar) => parseFloat(bar.style.getPropertyValue("--bnlab-share"))))"""
    )
    return [[bar for bar in block if bar] for block in found]


def guess_and_reveal(page):
    page.locator(".bnlab-guess input[value=found]").check(force=True)
    press(page, "Reveal")
    verdict = page.locator(".bnlab-verdict")
    expect(verdict).to_contain_text("Guess: the search’s.")
    return verdict.inner_text()


def test_guess_first(opened):
    assert "Choices(predict=True)" in cells("code")
    page = opened()
    for block in ("block 1", "block 4"):  # "yours": the reader picks
        page.get_by_role("group", name=block).get_by_role("radio", name="k5e3").check(force=True)
    assert len(re.findall(r"[\d.]+\s%", guess_and_reveal(page))) == 3


def test_before_training(opened):
    start, middle, end = links("Things to try")[:3]
    (first, layers), (later, _), (last, _) = (taus(opened(link)) for link in (start, middle, end))
    assert first == layers  # before training the score counts layers
    assert later < first - 0.05 and last > first + 0.05  # "worse before it gets better"


def test_bars_that_choose_nothing(opened):
    page = opened(links("Things to try")[3])
    first, second, third, fourth = bars(page)
    assert min(third) > max(*first, *second, *fourth)  # "the longest bars"
    assert page.locator(".bnlab-block").nth(2).get_by_text("no identity").count() == 1
    assert max(third) < 1.1 * min(third)  # "lift all scores nearly alike"


def test_break_it(opened):
    (many, bad), (_, good) = (place(opened(link)) for link in links("Things to try")[4:])
    assert many == 500 and bad > 0.8 * many  # "of the last fifth by accuracy"
    assert good <= 10  # "one of the ten best"
