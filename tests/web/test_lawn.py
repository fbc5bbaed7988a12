"""Lawn in a browser: the page computes what Python computes, and follows its controls."""

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from bnlab.lab import Lawn
from bnlab.lab.lawn.lawn import QUANTITIES, lawn_trainings
from tests.web.accessibility import violations
from tests.web.pace import within
from tests.web.widget_page import (
    LISTEN,
    Carried,
    alts,
    finished,
    load,
    note,
    press,
    shown,
    slider,
    summary_text,
    write_once,
    write_page,
)

pytestmark = pytest.mark.web

NETS, NETS_FILE = ("adam", "lawn"), "compiled/lawn.js"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_once(tmp_path_factory.mktemp("lawn"), Lawn(), NETS_FILE)


def opened(page: Page, folder: Path, query: str = "") -> Page:
    page.add_init_script(LISTEN)
    return load(page, folder, query)


def train(page: Page) -> str:
    press(page)
    return finished(page)


def ahead(page: Page) -> str:
    return page.locator(".bnlab-headline").inner_text()


def whole(contents) -> dict[str, dict]:
    nets: dict[str, dict] = {}
    for name, content in contents:
        net = nets.setdefault(name, {})
        for key, value in (content or {}).items():
            net[key] = net.get(key, []) + value if isinstance(value, list) else value
    return nets


@pytest.mark.parametrize(
    "state",
    [
        {"free": 0.05, "lr": 0.003, "wrong": 0.3, "seed": 964},
        {"free": 0.5, "lr": 0.03, "wrong": 0, "seed": 965},
        {"free": 0, "lr": 1, "wrong": 0.5, "seed": 966},
        {"free": 0.02, "lr": 1, "wrong": 0.1, "seed": 967},
    ],
    ids=["default", "right-labels", "held-from-the-start", "diverging"],
)
def test_the_page_computes_what_python_computes(page, folder, troubles, state):
    opened(page, folder, "#lawn?" + "&".join(f"{key}={value}" for key, value in state.items()))
    finished(page)
    theirs = whole(page.evaluate("[...heard.values()].at(-1)"))
    mine = whole(lawn_trainings(state, "compiled"))
    for name in NETS:
        for key in ("loss", "accuracy", "step", "diverged_at", "done"):
            assert theirs[name][key] == mine[name][key], (name, key)
        # The weights have the same bits; the sums over them are taken in another order.
        for key, limit in (("weights", 1e-12), ("logits", 1e-5)):
            pairs = zip(theirs[name][key], mine[name][key], strict=True)
            assert all(one == [s, pytest.approx(v, rel=limit)] for one, (s, v) in pairs), key
    assert set(theirs["adam"]) == {*QUANTITIES, "step", "diverged_at", "done"}


def test_from_its_defaults_lawn_is_ahead_and_the_training_takes_about_a_second(
    page, folder, troubles
):
    opened(page, folder)
    train(page)

    def wait() -> float:
        begun = page.evaluate("performance.now()")
        train(page)
        return page.evaluate("performance.now()") - begun

    within(page, 1500, wait)
    found = re.fullmatch(r".* helps: (.*) \(LAWN-Adam\), (.*) \(Adam\)\.", ahead(page))
    assert float(found[1]) > float(found[2]) + 0.02
    assert "LAWN holds the norms from step 30 on" in summary_text(page)
    labels = alts(page)
    assert len(labels) == 4 and all("Adam is at" in label for label in labels)
    assert "learning rate 0.003, 30\u00a0% wrong labels" in labels[0]
    expect(page.locator(".bnlab-badge")).to_have_text("in this page, same bits as in Python")


def test_the_moment_of_the_switch_is_a_line_at_its_step(page, folder, troubles):
    opened(page, folder, "#lawn?free=0.5")
    finished(page)
    lines = page.locator(".bnlab-event")
    assert lines.count() == 4
    places = page.evaluate("""() => [...document.querySelectorAll(".bnlab-plot")].map((plot) => {
      const middle = (element) => { const b = element.getBBox(); return b.x + b.width / 2; };
      const ticks = [...plot.querySelectorAll(".bnlab-axes text[text-anchor=middle]")];
      const tick = (text) => middle(ticks.find((one) => one.textContent === text));
      return [middle(plot.querySelector(".bnlab-event")), tick("200"), tick("400")];
    })""")
    for line, left, right in places:
        assert line == pytest.approx((left + right) / 2, abs=1.5)
    slider(page, "free phase").fill("6")
    finished(page)
    assert lines.count() == 0 and "never holds" in summary_text(page)
    assert ahead(page).startswith("No winner: LAWN-Adam that stays free is Adam")


def test_every_control_trains_again_and_the_last_change_wins(page, folder, troubles):
    opened(page, folder)
    train(page)
    seen = set()
    for name, stop in (("free phase", "4"), ("learning rate", "3"), ("wrong", "0"), ("seed", "2")):
        slider(page, name).fill(stop)
        finished(page)
        assert len(shown(page)) == 1
        seen |= shown(page)
    assert len(seen) == 4 and "free=0.2&lr=0.01&wrong=0&seed=966" in seen
    assert ahead(page).startswith("No winner: ")
    slider(page).evaluate("""(input) => {
      for (let i = 0; i < 1000; i++) {
        input.value = i % 7;
        input.dispatchEvent(new Event("input", { bubbles: true }));
      }
    }""")
    finished(page)
    assert shown(page) == {"free=0.2&lr=0.1&wrong=0&seed=966"}


def test_divergence_is_drawn_and_worded(page, folder, troubles):
    opened(page, folder, "#lawn?lr=1&free=0.2")
    finished(page)
    assert ahead(page) == "No winner: Adam diverged at step 1, LAWN-Adam at step 1."
    assert page.locator(".bnlab-cross").count() == 8 and page.locator(".bnlab-event").count() == 0
    tops = page.locator(".bnlab-label").evaluate_all(
        "all => all.map((one) => one.getBoundingClientRect().top)"
    )
    for one, other in zip(tops[::2], tops[1::2], strict=True):
        assert abs(one - other) > 12, "the words cover each other"
    slider(page, "free phase").fill("0")
    finished(page)
    assert "Adam diverged at step 1, and LAWN-Adam has learned nothing" in ahead(page)
    assert "NaN" not in page.content() and "Infinity" not in page.locator(".bnlab").inner_html()


def test_keys_move_the_controls_and_a_curve_can_be_switched_off(page, folder, troubles):
    opened(page, folder)
    slider(page, "wrong").focus()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Tab")
    page.keyboard.press("End")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Train")).to_be_focused()
    page.keyboard.press("Enter")
    finished(page)
    assert shown(page) == {"free=0.05&lr=0.003&wrong=0.2&seed=967"}
    page.locator(".bnlab-key", has_text="LAWN").click()
    assert all("LAWN-Adam is at" not in alt for alt in alts(page))
    assert page.locator('.bnlab-curve[data-norm="lawn"]').count() == 0


def test_predict_first_hides_the_outcome_and_judges_the_guess(page, folder, troubles):
    opened(page, folder, "#lawn?predict=1")
    expect(page.locator(".bnlab-plots")).to_be_hidden()
    assert ahead(page) == ""
    page.get_by_role("radio", name="LAWN-Adam").check(force=True)
    page.get_by_role("button", name="Reveal").click()
    finished(page)
    expect(page.locator(".bnlab-verdict")).to_contain_text(
        "Right. With 30 % of training labels made wrong"
    )
    slider(page, "wrong").fill("0")
    expect(page.locator(".bnlab-plots")).to_be_hidden()
    page.get_by_role("radio", name="Adam", exact=True).check(force=True)
    page.get_by_role("button", name="Reveal").click()
    finished(page)
    expect(page.locator(".bnlab-verdict")).to_contain_text("Not right. No winner")


def test_a_link_is_read_in_part_and_says_so(page, folder, troubles):
    opened(page, folder, "#lawn?free=0.3&lr=0.03&norms=batch")
    expect(note(page)).to_contain_text("free=0.3 is not one of 0, 0.02")
    finished(page)
    assert shown(page) == {"free=0.05&lr=0.03&wrong=0.3&seed=964"}
    slider(page, "free phase").fill("3")
    finished(page)
    page.wait_for_function("location.hash.includes('free=0.1&lr=0.03&wrong=0.3&seed=964')")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_on_a_phone_nothing_is_wider_than_the_page_and_all_can_be_used(
    page, folder, troubles, theme
):
    page.set_viewport_size({"width": 390, "height": 800})
    page.add_init_script(LISTEN)
    load(page, folder, theme=theme)
    train(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert violations(page) == []


class Kernel(Carried, Lawn):
    """Lawn with a kernel."""


def test_with_a_kernel_torch_trains(page, tmp_path, troubles):
    kernel = Kernel(lr=0.01)
    assert kernel.wait(60)
    write_page(tmp_path, kernel, host=None)
    kernel.connect(page)
    load(page, tmp_path)
    press(page)
    kernel.pump_until(page, lambda: "Finished" in summary_text(page))
    assert "LAWN-Adam: norm of the weights" in summary_text(page)
    expect(page.locator(".bnlab-badge")).to_contain_text("PyTorch trains")
    assert json.dumps(kernel.options)
    kernel.close()
