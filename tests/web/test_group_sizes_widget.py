"""GroupSizes in a browser: the page trains what Python trains, and its start is the stored one."""

import itertools
import re

import pytest
from playwright.sync_api import Page, expect

from bnlab.lab import GroupSizes
from bnlab.lab.group_sizes.group_sizes import make_run, start_grid, variants_of
from bnlab.lab.kit.points import Points
from bnlab.train import make_trainer
from tests.web.accessibility import violations
from tests.web.pace import first_point_within, within
from tests.web.trained_page import at_address, newest
from tests.web.widget_page import (
    Carried,
    alts,
    finished,
    full_screen,
    headline,
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

BASE = "group_size={}&depth={}&lr={}&beside={}&seed={}"


class Kernel(Carried, GroupSizes):
    """A GroupSizes with a kernel."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_once(tmp_path_factory.mktemp("groups"), GroupSizes(), "compiled/groups.js")


@pytest.fixture
def opened(page, folder, troubles):
    """The widget, when it can train."""
    return at_address(page, folder)


@pytest.mark.parametrize(("size", "depth", "beside"), [(4, 6, "both"), (64, 2, "batch")])
def test_the_page_trains_the_very_nets_of_python(page, folder, troubles, size, depth, beside):
    at_address(page, folder, "#groups?" + BASE.format(size, depth, 0.3, beside, 652))
    finished(page)
    state = {"group_size": size, "beside": beside}
    heard = newest(page)
    assert list(heard) == variants_of(state)
    best = max(net["accuracy"][-1][1] for net in heard.values())
    assert f"{best:.2f}" in headline(page) and re.search(
        r"wins:|No winner:|hardly matters", headline(page)
    )
    for name, theirs in heard.items():
        points = Points()
        run = make_run(name, depth=depth, lr=0.3, seed=652)
        for record in make_trainer(run, "compiled").steps():
            points.add(record)
        mine = points.take()
        for key in ("loss", "accuracy", "diverged_at"):
            assert theirs[key] == mine[key], (name, key)


def test_the_start_is_drawn_before_anything_is_trained(opened):
    cosine, gradient, loss, _ = alts(opened)
    last = start_grid()["group_8"]["6"]["cosine"][-1][0]
    assert f"groups of 8: {start_grid()['group_8']['6']['cosine'][0][0]:.2f} in layer 1" in cosine
    assert f"{last:.2f} in layer 6" in cosine
    assert "Norm of the loss gradient" in gradient and "no net is trained" in loss
    assert newest_count(opened) == 0


def newest_count(page: Page) -> int:
    return page.evaluate("heard.size")


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
    assert "layer norm" in alts(opened)[0]


def test_a_change_trains_again_and_the_last_of_a_thousand_wins(opened):
    press(opened, "Train")
    finished(opened)
    opened.evaluate("""async () => {
      const [size, depth, lr] = document.querySelectorAll("input[type=range]");
      for (let i = 0; i < 1000; i++) {
        const input = [size, depth, lr][i % 3];
        input.value = (7 * i) % (+input.max + 1);
        input.dispatchEvent(new Event("input"));
        if (i % 50 === 0) await new Promise(requestAnimationFrame);
      }
      for (const [input, stop] of [[size, 3], [depth, 1], [lr, 3]]) {
        input.value = stop;
        input.dispatchEvent(new Event("input"));
      }
    }""")
    finished(opened)
    assert shown(opened) == {BASE.format(16, 4, 0.1, "batch", 650)}
    assert list(newest(opened)) == ["group_8", "group_16", "group_32", "batch"]


def test_the_first_point_comes_within_a_tenth_of_a_second(opened):
    first_point_within(opened, 100, finished)


@pytest.mark.parametrize("query", ["", "#groups?predict=1"])
def test_no_serious_accessibility_problem(page, folder, troubles, query):
    at_address(page, folder, query)
    settle(page)
    assert violations(page) == []


def test_divergence_is_drawn_and_never_nan(page, folder, troubles):
    at_address(page, folder, "#groups?" + BASE.format(2, 12, 10, "none", 650))
    text = finished(page)
    assert re.search(r"no normalizer diverged at step \d+", text, re.I)
    assert "NaN" not in page.content() and page.locator(".bnlab-cross").count() > 0


def test_stop(page, folder, troubles):
    at_address(page, folder)
    move(page, "depth", 5)
    press_both(page, "Train", "Stop", "newest()?.batch?.step > 20")
    expect(summary(page)).to_contain_text("Stopped")
    heard = still(page, "newest()")
    assert max(net["step"] for net in heard.values()) < 300
    expect(summary(page)).to_contain_text("Stopped")


def test_predict_first_hides_the_training_and_not_the_start(opened):
    opened.get_by_label("Predict first").check()
    reveal = opened.get_by_role("button", name="Reveal", exact=True)
    expect(reveal).to_have_attribute("aria-disabled", "true")
    assert newest_count(opened) == 0
    assert "in layer 6" in alts(opened)[0]
    opened.locator(".bnlab-guess input[value=group_16]").check(force=True)
    press(opened, "Reveal")
    finished(opened)
    expect(opened.locator(".bnlab-verdict")).to_contain_text("Guess: groups of 16.")


def test_keyboard_alone(opened):
    opened.get_by_role("slider", name=re.compile("group size")).focus()
    opened.keyboard.press("ArrowRight")
    settle(opened)
    assert "groups of 32" in alts(opened)[0]
    opened.get_by_role("button", name="Train").focus()
    opened.keyboard.press("Enter")
    finished(opened)


def test_the_state_is_in_the_address_and_bad_values_are_named(page, folder, troubles):
    at_address(page, folder, "#groups?group_size=3&depth=4&beside=all")
    expect(page.locator(".bnlab-note")).to_contain_text("group_size=3 is not one of 2, 4, 8")
    expect(page.locator(".bnlab-note")).to_contain_text("beside=all is not one of")
    finished(page)
    move(page, "learning rate", 2)
    query = BASE.format(8, 4, 0.03, "batch", 650)
    page.wait_for_function("query => location.hash.includes(query)", arg=query)


def test_instance_norm_is_named_with_its_reason(opened):
    expect(opened.locator(".bnlab-controls")).to_contain_text("a channel has a single value")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_fits_a_phone_and_names_its_axes(page, folder, troubles, theme):
    page.set_viewport_size({"width": 390, "height": 780})
    at_address(page, folder)
    page.evaluate("theme => { document.documentElement.dataset.theme = theme; }", theme)
    assert page.evaluate("document.scrollingElement.scrollWidth") <= 390
    words = page.locator(".bnlab-plot text").all_text_contents()
    assert words.count("layer") == 2 and words.count("step") == 2


def test_full_screen_shows_all_four_plots(opened):
    opened.set_viewport_size({"width": 1280, "height": 720})
    press(opened, "Train")
    finished(opened)
    full_screen(opened)
    for plot in opened.locator(".bnlab-plot").all():
        box = plot.bounding_box()
        assert box["height"] > 100 and box["y"] + box["height"] <= 721


def test_without_compiled_nets_the_start_stays_and_a_sentence_says_why(page, tmp_path):
    load(page, write_once(tmp_path, GroupSizes()))
    press(page)
    expect(note(page)).to_contain_text("cannot train these nets")
    assert "in layer 6" in alts(page)[0]


def test_a_kernel_trains_what_the_state_means(page, tmp_path, troubles):
    widget = Kernel(depth=2, device="cpu")
    widget.wait(60)
    widget.connect(page)
    write_page(tmp_path, widget, host=None)
    load(page, tmp_path)
    press(page)
    widget.pump_until(page, lambda: "Finished" in summary_text(page))
    assert "roups of 16" in summary_text(page)
    expect(page.locator(".bnlab-badge")).to_contain_text("kernel")
    widget.close()
