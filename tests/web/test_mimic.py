"""Mimic in a browser: the page trains what Python trains, and its start is the stored one."""

import itertools
import re

import pytest
from playwright.sync_api import expect

from bnlab.lab import Mimic
from bnlab.lab.kit.points import Points
from bnlab.lab.mimic.mimic import BADGE, NETS, mimic_run, start_curves
from bnlab.train import make_trainer
from tests.web.accessibility import violations
from tests.web.pace import first_point_within, within
from tests.web.trained_page import at_address, newest
from tests.web.widget_page import (
    Carried,
    alts,
    finished,
    full_screen,
    load,
    move,
    note,
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

BASE = "depth={}&lr={}&seed={}&norms={}"
DEFAULT = "none,last_norm,mimic,batch"


class Kernel(Carried, Mimic):
    """A Mimic with a kernel."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_once(tmp_path_factory.mktemp("mimic"), Mimic(), "compiled/mimic.js")


@pytest.fixture
def opened(page, folder, troubles):
    """The widget, when it can train."""
    return at_address(page, folder)


@pytest.mark.parametrize(("depth", "lr", "seed"), [(4, 0.3, 972), (12, 0.1, 975)])
def test_the_page_trains_the_very_nets_of_python(page, folder, troubles, depth, lr, seed):
    at_address(page, folder, "#mimic?" + BASE.format(depth, lr, seed, ",".join(NETS)))
    finished(page)
    heard = newest(page)
    assert list(heard) == list(NETS)
    for name, theirs in heard.items():
        points = Points()
        run = mimic_run(name, depth=depth, lr=lr, seed=seed)
        for record in make_trainer(run, "compiled").steps():
            points.add(record)
        mine = points.take()
        for key in ("loss", "accuracy", "diverged_at"):
            assert theirs[key] == mine[key], (name, key)


def test_the_start_is_drawn_before_anything_is_trained(opened):
    start, loss, _ = alts(opened)
    rows = start_curves()["layers"]["none"]
    words = f"no normalizer and last BatchNorm alone: {rows[0][0]:.2f} in layer 1"
    assert words in start and f"{rows[11][0]:.2f} in layer 12" in start
    assert "no net is trained" in loss and opened.evaluate("heard.size") == 0
    lines = opened.locator(".bnlab-curve[data-norm]")
    assert lines.evaluate_all("all => all.map((line) => line.dataset.norm)") == [
        *("start_none", "theory_none", "start_weight_mean", "theory_weight_mean"),
        *("start_batch", "theory_batch"),
    ]


def test_the_start_follows_the_controls_at_once(opened):
    stops = itertools.cycle([0, 4, 1, 3, 2])
    change = """async (stop) => {
      const input = document.querySelector("input[type=range]"), begun = performance.now();
      input.value = stop;
      input.dispatchEvent(new Event("input"));
      await new Promise(requestAnimationFrame);
      await new Promise((resolve) => setTimeout(resolve));
      return performance.now() - begun;
    }"""
    for _ in range(3):
        within(opened, 100, lambda: opened.evaluate(change, next(stops)))
    opened.evaluate(change, 5)
    assert "in layer 30" in alts(opened)[0]
    opened.get_by_role("checkbox", name="batch", exact=True).click()
    settle(opened)
    assert "batch norm" not in alts(opened)[0]


def test_a_change_trains_again_and_the_last_of_a_thousand_wins(opened):
    move(opened, "depth", 0)
    press(opened, "Train")
    finished(opened)
    opened.evaluate("""async () => {
      const [depth, lr, seed] = document.querySelectorAll("input[type=range]");
      for (let i = 0; i < 1000; i++) {
        const input = [depth, lr, seed][i % 3];
        input.value = (7 * i) % (+input.max + 1);
        input.dispatchEvent(new Event("input"));
        if (i % 50 === 0) await new Promise(requestAnimationFrame);
      }
      for (const [input, stop] of [[depth, 1], [lr, 2], [seed, 3]]) {
        input.value = stop;
        input.dispatchEvent(new Event("input"));
      }
    }""")
    finished(opened)
    assert shown(opened) == {BASE.format(4, 0.1, 973, DEFAULT)}
    assert list(newest(opened)) == DEFAULT.split(",")


def test_every_control_trains_again(opened):
    move(opened, "depth", 0)
    press(opened, "Train")
    before = {finished(opened)}
    steps = [
        lambda: move(opened, "depth", 1),
        lambda: move(opened, "learning rate", 2),
        lambda: move(opened, "seed", 4),
        lambda: opened.get_by_role("checkbox", name="weight mean", exact=True).click(),
    ]
    for act in steps:
        act()
        before.add(finished(opened))
    assert len(before) == len(steps) + 1


def test_the_first_point_comes_within_a_tenth_of_a_second(opened):
    move(opened, "depth", 1)
    first_point_within(opened, 100, finished)


@pytest.mark.parametrize("query", ["", "#mimic?predict=1"])
def test_no_serious_accessibility_problem(page, folder, troubles, query):
    at_address(page, folder, query)
    settle(page)
    assert violations(page) == []


def test_divergence_is_drawn_and_never_nan(page, folder, troubles):
    at_address(page, folder, "#mimic?" + BASE.format(12, 10, 970, "none,weight_mean"))
    text = finished(page)
    assert re.search(r"no normalizer diverged at step \d+", text, re.I)
    assert re.search(r"weight mean alone diverged at step \d+", text)
    assert "NaN" not in page.content() and page.locator(".bnlab-cross").count() == 4


def test_the_words_of_two_events_do_not_lie_on_each_other(page, folder, troubles):
    """Also where the curves of other nets leave no room."""
    at_address(page, folder, "#mimic?" + BASE.format(12, 3, 970, ",".join(NETS)))
    finished(page)
    for plot in page.locator(".bnlab-stage .bnlab-plot").all():
        words = plot.locator(".bnlab-label").filter(has_text="diverged")
        one, other = sorted((w.bounding_box() for w in words.all()), key=lambda box: box["y"])
        assert other["y"] - one["y"] > 0.6 * one["height"]  # which has an outline


def test_stop(page, folder, troubles):
    at_address(page, folder)
    press_both(page, "Train", "Stop", "newest()?.batch?.step > 20")
    expect(summary(page)).to_contain_text("Stopped")
    heard = still(page, "newest()")
    assert max(net["step"] for net in heard.values()) < 300
    expect(summary(page)).to_contain_text("Stopped")


def test_predict_first_hides_the_training_and_not_the_start(opened):
    move(opened, "depth", 1)
    opened.get_by_label("Predict first").check()
    reveal = opened.get_by_role("button", name="Reveal", exact=True)
    expect(reveal).to_have_attribute("aria-disabled", "true")
    assert opened.evaluate("heard.size") == 0
    assert "in layer 4" in alts(opened)[0]
    opened.locator(".bnlab-guess input[value=mimic]").check(force=True)
    press(opened, "Reveal")
    finished(opened)
    expect(opened.locator(".bnlab-verdict")).to_contain_text("Guess: MimicNorm.")


def test_keyboard_alone(opened):
    opened.get_by_role("slider", name=re.compile("depth")).focus()
    for _ in range(2):
        opened.keyboard.press("ArrowLeft")
    settle(opened)
    assert "in layer 4" in alts(opened)[0]
    opened.get_by_role("checkbox", name="weight mean", exact=True).focus()
    opened.keyboard.press("Space")
    settle(opened)
    assert "weight mean alone and MimicNorm" in alts(opened)[0]
    opened.get_by_role("button", name="Train").focus()
    opened.keyboard.press("Enter")
    finished(opened)


def test_the_state_is_in_the_address_and_bad_values_are_named(page, folder, troubles):
    at_address(page, folder, "#mimic?depth=4&lr=0.2&norms=mimic,layer")
    expect(note(page)).to_contain_text("lr=0.2 is not one of 0.01")
    expect(note(page)).to_contain_text("norms=mimic,layer is not one or more of none, weight_mean")
    finished(page)
    move(page, "learning rate", 2)
    query = BASE.format(4, 0.1, 970, DEFAULT)
    page.wait_for_function("query => location.hash.includes(query)", arg=query)


def test_one_net_must_stay_chosen(page, folder, troubles):
    at_address(page, folder, "#mimic?norms=mimic&predict=1")
    page.get_by_role("checkbox", name="MimicNorm", exact=True).click()
    expect(note(page)).to_contain_text("at least 1 must stay chosen")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_fits_a_phone_and_names_its_axes(page, folder, troubles, theme):
    page.set_viewport_size({"width": 390, "height": 780})
    at_address(page, folder)
    page.evaluate("theme => { document.documentElement.dataset.theme = theme; }", theme)
    assert page.evaluate("document.scrollingElement.scrollWidth") <= 390
    words = page.locator(".bnlab-plot text").all_text_contents()
    assert words.count("layer") == 1 and words.count("step") == 2


def test_full_screen_shows_all_three_plots(opened):
    opened.set_viewport_size({"width": 1280, "height": 720})
    move(opened, "depth", 1)
    press(opened, "Train")
    finished(opened)
    full_screen(opened)
    for plot in opened.locator(".bnlab-plot").all():
        box = plot.bounding_box()
        assert box["height"] > 100 and box["y"] + box["height"] <= 721


def test_the_page_says_who_trains(opened):
    expect(opened.locator(".bnlab-badge")).to_have_text(BADGE)


def test_without_compiled_nets_the_start_stays_and_a_sentence_says_why(page, tmp_path):
    load(page, write_once(tmp_path, Mimic()))
    press(page)
    expect(note(page)).to_contain_text("cannot train these nets")
    expect(page.locator(".bnlab-badge")).to_have_text("stored results of one setting")
    assert "in layer 12" in alts(page)[0]


def test_a_kernel_trains_what_the_state_means(page, tmp_path, troubles):
    widget = Kernel(depth=2, device="cpu")
    widget.wait(60)
    widget.connect(page)
    write_page(tmp_path, widget, host=None)
    load(page, tmp_path)
    press(page)
    widget.pump_until(page, lambda: "Finished" in summary_text(page))
    assert "MimicNorm: accuracy" in summary_text(page)
    expect(page.locator(".bnlab-badge")).to_contain_text("kernel")
    widget.close()
