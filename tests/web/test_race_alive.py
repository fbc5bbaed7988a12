"""The race of the first page trains once by itself, when it comes into view."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from bnlab.lab import Race
from tests.web.widget_page import ASSETS, finished, load, write_once

pytestmark = pytest.mark.web
IDLE = "Press Train to begin."


@pytest.fixture(scope="module")
def alive(tmp_path_factory):
    return write_once(tmp_path_factory.mktemp("alive"), Race(alive=True), "compiled/nets.js")


def push_down(page: Page) -> None:
    """Put the widget far below what is seen, from the start."""
    page.add_init_script(
        """addEventListener("DOMContentLoaded", () => {
          document.querySelector("h1").style.marginBottom = "3000px";
        });"""
    )


def test_it_trains_when_it_is_seen_and_then_as_the_reader_asks(page, alive):
    load(page, alive)
    finished(page)
    page.get_by_role("slider", name="learning rate").press("ArrowRight")
    finished(page)


def test_it_waits_until_it_is_seen_and_begins_once(page, alive):
    push_down(page)
    load(page, alive)
    page.wait_for_timeout(500)
    expect(page.locator(".bnlab-summary")).to_have_text(IDLE)
    page.locator(".bnlab").scroll_into_view_if_needed()
    finished(page)


def test_who_wants_less_motion_starts_it(page, alive):
    page.emulate_media(reduced_motion="reduce")
    load(page, alive)
    page.wait_for_timeout(500)
    expect(page.locator(".bnlab-summary")).to_have_text(IDLE)


def test_the_front_page_opens_with_a_race_that_shows_the_difference(page, tmp_path):
    """As in book/index.md, without a click."""
    text = (ASSETS.parent / "book" / "index.md").read_text(encoding="utf-8")
    arguments = re.search(r"^race = Race\((.*)\)$", text, re.M)[1]
    race = eval(f"Race({arguments})", {"Race": Race})
    load(page, write_once(tmp_path, race, "compiled/nets.js"))
    ends = dict(
        re.findall(r"(no normalizer|batch norm): accuracy ([\d.]+)", finished(page).lower())
    )
    assert float(ends["batch norm"]) - float(ends["no normalizer"]) > 0.3


def test_a_race_that_is_not_alive_waits_for_the_reader(page, tmp_path):
    load(page, write_once(tmp_path, Race(), "compiled/nets.js"))
    page.wait_for_timeout(500)
    expect(page.locator(".bnlab-summary")).to_have_text(IDLE)


@pytest.mark.parametrize("wrong", [1, "yes", None])
def test_alive_is_yes_or_no(wrong):
    with pytest.raises(ValueError, match="alive"):
        Race(alive=wrong)
