"""What chapter 03 asks its reader to try does what its text says; its scenes: test_scenes.py."""

import re

import pytest
from playwright.sync_api import Page, expect

from bnlab.lab import Race
from tests.web.widget_page import (
    alts,
    finished,
    load,
    pick,
    press,
    settle,
    slider,
    summary,
    write_once,
)

pytestmark = pytest.mark.web

WORDS = {"none": "no normalizer", "batch": "batch norm"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    widget = Race(norms=("none", "batch"), lr=0.3, depth=12)  # as in the notebook
    return write_once(tmp_path_factory.mktemp("race"), widget, "compiled/nets.js")


@pytest.fixture
def race(page: Page, folder):
    """Opens the page of the race."""
    page.emulate_media(reduced_motion="reduce")
    return lambda query="": load(page, folder, query)


def ends(page):
    """The validation accuracy of each net, as the second picture says it; a lost net: 0.1."""
    text = alts(page)[1]
    found = {norm: re.search(rf"{word} is at ([\d.]+)", text) for norm, word in WORDS.items()}
    return {norm: float(match[1]) if match else 0.1 for norm, match in found.items()}


def put(page, name, value):
    """Move a slider to a value."""
    place = {"learning rate": page.evaluate("model.get('options').lrs"), "depth": range(1, 13)}
    slider(page, name).fill(str(list(place[name]).index(value)))
    settle(page)


def test_guess_first_the_winner_changes_with_the_rate(race):
    page = race()
    page.get_by_label("Predict first").check()
    pick(page, "Which one ends", "batch norm")
    press(page, "Reveal")
    finished(page)
    expect(page.get_by_text("Guess: batch norm. Right").first).to_be_visible()
    at_large = ends(page)
    assert at_large["batch"] > at_large["none"] + 0.2  # "wins by far"
    put(page, "learning rate", 0.01)
    pick(page, "Which one ends", "no normalizer")
    press(page, "Reveal")
    finished(page)
    at_small = ends(page)
    assert at_small["batch"] < at_small["none"] - 0.05  # "it is behind"


def test_a_shallow_net_needs_no_help(race):
    page = race()
    put(page, "depth", 2)
    press(page)
    finished(page)
    assert min(ends(page).values()) > 0.95


def test_batchnorm_breaks_at_a_huge_rate_and_with_four_images(race):
    page = race()
    put(page, "learning rate", 10.0)
    press(page)
    finished(page)
    assert ends(page)["batch"] < 0.3  # "BatchNorm fails as well"
    put(page, "learning rate", 0.3)
    pick(page, "batch size", "4")
    finished(page)
    assert max(ends(page).values()) < 0.3  # "again neither net learns"
    put(page, "learning rate", 0.01)
    finished(page)
    found = ends(page)
    assert found["none"] > 0.4 > 0.3 > found["batch"]  # "BatchNorm hardly"
    expect(summary(page)).to_contain_text("Finished")
