"""Chapter 10 says what its widget shows: the guess and the things to try."""

import html
import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from bnlab.lab import Lawn
from bnlab.lab.lawn.lawn import FREES, LRS, WRONGS
from tests.web.widget_page import LISTEN, finished, load, press, slider, write_once

pytestmark = pytest.mark.web

CHAPTER = Path(__file__).parents[3] / "book" / "10_lawn.ipynb"
LEVEL = 0.02  # what the widget calls level
GUESS = 0.2  # accuracy that is hardly better than a guess among ten digits


def cells():
    found = json.loads(CHAPTER.read_text(encoding="utf-8"))["cells"]
    return ["".join(cell["source"]) for cell in found]


def links(heading):
    """The states that the links of a section open, in order."""
    section = re.search(rf"^## {heading}$(.*?)(?=^## |\Z)", "\n\n".join(cells()), re.M | re.S)[1]
    return [html.unescape(one) for one in re.findall(r'href="(#lawn[^"]*)"', section)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    widget = Lawn(free=0.05, lr=0.003, wrong=0.3, predict=True)  # as the chapter's cell makes it
    return write_once(tmp_path_factory.mktemp("chapter_10"), widget, "compiled/lawn.js")


def opened(page: Page, folder: Path, query: str = "") -> Page:
    page.add_init_script(LISTEN)
    return load(page, folder, query)


def curves(page: Page) -> dict[str, dict[str, list[float]]]:
    """What the worker has said of the newest training: accuracy and size of the logits."""
    finished(page)
    found = {name: {"accuracy": [], "logits": []} for name in ("adam", "lawn")}
    for name, content in page.evaluate("[...heard.values()].at(-1)"):
        for key, values in found[name].items():
            values += [value for _, value in (content or {}).get(key, [])]
    return found


def ends(found: dict, key: str = "accuracy") -> tuple[float, float]:
    """Where Adam and LAWN-Adam end."""
    return found["adam"][key][-1], found["lawn"][key][-1]


def guess(page: Page, name: str) -> None:
    """Predict, and reveal."""
    page.get_by_role("radio", name=name, exact=True).check(force=True)
    press(page, "Reveal")
    finished(page)


def guessed(page: Page, text: str) -> None:
    expect(page.locator(".bnlab-verdict")).to_contain_text(text)


def test_guess_first(page, folder, troubles):
    assert any("Lawn(free=0.05, lr=0.003, wrong=0.3, predict=True)" in cell for cell in cells())
    opened(page, folder)
    guess(page, "LAWN-Adam")
    guessed(page, "Guess: LAWN-Adam. Right.")


def test_things_to_try(page, folder, troubles):
    (link,) = links("Things to try")
    opened(page, folder, link)
    start = curves(page)
    tops = [max(start[name]["accuracy"]) for name in ("adam", "lawn")]
    assert abs(tops[0] - tops[1]) <= LEVEL  # "rise to about the same height"
    assert min(tops) > max(ends(start)) + 0.05  # "and then fall"
    slider(page, "learning rate").fill(str(LRS.index(0.0003)))
    slow = ends(curves(page))
    assert abs(slow[0] - slow[1]) <= LEVEL  # "the nets end level"
    assert min(slow) > ends(start)[1] + 0.05  # "and better than LAWN did at 0.003"

    slider(page, "learning rate").fill(str(LRS.index(0.003)))
    slider(page, "wrong").fill(str(WRONGS.index(0.0)))
    clean = curves(page)
    adam, lawn = ends(clean, "logits")
    assert adam > lawn  # "Adam's logits are still the larger ones"
    assert abs(ends(clean)[0] - ends(clean)[1]) <= LEVEL  # "the accuracies are level"

    slider(page, "wrong").fill(str(WRONGS.index(0.3)))
    slider(page, "learning rate").fill(str(LRS.index(0.1)))
    assert max(ends(curves(page))) < GUESS  # "neither net learns"
    slider(page, "free phase").fill(str(FREES.index(0.0)))
    adam, lawn = ends(curves(page))
    assert adam < GUESS and lawn > 0.5  # "LAWN-Adam learns"
