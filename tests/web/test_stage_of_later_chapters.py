"""The widgets of chapters 01 and 09 to 12 on a slide, on a phone, and from the book's links."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from bnlab.lab.bits import Bits
from bnlab.lab.choices import Choices
from bnlab.lab.family import Family
from bnlab.lab.family.family import BATCH_SIZES, MODES, NORMS
from bnlab.lab.lawn import Lawn
from bnlab.lab.mimic import Mimic
from tests.web.accessibility import violations
from tests.web.widget_page import full_screen, load, note, press, settle, write_once

pytestmark = pytest.mark.web
BOOK = Path(__file__).parents[2] / "book"
WIDGETS = {
    "family": (Family, ()),
    "mimic": (Mimic, ("compiled/mimic.js",)),
    "lawn": (Lawn, ("compiled/lawn.js",)),
    "bits": (Bits, ("compiled/binary.js",)),
    "choices": (Choices, ("replay/choices.js",)),
}
SLIDES = [(1024, 768), (1280, 720), (1920, 1080)]
PARTS = ".bnlab-plot, .bnlab-signs, .bnlab-numbers, .bnlab-blocks, .bnlab-headline, .bnlab-main"

SEEN = """(parts) => {
  const root = document.querySelector(".bnlab"), line = root.querySelector(".bnlab-headline");
  const boxes = [...root.querySelectorAll(parts)].filter((one) => one.checkVisibility())
    .map((one) => [one.getAttribute("class"), one.getBoundingClientRect()]);
  return {
    outside: boxes.filter(([, box]) => box.bottom > innerHeight + 1 || box.right > innerWidth + 1)
      .map(([name]) => name),
    flat: boxes.filter(([, box]) => box.height < 20).map(([name]) => name),
    count: boxes.length,
    lines: line.getBoundingClientRect().height / parseFloat(getComputedStyle(line).lineHeight),
    text: line.textContent,
  };
}"""


def finish(page: Page, name: str) -> str:
    """Do what the widget is for, with its defaults; its headline."""
    if name == "family":
        press(page, "Change the other images")
    elif name == "choices":
        press(page, "Search")
        expect(page.locator('tr[data-who="same"]')).to_be_visible()
    else:
        press(page)
        expect(page.locator(".bnlab-summary")).to_contain_text("Finished")
    return page.locator(".bnlab-headline").inner_text()


@pytest.mark.parametrize("name", WIDGETS)
def test_a_result_fills_a_slide_and_says_in_two_lines_what_came_out(page, tmp_path, troubles, name):
    widget, stored = WIDGETS[name]
    load(page, write_once(tmp_path, widget(), *stored))
    said = finish(page, name)
    assert said.endswith(".") and re.search(r"\d", said)
    full_screen(page)
    for width, height in SLIDES:
        page.set_viewport_size({"width": width, "height": height})
        settle(page)
        settle(page)
        seen = page.evaluate(SEEN, PARTS)
        assert seen["text"] == said and round(seen["lines"]) <= 2, (width, seen)
        assert seen["outside"] == seen["flat"] == [] and seen["count"] >= 3, (width, seen)
    assert violations(page) == []
    page.keyboard.press("c")  # the controls are back
    assert violations(page) == []


def links(name: str) -> list[str]:
    """Of all pages, those to states of a widget."""
    texts = (json.loads(path.read_text("utf-8"))["cells"] for path in sorted(BOOK.glob("*.ipynb")))
    page = "\n".join("".join(cell["source"]) for cells in texts for cell in cells)
    found = re.findall(rf"#{name}\?[^\s\"')]*", page)
    return list(dict.fromkeys(link.replace("&amp;", "&") for link in found))


@pytest.mark.parametrize("name", WIDGETS)
def test_no_link_of_the_book_gives_a_warning(page, tmp_path, troubles, name):
    widget, stored = WIDGETS[name]
    folder = write_once(tmp_path, widget(), *stored)
    found = links(name)
    assert found or name == "mimic"
    for link in found:
        load(page, folder, link)
        for other in found:  # from any of them to any other
            page.evaluate("hash => { location.hash = hash; }", other)
            settle(page)
            assert note(page).inner_text() == "", (link, other)


def test_no_state_of_the_family_warns_of_a_control_that_is_hidden(page, tmp_path, troubles):
    load(page, write_once(tmp_path, Family()))
    warned = page.evaluate(
        """async (hashes) => {
          const found = [], note = document.querySelector(".bnlab-note");
          const ghost = [...document.querySelectorAll("fieldset")]
            .find((one) => one.textContent.startsWith("ghost batch"));
          for (const hash of hashes) {
            location.hash = hash;
            await new Promise((done) => addEventListener("hashchange", done, { once: true }));
            if (note.textContent) found.push([hash, note.textContent, ghost.checkVisibility()]);
          }
          return found;
        }""",
        [
            f"#family?norm={norm}&mode={mode}&batch_size={batch}&cell=0,0,0,0{ghost}"
            for ghost in ("", "&ghost_size=8")
            for batch in reversed(BATCH_SIZES)
            for norm in NORMS
            for mode in MODES
        ],
    )
    assert warned and all(visible and "norm=ghost_batch" in link for link, _, visible in warned)


SLIDERS = {"mimic": "learning rate", "lawn": "learning rate", "bits": "learning rate"}


@pytest.mark.parametrize("name", SLIDERS)
def test_on_a_phone_a_slider_and_the_accuracy_are_on_one_screen(page, tmp_path, troubles, name):
    page.set_viewport_size({"width": 390, "height": 844})
    widget, stored = WIDGETS[name]
    load(page, write_once(tmp_path, widget(), *stored))
    slider = page.get_by_role("slider", name=SLIDERS[name]).bounding_box()
    plot = page.get_by_role("img", name=re.compile("^(validation )?accuracy", re.IGNORECASE))
    box = plot.bounding_box()
    assert 0 < box["y"] + box["height"] - slider["y"] < 844
