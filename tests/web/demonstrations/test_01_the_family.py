"""Chapter 01's things to try do what the page says, and the lecturer's last link."""

import json
import re
from html import unescape
from pathlib import Path

import pytest
from playwright.sync_api import expect

from bnlab.lab.family.family import Family
from tests.web.widget_page import group, load, pick, settle, write_once

pytestmark = pytest.mark.web

PAGE = Path(__file__).parents[3] / "book" / "01_the_family.ipynb"
CHANGE = "Change the other images"


def links(heading):
    """The states that the links of a section open, in order."""
    cells = json.loads(PAGE.read_text(encoding="utf-8"))["cells"]
    text = "\n\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "markdown")
    section = re.search(rf"^## {heading}$(.*?)(?=^## |\Z)", text, re.M | re.S)[1]
    return [unescape(one) for one in re.findall(r'href="(#family[^"]*)"', section)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_once(tmp_path_factory.mktemp("family"), Family())


@pytest.fixture
def family(page, folder, troubles):
    """Opens the widget with the state of a link, or as the page shows it."""

    def open_page(link=""):
        load(page, folder, link)
        settle(page)
        return page

    return open_page


def sentence(page):
    return page.locator(".bnlab-sentence").inner_text()


def output(page):
    """The number with which the sentence ends."""
    return re.search(r"= \(?(−?[\d.]+\d)", sentence(page))[1]


def change_others(page):
    page.get_by_role("button", name=CHANGE).click()
    settle(page)
    return page.locator(".bnlab-headline").inner_text()


def choose_norm(page, name):
    page.get_by_role("combobox", name="normalizer").select_option(label=name)
    settle(page)


def test_guess_first(family):
    page = family()
    expect(page.locator(".bnlab-numbers").first.locator("tbody")).to_have_count(4)  # digits
    assert "channel 2 of all 4 images) share one mean and one variance" in sentence(page)
    assert "went from" in change_others(page)


def test_change_the_company(family):
    page = family()
    choose_norm(page, "batch norm")
    pick(page, "mode", "train")
    assert "went from" in change_others(page)
    choose_norm(page, "layer norm")
    assert "stays" in change_others(page)


def test_find_the_relatives(family):
    page = family()
    choose_norm(page, "group norm")
    for size, relative in (("1", "instance norm"), ("6", "layer norm")):
        pick(page, "group size", size)
        assert f"the same as {relative}" in sentence(page)


def test_break_it(family):
    (link,) = links("Things to try")
    page = family(link)
    assert "the same as instance norm" in sentence(page)
    before = output(page)
    pick(page, "mode", "eval")
    assert "stored while training" in sentence(page) and output(page) != before


def test_the_lecture_ends_with_a_batch_of_one(family):
    (one,) = links("Take-away")
    page = family(one)
    expect(group(page, "batch size").get_by_role("radio", name="1", exact=True)).to_be_checked()
    before = output(page)
    pick(page, "mode", "eval")
    assert output(page) != before
