"""The panels of the layers in the race of chapter 04: every one is as large as its frame."""

import itertools
import re

import pytest
from playwright.sync_api import Page, expect

from bnlab.chapters.covariate_shift import s2_noisy_race
from bnlab.lab import Race
from tests.web.widget_page import ASSETS, finished, full_screen, load, press, settle, write_once

pytestmark = pytest.mark.web
NORMS = s2_noisy_race.NORMS

# The page's widget stands where it does on the site, under the site's style sheet.
AS_ON_THE_SITE = """() => {
  document.querySelector("main").classList.add("bd-article");
  document.querySelector("#widget").classList.add("cell_output");
}"""

PANELS = """() => {
  const box = (e) => e.getBoundingClientRect();
  const cut = (a, b) => Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 2
    && Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1;
  const contains = (a, b) => a.left <= b.left && b.right <= a.right + 1 && b.bottom <= a.bottom + 1;
  const root = box(document.querySelector(".bnlab"));
  const others = [...document.querySelectorAll(".bnlab-legend, .bnlab-summary, .bnlab-plots")];
  return [...document.querySelectorAll(".bnlab-layer-plot")].map((plot) => {
    const frame = box(plot.parentElement), one = box(plot);
    const words = [...plot.querySelectorAll("text")].map(box);
    return {
      height: one.height, frame: frame.height,
      shape: plot.viewBox.baseVal.height / plot.viewBox.baseVal.width - one.height / one.width,
      bars: box(plot.querySelector(".bnlab-bars")).height,
      pairs: words.filter((a, i) => words.slice(0, i).some((b) => cut(a, b))).length,
      covers: others.filter((e) => e.offsetHeight && cut(one, box(e))).map((e) => e.className),
      inside: contains(root, frame),
    };
  });
}"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    race = Race(norms=NORMS, offer=NORMS, claim="S2", layers=True)
    return write_once(tmp_path_factory.mktemp("layers"), race, "compiled/units.js")


def on_the_site(page: Page, folder, query: str) -> Page:
    """The page of the widget with the site's style; a training begins at once."""
    load(page, folder, query)
    page.evaluate(AS_ON_THE_SITE)
    page.add_style_tag(path=ASSETS / "site.css")
    return page


def check(page: Page, count: int, lowest: float) -> None:
    """Each panel fills its frame, covers nothing, and its words do not cover each other.

    The layers are drawn a few times a second: after a change of size the next drawing counts.
    """
    page.wait_for_function(f"() => ({PANELS})().every(({{ shape }}) => Math.abs(shape) < 0.02)")
    panels = page.evaluate(PANELS)
    assert len(panels) == count
    for panel in panels:
        assert panel["height"] >= lowest and abs(panel["height"] - panel["frame"]) < 1, panel
        assert abs(panel["shape"]) < 0.02 and panel["bars"] > 5, panel
        assert not panel["pairs"] and not panel["covers"] and panel["inside"], panel
    assert len({round(panel["height"]) for panel in panels}) == 1


@pytest.mark.parametrize("size", [(1280, 900), (1024, 768), (390, 844)])
def test_no_panel_collapses_however_often_a_race_begins(page, folder, troubles, size):
    """The nets of a race do not come at once: for some frames one panel has all the width."""
    page.set_viewport_size({"width": size[0], "height": size[1]})
    on_the_site(page, folder, "#race?depth=3&batch_size=8&seed=264")
    finished(page)
    norms = [*itertools.combinations(NORMS, 2), NORMS]
    for number, chosen in enumerate(norms * 2):
        setting = f"batch_size=8&depth={2 + number}&seed={264 + number}"
        query = f"race?{setting}&norms={','.join(chosen)}"
        page.evaluate("query => { location.hash = query; }", query)
        page.wait_for_function(
            "part => document.querySelector('.bnlab-plot').dataset.shown.includes(part)",
            arg=setting,
        )
        finished(page)
        check(page, len(chosen), 140)


def test_a_panel_drawn_alone_takes_its_shape_from_its_frame(page, folder, troubles):
    """As when the second net comes late."""
    on_the_site(page, folder, "#race?depth=4&batch_size=8")
    finished(page)
    for off in (("batch", "noisy batch"), ("none",), ("none", "noisy batch")):
        keys = [page.get_by_role("button", name=name, exact=True) for name in off]
        for left in (3 - len(off), 3):
            for key in keys:
                key.click()
            settle(page)
            page.wait_for_timeout(300)  # the layers are drawn a few times a second
            check(page, left, 140)


@pytest.mark.parametrize("size", [(1280, 720), (1024, 768), (1920, 1080)])
def test_in_full_screen_curves_and_layers_share_the_height(page, folder, troubles, size):
    page.set_viewport_size({"width": size[0], "height": size[1]})
    on_the_site(page, folder, "#race?depth=6&batch_size=8")
    finished(page)
    full_screen(page)
    for _ in range(2):
        check(page, 3, 0.1 * size[1])
        press(page, "Train")
        finished(page)
    root = page.locator(".bnlab")
    assert root.evaluate("e => e.scrollHeight <= e.clientHeight"), "nothing is below the fold"
    page.keyboard.press("c")  # the controls come back: what is left is shared, too
    expect(root).not_to_have_class(re.compile("bnlab-folded"))
    settle(page)
    check(page, 3, 0.1 * size[1])
    page.get_by_role("button", name="More", exact=True).click()
    expect(page.get_by_label("Slow motion")).to_be_in_viewport()
