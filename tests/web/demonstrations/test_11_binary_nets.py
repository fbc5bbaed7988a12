"""Chapter 11: the guess and the things to try show what the page says."""

import html
import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from bnlab.lab import Bits
from bnlab.lab.bits.bits import LRS
from tests.web.widget_page import LISTEN, finished, load, move, pick, press, write_once

pytestmark = pytest.mark.web

PAGE = Path(__file__).parents[3] / "book" / "11_binary_nets.ipynb"
CELLS = json.loads(PAGE.read_text(encoding="utf-8"))["cells"]
PROSE = "\n".join("".join(cell["source"]) for cell in CELLS if cell["cell_type"] == "markdown")
GUESSING = 0.2  # accuracy, from ten classes
BATCH, SIGNS, SCALE = "batch", "signs", "none"

NEWEST = """() => {
  const nets = {};
  for (const [name, one] of [...heard.values()].at(-1) ?? []) {
    const net = (nets[name] ??= { accuracy: [], inside: [], flips: [] });
    for (const key of Object.keys(net)) net[key].push(...(one?.[key] ?? []));
    if (one?.diverged_at) net.diverged = true;
  }
  return nets;
}"""


def links(section: str) -> list[str]:
    """States of the widget that a part of the page links to, in order."""
    part = PROSE.split(section)[1].split("\n## ")[0]
    return [html.unescape(one) for one in re.findall(r'href="(#bits\?[^"]*)"', part)]


(TRY,) = links("## Things to try")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A page with the widget as the chapter makes it."""
    (source,) = ["".join(c["source"]) for c in CELLS if "import Bits" in "".join(c["source"])]
    assert 'Bits(nets, shortcuts="off", lr=0.01, predict=True)' in source
    widget = Bits((BATCH, SIGNS, SCALE), shortcuts="off", lr=0.01, predict=True)
    return write_once(tmp_path_factory.mktemp("chapter_11"), widget, "compiled/binary.js")


def opened(page: Page, folder: Path, link: str = "") -> None:
    page.add_init_script(LISTEN)
    load(page, folder, link)
    page.wait_for_function("globalThis.workerReady")


def first(net: dict, what: str) -> float:
    return net[what][0][1]


def ends(page: Page) -> dict[str, float]:
    """Validation accuracy at the end, of a training that is finished."""
    return {name: net["accuracy"][-1][1] for name, net in page.evaluate(NEWEST).items()}


def voted(page: Page, guess: str) -> str:
    """Guess and reveal; whether it was right."""
    expect(page.locator(".bnlab-plots")).to_be_hidden()
    page.locator(f".bnlab-guess input[value={guess}]").check(force=True)
    press(page, "Reveal")
    finished(page)
    return page.locator(".bnlab-verdict").inner_text()


def test_the_guess(page, folder, troubles):
    opened(page, folder)  # "## Guess first", as the page shows the widget
    assert "Right" in voted(page, SCALE)  # "the scale is ahead"
    shown = ends(page)
    assert shown[SCALE] > shown[BATCH] + 0.02 and shown[SIGNS] < shown[BATCH] - 0.3


def test_the_things_to_try(page, folder, troubles):
    opened(page, folder, TRY)
    finished(page)
    centred = page.evaluate(NEWEST)
    start, before = {name: first(net, "inside") for name, net in centred.items()}, ends(page)
    assert 0.2 < start[SIGNS] < 0.3  # "starts at a quarter with signs alone"
    assert all(0.75 < start[name] < 0.85 for name in (BATCH, SCALE))  # "near four fifths"
    pick(page, "shortcuts", "on")
    finished(page)
    gain = {name: end - before[name] for name, end in ends(page).items()}
    assert min(gain.values()) > 0.05 and max(gain, key=gain.get) == SIGNS  # "all three gain"
    pick(page, "shortcuts", "off")
    finished(page)
    pick(page, "first weights", "positive")
    finished(page)
    positive = page.evaluate(NEWEST)
    for name, net in positive.items():  # "a third or more flip, instead of less than a tenth"
        assert first(net, "flips") > 1 / 3 > 0.1 > first(centred[name], "flips")
    for name in (BATCH, SCALE):  # "BatchNorm and the scale end lower than before"
        assert ends(page)[name] < before[name] - 0.05
    pick(page, "first weights", "centred")
    finished(page)
    move(page, "learning rate", LRS.index(0.05))
    finished(page)
    broken = ends(page)  # "BatchNorm still learns; both other nets end at guessing"
    assert broken[BATCH] > 0.6 and max(broken[SIGNS], broken[SCALE]) < GUESSING
