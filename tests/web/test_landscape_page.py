"""The Landscape of chapter 05 in a browser: its numbers, its controls, its words."""

import re

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from bnlab.lab import Landscape
from bnlab.lab.landscape.landscape import landscape_run
from bnlab.lab.landscape.slide import MULTIPLES, walk
from tests.web.landscape_reference import Look
from tests.web.widget_page import (
    Carried,
    finished,
    headline,
    load,
    note,
    press,
    press_both,
    shown,
    slider,
    still,
    summary_text,
    write_once,
    write_page,
)

pytestmark = pytest.mark.web

LISTEN = """(() => {
  const Real = globalThis.Worker;
  globalThis.heard = [];
  globalThis.Worker = class extends Real {
    constructor(address) {
      super(address);
      this.addEventListener("message", ({ data }) => {
        if (data.type === "points") heard.push(...data.points);
      });
    }
  };
})();"""
DEFAULT = "norms=none,batch&lr=0.1&depth=6&step=50&seed=560"


class KernelLandscape(Carried, Landscape):
    """A Landscape whose messages a test carries between Python and the page."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_once(tmp_path_factory.mktemp("landscape"), Landscape(), "compiled/nets.js")


@pytest.fixture
def opened(page: Page, folder, troubles):
    page.add_init_script(LISTEN)
    return lambda query="": load(page, folder, query and "#landscape?" + query)


def newest(page):
    return dict(page.evaluate("heard"))


@pytest.mark.parametrize(
    ("norm", "lr", "depth", "step"),
    [("none", 0.1, 6, 50), ("batch", 0.3, 2, 120), ("linf_batch", 0.03, 3, 0)],
)
def test_the_page_computes_what_the_compiled_step_computes(opened, norm, lr, depth, step):
    page = opened(f"norms={norm}&lr={lr:g}&depth={depth}&step={step}&seed=561")
    finished(page)
    found = newest(page)[norm]
    look = Look(landscape_run(norm, lr=lr, depth=depth, seed=561), step)
    assert found["step"] == step and found["loss"] == look.loss
    losses, changes = look.along()
    assert found["losses"] == losses and found["changes"] == changes
    assert found["plane"] == look.plane()


def test_the_page_agrees_with_pytorch(opened):
    """At the start: in a training rounding grows, and units at a kink fall to one side or other."""
    page = opened("norms=l1_batch&lr=0.1&depth=2&step=0&seed=560")
    finished(page)
    found = newest(page)["l1_batch"]
    *_, wanted = walk(landscape_run("l1_batch", lr=0.1, depth=2, seed=560), 0)
    for key in ("loss", "size", "losses", "changes", "plane"):
        assert np.allclose(found[key], wanted[key], rtol=2e-3, atol=1e-5), key


def test_training_shows_the_landscape_at_the_marker(opened):
    page = opened()
    assert "Press Train" in summary_text(page)
    press(page)
    text, found = finished(page), newest(page)
    assert shown(page) == {DEFAULT}
    at = MULTIPLES.index(2.0)
    for norm, name in (("none", "no normalizer"), ("batch", "batch norm")):
        there = float(f"{found[norm]['losses'][at]:.3g}")
        assert re.search(rf"{name} at step 50: loss \S+ → {there:g},", text)
    for number in range(3):
        label = page.locator(".bnlab-plot").nth(number).get_attribute("aria-label")
        assert "no normalizer at step 50" in label and "at the rate" in label
    planes = page.locator(".bnlab-slice")
    assert planes.count() == 2
    assert "across it" in planes.first.get_attribute("aria-label")
    squares = (
        planes.first.locator("g")
        .first.locator("path")
        .evaluate_all("all => all.map((path) => path.getAttribute('d').match(/M/g).length)")
    )
    assert sum(squares) == 17 * 17 and len(squares) > 10


LABELS = {"none": "without a normalizer", "batch": "with batch norm"}
LABELS |= {f"l{p}_batch": f"with ℓ{sign} batch norm" for p, sign in (("1", "1"), ("inf", "∞"))}


@pytest.mark.parametrize(
    "state",
    [
        "norms=none,batch&lr=0.1&depth=6&step=50&seed=560",
        "norms=batch,l1_batch,linf_batch&lr=0.03&depth=3&step=20&seed=562",
        "norms=none,batch&lr=0.01&depth=2&step=0&seed=561",
        "norms=l1_batch&lr=0.3&depth=4&step=10&seed=563",
    ],
)
def test_the_headline_names_the_smoothest_and_the_roughest_way(opened, state):
    page = opened(state)
    finished(page)
    shade = [i for i, a in enumerate(MULTIPLES) if 0.5 <= a <= 4]
    ranges = {}
    for norm, found in newest(page).items():
        seen = [found["losses"][i] for i in shade]
        ranges[norm] = max(seen) - min(seen)
    low, high = min(ranges, key=ranges.get), max(ranges, key=ranges.get)
    begin = "In steps of ½ to 4 times the rate (grey) the loss varies by"
    said = f"{begin} {ranges[low]:.2g} {LABELS[low]}"
    rest = f", by {ranges[high]:.2g} {LABELS[high]}." if len(ranges) > 1 else "."
    assert headline(page) == said + rest


def test_the_marker_slides_and_nothing_is_computed_again(opened):
    page = opened()
    press(page)
    finished(page)
    before = page.evaluate("heard.length")
    for stop, words in ((24, "A step of 8 times"), (0, "A step of 0.125 times")):
        slider(page, "step length").fill(str(stop))
        expect(page.locator(".bnlab-summary")).to_contain_text(words)
        marks = page.locator(".bnlab-marker")
        assert {float(m.get_attribute("data-at")) for m in marks.all()} == {MULTIPLES[stop]}
    assert page.evaluate("heard.length") == before
    slider(page, "step length").press("ArrowRight")
    expect(page.locator(".bnlab-summary")).to_contain_text("A step of 0.149 times")


def test_a_change_trains_again_and_the_link_brings_it_back(opened, folder):
    page = opened()
    press(page)
    finished(page)
    slider(page, "train to step").fill("2")
    page.get_by_role("checkbox", name="ℓ2", exact=True).check(force=True)
    state = "norms=none,batch,l2_batch&lr=0.1&depth=6&step=20&seed=560"
    page.wait_for_function(f"location.hash === '#landscape?{state}&length=2&predict=0'")
    finished(page)
    assert shown(page) == {state}
    words = summary_text(page)
    page = opened(f"{state}&length=2")
    assert finished(page) == words


def test_a_thousand_fast_changes_show_the_last_one(opened):
    page = opened()
    press(page)
    page.evaluate("""async () => {
      const sliders = [...document.querySelectorAll("input[type=range]")];
      for (let i = 0; i < 1000; i++) {
        const one = sliders[i % sliders.length];
        one.value = (i * 7) % (Number(one.max) + 1);
        one.dispatchEvent(new Event("input"));
        if (i % 20 === 0) await new Promise(requestAnimationFrame);
      }
    }""")
    for name, stop in (("learning rate", 2), ("depth", 1), ("train to step", 1), ("seed", 0)):
        slider(page, name).fill(str(stop))
    finished(page)
    assert shown(page) == {"norms=none,batch&lr=0.1&depth=2&step=10&seed=560"}
    assert newest(page)["none"]["step"] == 10


def test_stop_ends_the_training(opened):
    page = opened("norms=none,batch,l1_batch,l2_batch,linf_batch&depth=12&step=300")
    page.evaluate("heard.length = 0")  # the link has begun a training
    press_both(page, "Train", "Stop", "heard.length > 0")
    expect(page.locator(".bnlab-summary")).to_contain_text(
        re.compile("Stopped|Nothing was trained")
    )
    still(page, "heard.length")
    assert all(found["plane"] is None for found in newest(page).values())


def test_divergence_is_drawn_and_said(opened):
    page = opened("norms=none,batch&lr=1&depth=6&step=50")
    text = finished(page)
    assert re.search(r"no normalizer: diverged at step \d", text) and "NaN" not in text
    assert "NaN" not in page.content()
    label = page.locator(".bnlab-plot").first.get_attribute("aria-label")
    assert "no normalizer diverged at step" in label
    assert headline(page).endswith(". The net without a normalizer diverged.")
    assert page.locator(".bnlab-slice").count() == 1


def test_predict_first_hides_the_outcome_until_a_guess(opened):
    page = opened("step=50&predict=1")
    assert "hidden" in summary_text(page) and headline(page) == ""
    reveal = page.get_by_role("button", name="Reveal", exact=True)
    expect(reveal).to_have_attribute("aria-disabled", "true")
    reveal.dispatch_event("click")
    assert page.evaluate("heard.length") == 0
    page.locator(".bnlab-guess").get_by_role("radio", name="batch", exact=True).check(force=True)
    press(page, "Reveal")
    expect(page.locator(".bnlab-verdict")).to_contain_text("Not so: you said batch norm")
    assert "no normalizer 3.6" in page.locator(".bnlab-verdict").inner_text()


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("lr=0.2", "lr=0.2 is not one of"),
        ("norms=layer", "is not one or more"),
        ("x=1", "nothing here"),
    ],
)
def test_bad_links_are_read_in_part_with_a_note(opened, query, said):
    page = opened(query)
    expect(page.locator(".bnlab-note")).to_contain_text(said)


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_it_fits(opened, width, theme):
    page = opened()
    page.set_viewport_size({"width": width, "height": 720})
    page.evaluate(f"document.documentElement.dataset.theme = '{theme}'")
    press(page)
    finished(page)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    for plot in page.locator(".bnlab-plot").all():
        box = plot.evaluate("""(picture) => {
          const outer = picture.getBoundingClientRect();
          return [...picture.querySelectorAll(".bnlab-label")].every((text) =>
            text.getBoundingClientRect().right <= outer.right + 2);
        }""")
        assert box
    press(page, "Full screen")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_without_the_nets_it_says_so(page, tmp_path):
    load(page, write_once(tmp_path, Landscape()))
    press(page)
    expect(note(page)).to_contain_text("could not be loaded")


def test_a_kernel_shows_the_same(page, tmp_path):
    kernel = KernelLandscape(depth=2, step=20)
    kernel.wait(60)
    kernel.connect(page)
    write_page(tmp_path, kernel, host=None)
    load(page, tmp_path)
    expect(page.locator(".bnlab-badge")).to_have_text(
        "kernel: PyTorch trains on cpu; rounding makes its numbers differ from the page's"
    )
    press(page)
    kernel.pump_until(page, lambda: "Finished" in summary_text(page))
    assert shown(page) == {"norms=none,batch&lr=0.1&depth=2&step=20&seed=560"}
    assert page.locator(".bnlab-slice").count() == 2
    kernel.close()
