"""Chapter 04 says what its race shows: the guess and the things to try."""

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page

from bnlab.lab.race.race import DEPTHS, LRS, NOISES
from tests.web.trained_page import LISTEN, newest
from tests.web.widget_page import finished, load, move, pick, press, write_once

pytestmark = pytest.mark.web

CHAPTER = Path(__file__).parents[3] / "book" / "04_covariate_shift.ipynb"
STOPS = {"learning rate": LRS, "depth": DEPTHS, "noise": NOISES}
GUESS = 2.3  # loss of a guess among ten classes, as the page says


def sources(kind):
    cells = json.loads(CHAPTER.read_text(encoding="utf-8"))["cells"]
    return ["".join(cell["source"]) for cell in cells if cell["cell_type"] == kind]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A page with the widget that the chapter's own cell makes."""
    (cell,) = [source for source in sources("code") if "import Race" in source]
    names = {}
    exec(cell, names)
    return write_once(tmp_path_factory.mktemp("chapter_04"), names["race"], "compiled/units.js")


def opened(page: Page, folder: Path, query: str = "") -> Page:
    page.add_init_script(LISTEN)
    return load(page, folder, query)


def raced(page: Page, **settings: float) -> dict:
    """Move controls, guess, reveal; what each net came to."""
    for name, value in settings.items():
        name = name.replace("_", " ")
        move(page, name, STOPS[name].index(value))
    pick(page, "Which one ends", "batch norm")
    press(page, "Reveal")
    finished(page)
    assert "Guess: batch norm." in page.locator(".bnlab-verdict").inner_text()
    return newest(page)


def accuracy(net: dict) -> float:
    return net["accuracy"][-1][1]


def moves(page: Page, norm: str) -> float:
    """How far the means of the net's units moved at the end, as the page says."""
    label = page.locator(f".bnlab-layer-plot[data-norm={norm}]").get_attribute("aria-label")
    return float(re.search(r"moves by ([\d.]+) % of its spread", label)[1])


def the_large_rate(page: Page, nets: dict) -> None:
    assert nets["none"]["diverged_at"] < 10  # "diverges within a few steps"
    # "ends about as accurate as BatchNorm"; "keeps up"
    assert abs(accuracy(nets["noisy_batch"]) - accuracy(nets["batch"])) < 0.02
    assert accuracy(nets["batch"]) > 0.9
    assert moves(page, "noisy_batch") > 3 * moves(page, "batch")  # "its layers' outputs jump"


def the_small_rate(nets: dict) -> None:
    others = accuracy(nets["none"]), accuracy(nets["batch"])
    assert accuracy(nets["noisy_batch"]) < min(others) - 0.05  # "far behind"; "Now it is last"


def test_guess_first(page, folder, troubles):
    opened(page, folder)
    the_large_rate(page, raced(page))
    the_small_rate(raced(page, learning_rate=0.03))


def test_things_to_try(page, folder, troubles):
    opened(page, folder)
    early = raced(page, learning_rate=0.3)
    losses = {norm: dict(net["loss"]) for norm, net in early.items()}
    at = {step: {norm: loss[step] for norm, loss in losses.items()} for step in (50, 300)}
    assert max(at[50], key=at[50].get) == "none"  # "Early and late"
    assert min(at[300], key=at[300].get) == "none"
    deep = raced(page, depth=12, learning_rate=0.03)
    half = min(accuracy(deep["none"]), accuracy(deep["batch"])) / 2
    assert accuracy(deep["noisy_batch"]) < half  # "Deeper"
    deep = raced(page, learning_rate=0.3)
    assert deep["none"]["diverged_at"] and accuracy(deep["noisy_batch"]) > 0.9
    broken = raced(page, depth=6, learning_rate=0.3, noise=4.0)["noisy_batch"]
    assert broken["loss"][-1][1] < GUESS / 3 and accuracy(broken) < 0.2  # "Break it"
