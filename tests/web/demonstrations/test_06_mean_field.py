"""What chapter 06 tells its reader to do with the plane does what it says."""

import json
import re
from html import unescape
from pathlib import Path

import pytest
from playwright.sync_api import expect

from bnlab.lab import Plane
from bnlab.lab.plane.plane import GAMMAS, RATES
from tests.web.widget_page import load, press, summary, summary_text, write_once

pytestmark = pytest.mark.web

PAGE = Path(__file__).parents[3] / "book" / "06_mean_field.ipynb"
CELLS = json.loads(PAGE.read_text(encoding="utf-8"))["cells"]
TEXT = "\n".join("".join(c["source"]) for c in CELLS if c["cell_type"] == "markdown")
DONE = ".bnlab-cell-trained, .bnlab-cell-lost"


def link(words: str) -> str:
    """Where the link with these words leads."""
    (found,) = re.findall(rf'<a href="(#plane[^"]*)">{words}</a>', TEXT)
    return unescape(found)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    (source,) = ["".join(c["source"]) for c in CELLS if "import Plane" in "".join(c["source"])]
    assert "Plane(rate=0.2, predict=True)" in source
    widget = Plane(rate=0.2, predict=True)
    return write_once(tmp_path_factory.mktemp("chapter"), widget, "compiled/squares.js")


def guess(page, what: str) -> str:
    """Guess and reveal; what came out."""
    page.get_by_role("radio", name=what).check()
    press(page, "Reveal")
    verdict = page.locator(".bnlab-verdict")
    expect(verdict).to_contain_text("Guess:")
    return verdict.inner_text()


def train_all(page, points: int) -> dict[str, tuple[float, float, float]]:
    """Press the button; of each column the last rate that trains, the first that does not, η*."""
    press(page, "Train all")
    expect(page.locator(DONE)).to_have_count(points, timeout=120_000)
    said = page.get_by_role("application").get_attribute("aria-label")
    number = r"([\d.e+-]+)"
    found = re.findall(
        rf"γ {number}: trains up to {number}, diverges from {number} \(predicted {number}\)", said
    )
    return {gamma: tuple(map(float, rest)) for gamma, *rest in found}


def test_the_hook_and_the_first_thing_to_try(page, folder, troubles):
    """The rates of the text, then all points: the border is a point or two above the line."""
    load(page, folder)
    assert "predicted border 0.29" in summary_text(page)
    assert "Right: trained" in guess(page, "it trains")
    field = page.get_by_role("application")
    field.focus()
    page.keyboard.press("ArrowUp")
    expect(summary(page)).to_contain_text("learning rate 0.5")
    assert "Right: diverged" in guess(page, "it diverges")
    page.get_by_role("checkbox", name="Predict first").uncheck()
    with_momentum = train_all(page, 78)
    assert len(with_momentum) == len(GAMMAS)
    for _, first, star in with_momentum.values():
        assert 1 <= len([rate for rate in RATES if star < rate <= first]) <= 2
    # "Take the momentum away"
    page.evaluate("hash => { location.hash = hash; }", link("Without momentum"))
    expect(summary(page)).to_contain_text("momentum 0,")
    without = train_all(page, 78)
    for gamma, (_, first, star) in without.items():
        assert first == with_momentum[gamma][1], "the border does not follow"
        assert 0.45 < star / with_momentum[gamma][2] < 0.6, "the line falls by nearly half"


def test_it_breaks_without_a_normalizer(page, folder, troubles):
    load(page, folder, link("Eight hidden layers without a normalizer"))
    expect(summary(page)).to_contain_text("8 layers")
    star = float(re.search(r"predicted border ([\d.]+)", summary_text(page))[1])
    assert 4 * star < 0.02
    assert "Right: trained" in guess(page, "it trains")
