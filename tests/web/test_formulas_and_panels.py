"""Formulas and figures of the built site: what a reader sees of them, wide and on a phone."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from tests.web.test_site_pages import PAGES, settle

SIZES = [{"width": 1280, "height": 800}, {"width": 390, "height": 844}]
pytestmark = [
    pytest.mark.web,
    pytest.mark.parametrize("name", PAGES),
]

CUT_FORMULAS = """() => [...document.querySelectorAll("div.math")].filter((one) => {
  const glyphs = [...one.querySelectorAll("mjx-c, mjx-line")]
    .map((glyph) => glyph.getBoundingClientRect()).filter((box) => box.width);
  const left = Math.min(...glyphs.map((box) => box.left));
  const right = Math.max(...glyphs.map((box) => box.right));
  const frame = one.getBoundingClientRect();
  const inner = one.querySelector("mjx-container");
  const scrolls = [one, inner].some((part) => part.scrollWidth > part.clientWidth);
  const reached = right <= frame.right + 1 || scrolls;
  return frame.width && (!glyphs.length || left < frame.left - 1 || !reached);
}).map((one) => one.textContent.slice(0, 80))"""

PANELS = """() => [...document.querySelectorAll(".bnlab-panels")].filter((one) =>
  one.getBoundingClientRect().width
).map((one) => {
  const boxes = [...one.children].map((panel) => panel.getBoundingClientRect());
  const rows = {};
  for (const box of boxes) rows[Math.round(box.top)] = (rows[Math.round(box.top)] ?? 0) + 1;
  return {
    sizes: new Set(boxes.map((box) => `${Math.round(box.width)} x ${Math.round(box.height)}`)).size,
    rows: Object.values(rows),
    wide: Math.max(...boxes.map((box) => box.right)) > document.documentElement.clientWidth,
    letters: boxes.length < 2 || [...one.children].every((panel, i) =>
      [...panel.querySelectorAll("text")].some((text) =>
        text.textContent.startsWith("abcdefgh"[i]))),
    label: one.getAttribute("aria-label").slice(0, 60),
  };
})"""


@pytest.fixture(params=SIZES, ids=lambda size: str(size["width"]))
def read(page: Page, address: str, name: str, request: pytest.FixtureRequest) -> Page:
    page.set_viewport_size(request.param)
    page.goto(f"{address}/{name}")
    settle(page)
    return page


def test_no_formula_loses_an_end_and_panels_are_of_one_size_in_full_rows(read: Page):
    """What is wider than the screen begins at its left edge and can be scrolled to its end."""
    assert read.evaluate(CUT_FORMULAS) == []
    for figure in read.evaluate(PANELS):
        assert figure["sizes"] == 1 and not figure["wide"] and figure["letters"], figure
        assert len(set(figure["rows"])) == 1, figure
