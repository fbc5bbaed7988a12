"""SmallBatches in a browser: the page computes what Python computes, and follows its controls."""

import json
import random
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from bnlab.lab import SmallBatches
from bnlab.lab.small_batches.small_batches import NUMBERS, small_trainings
from tests.web.pace import within
from tests.web.widget_page import (
    LISTEN,
    Carried,
    finished,
    headline,
    load,
    press,
    summary_text,
    write_once,
    write_page,
)

pytestmark = pytest.mark.web


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_once(tmp_path_factory.mktemp("small"), SmallBatches(), "compiled/nets.js")


def opened(page: Page, folder: Path, query: str = "") -> Page:
    page.add_init_script(LISTEN)
    return load(page, folder, query)


def train(page: Page) -> str:
    press(page)
    return finished(page)


def whole(contents) -> dict[str, dict]:
    nets: dict[str, dict] = {}
    for norm, content in contents:
        if content is None:
            continue
        net = nets.setdefault(norm, {})
        for key, value in content.items():
            net[key] = net.get(key, []) + value if isinstance(value, list) else value
    return nets


@pytest.mark.parametrize(
    "state",
    [
        {"batch_size": 4, "classes": 10, "r_max": 3, "d_max": 5, "lr": 0.1, "seed": 540},
        {"batch_size": 32, "classes": 2, "r_max": 1.5, "d_max": 0.5, "lr": 0.3, "seed": 543},
        {"batch_size": 16, "classes": 1, "r_max": 10, "d_max": 20, "lr": 0.03, "seed": 555},
    ],
    ids=["default", "two-classes", "one-class"],
)
def test_the_page_computes_what_python_computes(page, folder, troubles, state):
    names = ["batch", "batch_renorm", "group"]
    query = "&".join(f"{key}={value}" for key, value in state.items())
    opened(page, folder, f"#small?{query}&norms={','.join(names)}")
    finished(page)
    theirs = whole(page.evaluate("[...heard.values()].at(-1)"))
    mine = whole(small_trainings({**state, "norms": names}, "compiled"))
    for norm in names:
        for key in ("loss", "train", "batch", "accuracy", "diverged_at"):
            assert theirs[norm][key] == mine[norm][key], (norm, key)
        # Its sums are taken in another order: one image may be on the other side.
        assert theirs[norm]["recomputed"] == pytest.approx(mine[norm]["recomputed"], abs=0.004)


def test_a_net_without_statistics_of_the_batch_has_one_accuracy(page, folder, troubles):
    draw = random.Random(3)
    opened(page, folder)
    for _ in range(12):
        state = {key: draw.choice(values) for key, values in NUMBERS.items()}
        query = "&".join(f"{key}={value:g}" for key, value in state.items())
        page.evaluate("query => { location.hash = query; }", f"small?{query}&norms=group")
        page.wait_for_function(
            "key => document.querySelector('.bnlab-plot').dataset.shown.includes(key)",
            arg=f"lr={state['lr']:g}&seed={state['seed']}&",
        )
        finished(page)
        _, batch, running, recomputed = page.locator(".bnlab-ends td").all_inner_texts()
        assert batch == running, state
        assert recomputed in (running, "–"), state


def test_from_its_defaults_one_net_fails_and_the_other_does_not(page, folder, troubles):
    opened(page, folder)

    def wait() -> float:
        begun = page.evaluate("performance.now()")
        train(page)
        return page.evaluate("performance.now()") - begun

    within(page, 5000, wait)
    text = summary_text(page)
    found = re.findall(r"running statistics ([\d.]+)", text)
    assert float(found[1]) > float(found[0]) + 0.2
    about = "(batches of 4 images, running statistics)"
    said = f"Batch renorm wins: accuracy {found[1]} against {found[0]} with batch norm {about}."
    assert headline(page) == said
    rows = page.locator(".bnlab-ends tbody tr")
    assert rows.count() == 2
    for cell in rows.locator("td").all_inner_texts():
        assert re.fullmatch(r"[01]\.\d\d", cell)
    labels = [p.get_attribute("aria-label") for p in page.locator(".bnlab-plot").all()]
    assert len(labels) == 4 and all("at step 300" in label for label in labels)
    assert "batches of 4 with independent images" in labels[0]
    expect(page.locator(".bnlab-badge")).to_have_text("in this page, same bits as in Python")


def test_every_control_trains_again_and_the_last_change_wins(page, folder, troubles):
    opened(page, folder)
    train(page)
    before = set()
    steps = [
        lambda: page.get_by_role("slider", name=re.compile("^r at most")).fill("1"),
        lambda: page.get_by_role("slider", name=re.compile("^d at most")).fill("1"),
        lambda: page.get_by_role("slider", name=re.compile("learning rate")).fill("2"),
        lambda: page.get_by_role("slider", name=re.compile("seed")).fill("2"),
        lambda: page.get_by_role("checkbox", name="group", exact=True).click(),
        lambda: page.get_by_role("radio", name="2 classes").click(),
        lambda: page.get_by_role("radio", name="16").click(),
    ]
    for act in steps:
        act()
        finished(page)
        before.add(page.locator(".bnlab-plot").first.get_attribute("data-shown"))
    assert len(before) == len(steps)
    slider = page.get_by_role("slider", name=re.compile("learning rate"))
    slider.evaluate("""(input) => {
      for (let i = 0; i < 1000; i++) {
        input.value = i % 9;
        input.dispatchEvent(new Event("input", { bubbles: true }));
      }
    }""")
    finished(page)
    assert "lr=0.01&" in page.locator(".bnlab-plot").first.get_attribute("data-shown")
    assert {p.get_attribute("data-shown") for p in page.locator(".bnlab-plot").all()} == {
        page.locator(".bnlab-plot").first.get_attribute("data-shown")
    }


def test_limits_are_shown_with_renormalization_alone(page, folder, troubles):
    opened(page, folder)
    slider = page.get_by_role("slider", name=re.compile("^r at most"))
    expect(slider).to_be_visible()
    page.get_by_role("checkbox", name="renorm", exact=True).click()
    expect(slider).to_be_hidden()
    page.get_by_role("checkbox", name="batch", exact=True).click()
    expect(page.locator(".bnlab-note")).to_contain_text("at least 1 must stay chosen")


def test_predict_first_hides_the_outcome_and_judges_the_guess(page, folder, troubles):
    opened(page, folder, "#small?predict=1&norms=batch,batch_renorm")
    expect(page.locator(".bnlab-plots")).to_be_hidden()
    expect(page.locator(".bnlab-ends")).to_be_hidden()
    assert headline(page) == ""
    page.get_by_role("radio", name="batch renorm").check(force=True)
    page.get_by_role("button", name="Reveal").click()
    finished(page)
    expect(page.locator(".bnlab-verdict")).to_contain_text("Right: batch renorm ended highest")


def test_a_link_is_read_in_part_and_says_so(page, folder, troubles):
    opened(page, folder, "#small?batch_size=3&lr=0.3&r_max=2")
    expect(page.locator(".bnlab-note")).to_contain_text("batch_size=3 is not one of 2, 4, 8")
    finished(page)
    key = page.locator(".bnlab-plot").first.get_attribute("data-shown")
    assert "lr=0.3&" in key and "r_max=2&" in key


def test_on_a_phone_nothing_is_wider_than_the_page(page, folder, troubles):
    page.set_viewport_size({"width": 390, "height": 800})
    opened(page, folder)
    train(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


class Kernel(Carried, SmallBatches):
    """SmallBatches with a kernel."""


def test_with_a_kernel_torch_trains(page, tmp_path, troubles):
    kernel = Kernel(batch_size=8)
    assert kernel.wait(60)
    write_page(tmp_path, kernel, host=None)
    kernel.connect(page)
    load(page, tmp_path)
    press(page)
    kernel.pump_until(page, lambda: "Finished" in summary_text(page))
    text = summary_text(page)
    assert "batch renorm: in training" in text and "recomputed" in text
    expect(page.locator(".bnlab-badge")).to_contain_text("PyTorch trains")
    assert json.dumps(kernel.options)
    kernel.close()
