"""Bits in a browser: the page computes what Python computes, and follows its controls."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from bnlab.lab import Bits
from bnlab.lab.bits.bits import BATCH_SIZE, SEEDS, shapes, trainings
from bnlab.lab.bits.signs import CURVES
from tests.web.accessibility import violations
from tests.web.pace import first_point_within
from tests.web.widget_page import (
    LISTEN,
    Carried,
    alts,
    finished,
    full_screen,
    group,
    load,
    move,
    note,
    pick,
    press,
    press_both,
    settle,
    shown,
    still,
    summary,
    summary_text,
    write_once,
    write_page,
)

pytestmark = pytest.mark.web

TRAIN = """async ([state, steps]) => {
  const id = 1e9 + heard.size, asked = { type: "train", job: "bits", paused: false, singles: 0 };
  workers.at(-1).postMessage({ ...asked, id, state, steps });
  while (!ends.has(id)) await new Promise((done) => setTimeout(done, 20));
  return [ends.get(id), heard.get(id)];
}"""
FILE = "compiled/binary.js"
SHORT = "#bits?depth=4&norms=batch,none&shortcuts=off&start=positive&lr=0.02"
KEY = "norms={}&depth={}&shortcuts={}&start={}&clip={}&optimizer={}&lr={}&seed={}"  # of a training


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_once(tmp_path_factory.mktemp("bits"), Bits(), FILE)


def opened(page: Page, folder: Path, query: str = "") -> Page:
    page.add_init_script(LISTEN)
    load(page, folder, query)
    page.wait_for_function("globalThis.workerReady")
    return page


def whole(contents) -> dict[str, dict]:
    """The curves of each net, and the bits of its last look."""
    nets: dict[str, dict] = {}
    for name, content in contents:
        net = nets.setdefault(name, {})
        for key, value in (content or {}).items():
            if key != "bits" or value:
                net[key] = net.get(key, []) + value if isinstance(value, list) else value
    return nets


def bits(texts) -> np.ndarray:
    return np.unpackbits(np.frombuffer(bytes.fromhex("".join(texts)), np.uint8))


def pictures(page: Page) -> list[str]:
    found = page.locator(".bnlab-signs").all()
    return [picture.get_attribute("aria-label") for picture in found]


@pytest.mark.parametrize(
    "state",
    [
        {"norms": ["batch", "bn_free"], "shortcuts": "on", "start": "centred", "clip": 0.02},
        {"norms": ["signs", "standardized"], "shortcuts": "off", "start": "positive", "clip": 0},
        {"norms": ["none"], "optimizer": "sgd", "lr": 0.1, "clip": 0.02, "start": "positive"},
        {"norms": ["batch"], "optimizer": "sgd", "lr": 0.2, "depth": 8, "start": "centred"},
        {"norms": ["signs", "none"], "optimizer": "sgd", "lr": 0.1, "start": "centred"},
    ],
    ids=["clipped", "positive", "sgd", "deep", "diverging"],
)
def test_the_page_computes_what_python_computes(page, folder, troubles, state):
    usual = {"depth": 4, "shortcuts": "on", "clip": 0, "optimizer": "adam", "lr": 0.01}
    state = {**usual, "seed": SEEDS[1], **state}
    told = {**state, "batch_size": BATCH_SIZE, "layers": shapes(state["depth"])}
    end, contents = opened(page, folder).evaluate(TRAIN, [told, 60])
    assert end["type"] == "finished", end
    theirs, mine = whole(contents), whole(trainings(state, "compiled", 60))
    assert list(theirs) == state["norms"]
    for name, net in mine.items():
        for key in ("loss", "accuracy", "step", "diverged_at", "done"):
            assert theirs[name][key] == net[key], (name, key)
        # The weights have the same bits; PyTorch looks at the signs, with its own rounding.
        assert theirs[name]["flips"] == [[s, pytest.approx(v)] for s, v in net["flips"]]
        assert theirs[name]["inside"] == [[s, pytest.approx(v, abs=0.01)] for s, v in net["inside"]]
        one, other = theirs[name]["bits"], net["bits"]
        assert one["step"] == other["step"] == (60 if net["diverged_at"] is None else 0)
        for when in ("now", "before") if one["step"] else ("now",):
            assert one[when]["weights"] == other[when]["weights"]
            same = bits(one[when]["signs"]) == bits(other[when]["signs"])
            assert same.size and same.mean() > 0.98
        assert set(theirs[name]) == {*CURVES, "bits", "step", "diverged_at", "done"}


def test_training_shows_curves_and_the_signs_of_a_layer(page, folder, troubles):
    opened(page, folder)
    expect(page.locator(".bnlab-bits-view")).to_be_hidden()
    press(page)
    assert "Finished: step 300 of 300; 8 blocks" in finished(page)
    labels = alts(page)
    assert len(labels) == 4 and all("BatchNorm is at" in label for label in labels)
    inputs, weights = pictures(page)
    assert re.match(
        r"Signs of the inputs of layer 1 of 8, signs alone, step 300: \d+\s% are plus, "
        r"[\d.]+\s% flipped in 10 steps; \d+\s% of the inputs lie between −1 and 1\.",
        inputs,
    )
    assert weights.startswith("Signs of the weights of layer 1 of 8, signs alone, step 300")
    squares = page.locator(".bnlab-signs").evaluate_all(
        """(all) => all.map((one) => [...one.querySelectorAll("path")]
             .reduce((sum, path) => sum + path.getAttribute("d").split("M").length - 1, 0))"""
    )
    assert squares == [3 * 8 * 64, 8 * 8 * 9]
    assert page.locator(".bnlab-pixel").count() == 3 * 64
    expect(page.locator(".bnlab-badge")).to_have_text("in this page, same bits as in Python")


def test_other_signs_are_drawn_without_another_training(page, folder, troubles):
    opened(page, folder, SHORT)
    finished(page)
    trained = page.evaluate("heard.size")
    assert "layer 1 of 4, BatchNorm" in pictures(page)[0], "the net that is asked for is not there"
    pick(page, "layer", "last")
    group(page, "signs of").get_by_role("radio", name="scale", exact=True).click()
    settle(page)
    inputs, weights = pictures(page)
    assert "layer 4 of 4, a scale for each filter" in inputs and "layer 4 of 4" in weights
    pick(page, "layer", "middle")
    assert "layer 3 of 4" in pictures(page)[0]
    assert page.evaluate("heard.size") == trained
    page.wait_for_function("location.hash.includes('net=none&layer=middle')")


def test_every_control_trains_again_and_the_last_change_wins(page, folder, troubles):
    opened(page, folder, SHORT)
    finished(page)
    steps = [
        lambda: pick(page, "shortcuts", "on"),
        lambda: pick(page, "first weights", "centred"),
        lambda: pick(page, "gradient clipping", "0.02"),
        lambda: pick(page, "optimizer", "SGD"),
        lambda: move(page, "learning rate", 7),
        lambda: move(page, "seed", 3),
    ]
    seen = set()
    for act in steps:
        act()
        finished(page)
        assert len(shown(page)) == 1
        seen |= shown(page)
    assert len(seen) == len(steps)
    assert KEY.format("batch,none", 4, "on", "centred", 0.02, "sgd", 0.1, 1207) in seen
    page.get_by_role("slider", name="seed").evaluate("""(input) => {
      for (let i = 0; i < 1000; i++) {
        input.value = i % 8;
        input.dispatchEvent(new Event("input", { bubbles: true }));
      }
    }""")
    finished(page)
    assert shown(page) == {KEY.format("batch,none", 4, "on", "centred", 0.02, "sgd", 0.1, 1211)}


def test_the_block_and_its_shortcuts_go_together(page, folder, troubles):
    opened(page, folder, "#bits?norms=none&shortcuts=off&predict=1&depth=4")
    block = page.get_by_role("checkbox", name="BN-free", exact=True)
    block.click()
    expect(page.get_by_role("radio", name="on", exact=True)).to_be_checked()
    expect(note(page)).to_contain_text("only there with shortcuts")
    pick(page, "shortcuts", "off")
    expect(block).not_to_be_checked()
    expect(page.get_by_role("checkbox", name="scale", exact=True)).to_be_checked()
    assert page.evaluate("heard.size") == 0


def test_predict_first_hides_the_outcome_and_judges_the_guess(page, folder, troubles):
    opened(page, folder, SHORT + "&predict=1")
    expect(page.locator(".bnlab-plots")).to_be_hidden()
    reveal = page.get_by_role("button", name="Reveal", exact=True)
    expect(reveal).to_have_attribute("aria-disabled", "true")
    page.locator(".bnlab-guess input[value=batch]").check(force=True)
    reveal.click()
    finished(page)
    verdict = page.locator(".bnlab-verdict")
    expect(verdict).to_have_text(
        re.compile(r"Guess: batch\. (Right|Not right)\. .*(wins|No winner): ")
    )
    move(page, "seed", 2)
    expect(page.locator(".bnlab-plots")).to_be_hidden()
    assert page.locator(".bnlab-headline").inner_text() == ""


def test_keyboard_alone(page, folder, troubles):
    opened(page, folder, SHORT + "&predict=1")
    page.get_by_label("Predict first").focus()
    page.keyboard.press("Space")
    page.get_by_role("slider", name="seed").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Train")).to_be_focused()
    page.keyboard.press("Enter")
    finished(page)
    group(page, "layer").get_by_role("radio", name="first", exact=True).focus()
    page.keyboard.press("ArrowRight")
    settle(page)
    assert "layer 3 of 4" in pictures(page)[0]
    page.locator(".bnlab-key").first.focus()
    page.keyboard.press("Enter")
    assert page.locator('.bnlab-curve[data-norm="batch"]').count() == 0


def test_a_link_is_read_in_part_and_says_so(page, folder, troubles):
    opened(page, folder, "#bits?norms=batch,layer&lr=0.3&depth=4&optimizer=sgd")
    expect(note(page)).to_contain_text("lr=0.3 is not one of 0.0005")
    expect(note(page)).to_contain_text("norms=batch,layer is not one or more of batch, signs")
    finished(page)
    assert "&depth=4&" in next(iter(shown(page))) and "sgd" in next(iter(shown(page)))


def test_divergence_is_drawn_and_worded(page, folder, troubles):
    query = "#bits?norms=signs,none&optimizer=sgd&lr=0.1&shortcuts=on&start=centred&depth=4"
    opened(page, folder, query)
    assert "signs alone diverged at step 3; a scale for each filter: " in finished(page)
    assert page.locator(".bnlab-cross").count() == 4
    ahead = page.locator(".bnlab-headline").inner_text()
    assert ahead.startswith("Scale wins: ") and "; signs alone diverged." in ahead
    assert "step 0" in pictures(page)[0], "the last look before"
    assert "NaN" not in page.content() and "Infinity" not in page.locator(".bnlab").inner_html()


def test_stop(page, folder, troubles):
    opened(page, folder, "#bits?predict=1")
    page.get_by_label("Predict first").uncheck()
    when = "[...heard.values()].at(-1)?.some(([, { step }]) => step > 20)"
    press_both(page, "Train", "Stop", when)
    expect(summary(page)).to_contain_text("Stopped")
    count = still(page, "[...heard.values()].at(-1).length")
    assert count and "of 300" in summary_text(page)


def test_the_first_point_comes_soon(page, folder, troubles):
    opened(page, folder, SHORT)
    finished(page)
    first_point_within(page, 150, finished)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_on_a_phone_nothing_is_wider_than_the_page_and_all_can_be_used(
    page, folder, troubles, theme
):
    page.set_viewport_size({"width": 390, "height": 800})
    page.add_init_script(LISTEN)
    load(page, folder, SHORT, theme=theme)
    finished(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert violations(page) == []


def test_full_screen_shows_signs_accuracy_and_flips(page, folder, troubles):
    page.set_viewport_size({"width": 1280, "height": 720})
    opened(page, folder, SHORT)
    finished(page)
    full_screen(page)
    parts = page.locator(".bnlab-plot:visible, .bnlab-signs").all()
    assert len(parts) == 4
    for part in parts:
        box = part.bounding_box()
        assert box["height"] > 60 and box["y"] + box["height"] <= 721
        assert box["x"] + box["width"] <= 1280


class Kernel(Carried, Bits):
    """Bits with a kernel."""


def test_with_a_kernel_torch_trains(page, tmp_path, troubles):
    kernel = Kernel(norms=["none"], depth=4)
    assert kernel.wait(60)
    write_page(tmp_path, kernel, host=None)
    kernel.connect(page)
    load(page, tmp_path)
    press(page)
    kernel.pump_until(page, lambda: "Finished" in summary_text(page))
    assert "a scale for each filter: " in summary_text(page) and len(pictures(page)) == 2
    expect(page.locator(".bnlab-badge")).to_contain_text("PyTorch trains")
    assert json.dumps(kernel.options)
    kernel.close()
