"""The Plane in Chromium: the same numbers as in Python, keyboard, guesses, links, many changes."""

import re

import pytest
from playwright.sync_api import Page, expect

from bnlab.lab import Plane
from bnlab.lab.kit.bundle import PACKAGE, script
from bnlab.lab.kit.points import Points
from bnlab.lab.plane import plane
from bnlab.train import make_trainer
from tests.web.pace import within
from tests.web.widget_page import (
    Carried,
    headline,
    load,
    note,
    press_both,
    summary,
    summary_text,
    write_once,
    write_page,
)

pytestmark = pytest.mark.web

NETS = "compiled/squares.js"

LISTEN = """(() => {
  const Real = globalThis.Worker;
  globalThis.heard = {};
  globalThis.Worker = class extends Real {
    constructor(address) {
      super(address);
      this.addEventListener("message", ({ data }) => {
        for (const [name, some] of data.points ?? []) {
          const one = (heard[name] ??= { loss: [] });
          one.loss.push(...some.loss);
          one.diverged_at = some.diverged_at;
        }
      });
    }
  };
})();"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_once(tmp_path_factory.mktemp("plane"), Plane(depth=2), NETS)


def opened(page: Page, folder, query: str = "") -> Page:
    page.add_init_script(LISTEN)
    return load(page, folder, query)


def field(page: Page):
    return page.get_by_role("application")


def test_a_link_trains_its_point_with_the_numbers_of_python(page, folder, troubles):
    settings = [
        {"norm": "batch", "momentum": 0.9, "gamma": 0.5, "rate": 0.2},
        {"norm": "batch", "momentum": 0.0, "gamma": 4.0, "rate": 0.05},
        {"norm": "none", "momentum": 0.9, "gamma": 1.0, "rate": 0.1},
    ]
    for number, setting in enumerate(settings):
        query = "&".join(f"{key}={value}" for key, value in setting.items())
        query = f"#plane?depth=2&seed=1&{query}"
        if number == 0:
            opened(page, folder, query)
        else:
            page.evaluate("hash => { heard = {}; location.hash = hash; }", query)
        cell = f"{setting['gamma']:g}|{setting['rate']:g}"
        done = page.locator(f'.bnlab-cell-trained[data-cell="{cell}"]')
        done = done.or_(page.locator(f'.bnlab-cell-lost[data-cell="{cell}"]'))
        expect(done).to_be_visible(timeout=20_000)
        points, run = Points(), plane.plane_run(depth=2, seed=1, **setting)
        for record in make_trainer(run, "compiled").steps():
            points.add(record)
        theirs, mine = page.evaluate("name => heard[name]", cell), points.take()
        assert theirs["loss"] == mine["loss"]
        assert theirs["diverged_at"] == mine["diverged_at"]
        if mine["diverged_at"] is None:
            expect(summary(page)).to_contain_text(f"{plane.UNIT * mine['loss'][-1][1]:.2f} at the")
        else:
            expect(summary(page)).to_contain_text(f"diverged at step {mine['diverged_at']}")


def test_arrow_keys_move_and_enter_trains(page, folder, troubles):
    opened(page, folder)
    field(page).focus()
    for key in ("ArrowUp", "ArrowUp", "ArrowRight", "ArrowRight", "ArrowRight", "ArrowDown"):
        page.keyboard.press(key)
    expect(summary(page)).to_contain_text("At γ 4, learning rate 0.2")
    expect(summary(page)).to_contain_text("not trained yet")
    page.keyboard.press("Enter")
    expect(summary(page)).to_contain_text("diverged at step")
    alt = field(page).get_attribute("aria-label")
    assert "1 points trained, 1 of them diverged" in alt and "γ 4: no rate trains" in alt


def test_a_click_trains_that_point_soon(page, folder, troubles):
    opened(page, folder)
    expect(page.locator(".bnlab-badge")).to_have_text("in this page, same bits as in Python")
    page.locator('[data-cell="0.25|0.5"]').click()
    expect(page.locator('.bnlab-cell-trained[data-cell="0.25|0.5"]')).to_be_visible()
    train_below = """() => new Promise((resolve) => {
      const begun = performance.now(), field = document.querySelector(".bnlab-field");
      const press = (key) => field.dispatchEvent(new KeyboardEvent("keydown", { key }));
      press("ArrowDown");
      press("Enter");
      const look = () => {
        const first = document.querySelector(".bnlab-curve[data-norm=batch]");
        if (first?.dataset.points > 0) resolve(performance.now() - begun);
        else requestAnimationFrame(look);
      };
      requestAnimationFrame(look);
    })"""
    done = page.locator(".bnlab-cell-trained")

    def wait() -> float:
        before, waited = done.count(), page.evaluate(train_below)
        expect(done).to_have_count(before + 1)
        return waited

    within(page, 100, wait, tries=5)  # as many as there are points below
    expect(page.locator('.bnlab-cell-trained[data-cell="0.25|0.2"]')).to_be_visible()


def test_all_points_are_trained_kept_and_can_be_stopped(page, folder, troubles):
    opened(page, folder)
    done = page.locator(".bnlab-cell-trained, .bnlab-cell-lost")
    three = "document.querySelectorAll('.bnlab-cell-trained, .bnlab-cell-lost').length > 2"
    press_both(page, "Train all", "Stop", three)
    expect(page.get_by_role("button", name="Stop", exact=True)).to_be_disabled()
    kept = done.count()
    assert kept < 78
    momentum = page.get_by_role("group", name="momentum")
    for name in ("0", "0.9"):
        momentum.get_by_role("radio", name=name, exact=True).check()
    assert done.count() >= kept, "what was trained is kept"
    page.get_by_role("button", name="Train all").click()
    expect(done).to_have_count(78, timeout=60_000)
    expect(page.get_by_role("button", name="Stop", exact=True)).to_be_disabled()
    assert "NaN" not in page.locator(".bnlab").inner_text()
    curvatures, right, most = plane.options("cpu")["curvatures"], 0, dict.fromkeys(plane.GAMMAS, 0)
    for cell in done.all():
        gamma, rate = cell.get_attribute("data-cell").split("|")
        border = 2 * 1.9 / curvatures[plane.key("batch", 2, float(gamma), 0)]
        diverged = "bnlab-cell-lost" in cell.get_attribute("class")
        right += diverged == (float(rate) > border)
        if not diverged:
            most[float(gamma)] = max(most[float(gamma)], float(rate))
    edges = list(most.values())
    falls = edges == sorted(edges, reverse=True) and edges[0] > edges[-1]
    law = "The larger γ, the smaller the learning rate must be. " if falls else ""
    count = f"The border, computed before training, is right at {right} of 78 points."
    assert headline(page) == law + count, edges
    wrong = page.locator(".bnlab-cell-wrong").count()
    assert right + wrong == 78 and wrong > 0


def test_a_thousand_fast_changes_and_the_last_one_wins(page, folder, troubles):
    opened(page, folder)
    page.get_by_role("button", name="Train", exact=True).click()
    page.evaluate(
        """() => {
          const pick = (text) => [...document.querySelectorAll("label.bnlab-option")]
            .find((one) => one.textContent.trim() === text).querySelector("input").click();
          for (let i = 0; i < 250; i++) for (const name of ["none", "8", "batch", "2"]) pick(name);
          pick("4");
        }"""
    )
    expect(summary(page)).to_contain_text("4 layers")
    expect(summary(page)).to_contain_text("trained: loss")
    shown = field(page).get_attribute("data-shown")
    assert shown == "norm=batch&depth=4&momentum=0.9&seed=0"
    expect(page.locator(".bnlab-cell-trained")).to_have_count(1)


def test_predict_first_hides_the_outcome(page, folder, troubles):
    opened(page, folder, "#plane?depth=2&gamma=2&rate=5&predict=1")
    expect(page.get_by_text("What happens at γ 2, learning rate 5?")).to_be_visible()
    assert headline(page) == ""
    page.get_by_role("radio", name="it trains").check()
    page.get_by_role("button", name="Reveal").click()
    verdict = page.locator(".bnlab-verdict")
    expect(verdict).to_contain_text("Not right: diverged at step")
    said = re.compile(r"^It diverges at step \d: as the line predicts\.$")
    expect(page.locator(".bnlab-headline")).to_have_text(said)
    expect(page.get_by_role("button", name="Train all")).to_be_disabled()


def test_a_damaged_link_says_what_it_could_not_read(page, folder, troubles):
    opened(page, folder, "#plane?depth=3&rate=0.2&hue=7")
    expect(note(page)).to_contain_text("depth=3 is not one of 2, 4, 8; hue=7 means nothing here")


class KernelPlane(Carried, Plane):
    """A Plane with a kernel."""


def test_with_a_kernel_python_trains(page, tmp_path, troubles):
    widget = KernelPlane(depth=2, device="cpu")
    write_page(tmp_path, widget, host=None)
    widget.connect(page)
    load(page, tmp_path)
    page.locator('[data-cell="1|10"]').click()
    widget.pump_until(page, lambda: "diverged at" in summary_text(page))
    expect(summary(page)).to_contain_text("diverged at step")
    expect(page.locator('.bnlab-cell-lost[data-cell="1|10"]')).to_be_visible()
    widget.close()


@pytest.mark.parametrize(
    ("edges", "law"),
    [
        ((5, 2, 1), True),
        ((5, 5, 1), True),
        ((1, 1, 1), False),
        ((2, 5, 1), False),
        ((1, 2, 5), False),
    ],
)
def test_a_law_is_said_only_of_points_that_follow_it(page, edges, law):
    """All points of three columns, and without the last one."""
    code = f"""{script([PACKAGE / "lab" / "plane" / "plane_state.js"])}
const options = {{ gammas: [1, 2, 4], rates: [1, 2, 5, 10], curvatures: {{}} }};
const state = {{ norm: "batch", depth: 2, momentum: 0, seed: 0 }}, points = new Map();
options.gammas.forEach((gamma, i) => {{
  options.curvatures[`batch 2 ${{gamma}} 0`] = 1;
  for (const rate of options.rates) {{
    const divergedAt = rate > edges[i] ? 3 : null;
    points.set(cellName([gamma, rate]), {{ done: true, loss: [], divergedAt }});
  }}
}});
const all = planeHeadline(options, state, points);
points.delete(cellName([4, 10]));
return [all, planeHeadline(options, state, points)];"""
    whole, part = page.evaluate(f"(edges) => {{ {code} }}", list(edges))
    assert whole.startswith("The larger γ, the smaller") == law
    assert whole.endswith(" of 12 points.") and part.endswith(" of 11 points.")
    assert part.startswith("The border, computed before training, is right at ")
