"""What chapter 05 asks a reader to do with the Landscape does what its text says."""

import re

import pytest
from playwright.sync_api import Page, expect

from bnlab.lab import Landscape
from tests.web.widget_page import finished, load, press, slider, write_once

pytestmark = pytest.mark.web

LPS = ("ℓ1", "ℓ2", "ℓ∞")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_once(tmp_path_factory.mktemp("landscape"), Landscape(), "compiled/nets.js")


def told(text, name):
    """Loss, loss at the marker, length of the gradient and range, as the widget writes them."""
    start = rf"{name} at step \d+: loss (\S+) → (\S+), gradient of length (\S+) "
    pattern = start + r".*?in the shade (\S+?)\.(?:\s|$)"
    return [float(part) for part in re.search(pattern, text).groups()]


def goes_above(page, name):
    """Whether the loss at the marker is above where the net began."""
    loss, there, *_ = told(finished(page), name)
    return there > loss


def guess(page, name):
    """Pick an answer, and press Reveal."""
    page.locator(".bnlab-guess").get_by_role("radio", name=name, exact=True).check(force=True)
    press(page, "Reveal")


def test_guess_first_and_the_three_things_to_try(page: Page, folder, troubles):
    load(page, folder)
    predict = page.get_by_role("checkbox", name="Predict first")
    predict.check(force=True)
    guess(page, "none")
    expect(page.locator(".bnlab-verdict")).to_contain_text("Right.")
    predict.uncheck(force=True)  # which forgets what was trained
    press(page)
    # Guess first: without a normalizer the loss turns upwards, past once and before twice the rate.
    slider(page, "step length").fill("12")
    assert not goes_above(page, "no normalizer")
    slider(page, "step length").fill("16")  # "At twice the rate"
    assert goes_above(page, "no normalizer") and not goes_above(page, "batch norm")
    # 1: "only the net without a normalizer ends above where it began", at eight times the rate.
    for name in LPS:
        page.get_by_role("checkbox", name=name, exact=True).check(force=True)
    slider(page, "step length").fill("24")
    text = finished(page)
    assert "A step of 8 times" in text and goes_above(page, "no normalizer")
    names = ("batch norm", *(f"{one} batch norm" for one in LPS))
    assert not any(goes_above(page, name) for name in names)
    # 2: at step 300 the wider range and the longer gradient are BatchNorm's.
    for name in LPS:
        page.get_by_role("checkbox", name=name, exact=True).uncheck(force=True)
    slider(page, "train to step").fill("30")
    text = finished(page)
    none, batch = (told(text, name) for name in ("no normalizer", "batch norm"))
    assert batch[2] > none[2] and batch[3] > none[3]
    # 3: at rate 1 the net without a normalizer is gone.
    slider(page, "train to step").fill("5")
    slider(page, "learning rate").fill("4")
    text = finished(page)
    assert "no normalizer: diverged at step" in text and told(text, "batch norm")
