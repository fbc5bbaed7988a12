"""Choices in a browser: its ranks and its search are those of Python, its bars those stored."""

import decimal
import functools
import re

import pytest
from playwright.sync_api import expect

from bnlab.chapters.bn_nas.trainings import STEPS
from bnlab.lab import Choices
from bnlab.lab.choices import choices
from bnlab.lab.choices.supernets import SEEDS, SHOWN, growing, space
from tests.web import choices_reference as reference
from tests.web.accessibility import violations
from tests.web.pace import within
from tests.web.widget_page import (
    Carried,
    finished,
    full_screen,
    load,
    note,
    pick,
    press,
    press_both,
    settle,
    slider,
    summary,
    summary_text,
    write_once,
    write_page,
)

pytestmark = pytest.mark.web

MINE = "k3e3-k3e3-k3e3-k3e3"


class Kernel(Carried, Choices):
    """A Choices with a kernel."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = write_once(tmp_path_factory.mktemp("choices"), Choices(), "replay/choices.js")
    return made


@pytest.fixture
def opened(page, folder, troubles):
    return lambda query="": load(page, folder, query and "#choices?" + query)


def row(page, who):
    """The cells of the table: architecture, score, size, truth."""
    cells = page.locator(f'.bnlab-ranks tr[data-who="{who}"] td')
    return [text.replace("\u00a0", " ") for text in cells.all_text_contents()]


def answer(page):
    return page.locator(".bnlab-answer").inner_text()


def search(page):
    press(page, "Search")
    searched(page)


def searched(page):
    """Until the search is over."""
    expect(page.locator('.bnlab-ranks tr[data-who="random"]')).to_be_visible()


def bars(page):
    """How long each bar is, in per cent."""
    return page.evaluate(
        """() => [...document.querySelectorAll(".bnlab-bar")]
          .map((bar) => parseFloat(bar.style.getPropertyValue("--bnlab-share")))"""
    )


def fixed(value, digits):
    """As JavaScript's toFixed: halves upwards."""
    unit = decimal.Decimal(1).scaleb(-digits)
    return str(decimal.Decimal(float(value)).quantize(unit, decimal.ROUND_HALF_UP))


def expected_row(scales, number):
    score, right = reference.scores(scales), reference.right()
    share = 100 * (right.sum(0)[number] / (reference.truth()["images"] * len(right)))
    return [
        reference.name(number),
        f"{reference.rank(score, number)} ({fixed(score[number] / 1000, 2)})",
        f"{reference.rank(reference.MACS, number)} ({fixed(reference.MACS[number] / 1000, 0)} k)",
        f"{reference.rank(right.sum(0), number)} ({fixed(share, 1)} %)",
    ]


# ---- numbers -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("trained", "step", "seed", "budget"),
    [
        ("all", STEPS, SEEDS[0], 60),
        ("all", SHOWN[4], SEEDS[3], 40),
        ("last", STEPS, SEEDS[2], 100),
        ("last", 0, SEEDS[1], 30),
    ],
)
def test_search_and_ranks_are_those_of_python(opened, trained, step, seed, budget):
    page = opened(f"trained={trained}&step={step}&seed={seed}&budget={budget}")
    finished(page)
    search(page)
    scales = reference.stored_scales(trained, seed, step)
    score, allowed = reference.scores(scales), reference.within(budget)
    found = reference.evolve(score, allowed, seed)[-1]
    same = reference.same_size(found, allowed)
    other = reference.random_one(same, seed)
    mine = reference.PATHS.index((1, 1, 0, 1))
    for who, number in (("mine", mine), ("found", found), ("random", other)):
        assert row(page, who) == expected_row(scales, number), who
    ranks = [
        reference.rank(reference.right().sum(0)[allowed], allowed.index(i)) for i in (found, other)
    ]
    words = answer(page).replace("−", "-")
    assert f"Of the {len(allowed)} architectures" in words
    assert f"finds is number {ranks[0]} by" in words and f"size number {ranks[1]};" in words
    taus = re.findall(r"-?\d\.\d\d", words)
    sizes = (reference.LAYERS, reference.MACS, reference.PARAMETERS)
    wanted = [reference.tau(one) for one in (score, *sizes)]
    if len(reference.right()) > 1:
        wanted.append(reference.ceiling())
    assert [float(one) for one in taus] == pytest.approx(wanted, abs=0.00501, nan_ok=True)


def test_the_bars_are_the_stored_scales_at_the_step_of_the_slider(opened):
    page = opened()
    names = [name for names in space().names for name in names]
    start = bars(page)
    assert {share for share, name in zip(start, names, strict=True) if name == "identity"} == {0}
    assert len(set(start)) == 2
    press(page)
    finished(page)
    for stop in (len(SHOWN) - 1, 7, 0):
        slider(page, "step of the training").fill(str(stop))
        settle(page)
        scales = reference.stored_scales("all", SEEDS[0], SHOWN[stop])
        most = max(1500, *scales)
        assert bars(page) == pytest.approx([100 * scale / most for scale in scales])
        assert f"sum of γ at step {SHOWN[stop]}" in page.locator(".bnlab-cloud").inner_html()


def test_the_dark_edges_are_the_path_that_the_step_trained(opened):
    page = opened(f"seed={SEEDS[1]}&step={SHOWN[3]}")
    finished(page)
    path = space().sample(SEEDS[1], SHOWN[3] - 1)
    lit = page.evaluate(
        """() => [...document.querySelectorAll(".bnlab-block")].map((block) =>
          [...block.querySelectorAll(".bnlab-face")]
            .findIndex((one) => one.matches(".bnlab-now")))"""
    )
    assert lit == list(path)


def test_the_search_goes_round_after_round_and_never_gets_worse(opened):
    page = opened()
    press(page)
    finished(page)
    page.evaluate("""() => {
      globalThis.scores = [];
      new MutationObserver(() => {
        const cell = document.querySelector('.bnlab-ranks tr[data-who="found"] td:nth-of-type(2)');
        if (cell) scores.push(parseFloat(cell.textContent.split("(")[1]));
      }).observe(document.querySelector(".bnlab-ranks tbody"), { childList: true });
    }""")
    search(page)
    seen = page.evaluate("scores")
    assert len(seen) > 1 and seen == sorted(seen)
    expect(page.locator(".bnlab-tried")).to_have_attribute("d", "")


def test_what_was_found_is_said_when_it_is_shown(opened):
    page = opened()
    page.evaluate("""() => {
      globalThis.unsaid = 0;
      new MutationObserver(() => {
        const isShown = document.querySelector('.bnlab-ranks tr[data-who="random"]');
        if (isShown && !document.querySelector(".bnlab-headline").textContent) unsaid++;
      }).observe(document.querySelector(".bnlab-ranks tbody"), { childList: true });
    }""")
    search(page)
    assert page.evaluate("unsaid") == 0


# ---- the reader ----------------------------------------------------------------------------------


def test_the_keyboard_picks_and_the_table_follows(opened):
    page = opened()
    block = page.get_by_role("group", name="block 2")
    block.get_by_role("radio", checked=True).focus()
    page.keyboard.press("ArrowDown")
    settle(page)
    assert row(page, "mine")[0] == "k3e3 · k3e6 · k3e3 · k3e3"
    page.wait_for_function("location.hash.includes('path=k3e3-k3e6-k3e3-k3e3')")
    page.get_by_role("button", name="Search", exact=True).focus()
    page.keyboard.press("Enter")
    searched(page)


def test_a_click_on_a_point_picks_its_architecture(opened):
    page = opened("across=size&budget=100")
    finished(page)
    box = page.locator(".bnlab-cloud").bounding_box()
    largest = page.locator(".bnlab-points:not(.bnlab-beyond)").evaluate("""(points) => {
      const spots = [...points.getAttribute("d").matchAll(/M([\\d.]+),([\\d.]+)/g)];
      return spots.map(([, x, y]) => [+x, +y]).reduce((a, b) => (b[0] > a[0] ? b : a));
    }""")
    page.mouse.click(box["x"] + largest[0], box["y"] + largest[1])
    settle(page)
    assert row(page, "mine")[2].startswith("1 (")
    assert row(page, "mine")[0] == "k5e6 · k5e6 · k5e6 · k5e6"


def test_search_trains_first_and_follows_every_control(opened):
    page = opened()
    search(page)
    seen = {answer(page)}
    changes = {
        "all weights": lambda: slider(page, "step of the training").fill("2"),
        f"seed {SEEDS[0]}": lambda: slider(page, "MACs budget").fill("1"),
        f"seed {SEEDS[4]}": lambda: slider(page, "random seed").fill("4"),
        f"of {STEPS}, last norms": lambda: pick(page, "is trained", "last norms"),
    }
    for words, change in changes.items():
        change()
        settle(page)
        expect(summary(page)).to_contain_text(re.compile(f"Finished.*{words}"))
        searched(page)
        seen.add(answer(page))
    assert len(seen) == 1 + len(changes)


def test_the_last_of_a_thousand_changes_wins(opened):
    page = opened()
    search(page)
    page.evaluate("""async () => {
      const sliders = [...document.querySelectorAll("input[type=range]")];
      for (let i = 0; i < 1000; i++) {
        const one = sliders[i % sliders.length];
        one.value = (i * 7) % (Number(one.max) + 1);
        one.dispatchEvent(new Event("input"));
        if (i % 50 === 0) await new Promise(requestAnimationFrame);
      }
    }""")
    for name, stop in (("step of the training", 5), ("random seed", 2), ("MACs budget", 3)):
        slider(page, name).fill(str(stop))
    query = f"trained=all&step={SHOWN[5]}&seed={SEEDS[2]}&budget=60&path={MINE}"
    page.wait_for_function("query => location.hash.includes(query)", arg=query)
    searched(page)
    shown = page.locator(".bnlab-cloud").get_attribute("data-shown")
    assert shown == f"{query}&across=score&predict=0"
    score = reference.scores(reference.stored_scales("all", SEEDS[2], SHOWN[5]))
    found = reference.evolve(score, reference.within(60), SEEDS[2])[-1]
    assert row(page, "found")[0] == reference.name(found)


def test_predict_first_hides_all_accuracies_until_a_guess(opened):
    page = opened("predict=1")
    assert answer(page) == "" and row(page, "mine")[-1] == "guess first"
    assert "hidden until a guess" in page.locator(".bnlab-cloud").get_attribute("aria-label")
    reveal = page.get_by_role("button", name="Reveal", exact=True)
    expect(reveal).to_have_attribute("aria-disabled", "true")
    page.get_by_role("button", name="Search", exact=True).dispatch_event("click")
    settle(page)
    assert row(page, "found") == []
    page.locator(".bnlab-guess input[value=found]").check(force=True)
    press(page, "Reveal")
    verdict = page.locator(".bnlab-verdict")
    expect(verdict).to_contain_text("Guess: the search’s.")
    best = max(["mine", "found", "random"], key=lambda who: -int(row(page, who)[-1].split()[0]))
    right = int(row(page, "found")[-1].split()[0]) == int(row(page, best)[-1].split()[0])
    expect(verdict).to_contain_text("Right: " if right else "Not right: ")
    page.get_by_role("group", name="block 1").get_by_role("radio", name="k5e6").check(force=True)
    settle(page)
    assert row(page, "mine")[-1] == "guess first" and verdict.inner_text() == ""


def test_stop_keeps_what_was_trained(opened):
    page = opened()
    press_both(page, "Train", "Stop", "document.querySelector('.bnlab-now')")
    expect(summary(page)).to_contain_text("Stopped: step")
    assert not re.search(rf"step {STEPS} of", summary_text(page))
    assert row(page, "found") == []


def test_the_first_bar_moves_within_a_tenth_of_a_second(opened):
    page = opened()
    page.wait_for_function("globalThis.bnlabReplay?.choices")
    train = """async () => {
      const bars = [...document.querySelectorAll(".bnlab-bar")];
      const shares = () => bars.map((bar) => bar.style.cssText).join();
      const before = shares(), begun = performance.now();
      document.querySelector(".bnlab-main").click();
      while (shares() === before) await new Promise(requestAnimationFrame);
      return performance.now() - begun;
    }"""

    def wait() -> float:
        waited = page.evaluate(train)
        finished(page)
        return waited

    within(page, 150, wait)


# ---- the page ------------------------------------------------------------------------------------


def test_bad_values_of_a_link_are_named(opened):
    page = opened("step=3&path=k3e3-none&budget=40")
    expect(note(page)).to_contain_text(f"step=3 is not one of {SHOWN[0]}")
    expect(note(page)).to_contain_text("path=k3e3-none is none of the")
    assert "40" in page.get_by_role("slider", name="MACs budget").get_attribute("aria-valuetext")


def test_the_page_says_who_trains_and_why(opened):
    page = opened()
    expect(page.locator(".bnlab-badge")).to_contain_text("replay")
    expect(page.locator(".bnlab-reason")).to_contain_text("no depthwise convolutions")


@pytest.mark.parametrize("query", ["", "predict=1"])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_no_serious_accessibility_problem(page, folder, troubles, query, theme):
    load(page, folder, query and "#choices?" + query, theme)
    if not query:
        search(page)
    settle(page)
    assert violations(page) == []


def test_fits_a_phone(opened):
    page = opened()
    page.set_viewport_size({"width": 390, "height": 780})
    search(page)
    assert page.evaluate("document.scrollingElement.scrollWidth") <= 390
    names = page.locator(".bnlab-op, .bnlab-face").evaluate_all(
        "all => all.filter((one) => one.scrollWidth > one.clientWidth + 1).length"
    )
    assert names == 0


def test_full_screen_shows_grid_points_and_headline(opened):
    page = opened()
    page.set_viewport_size({"width": 1280, "height": 720})
    search(page)
    full_screen(page)
    for part in (".bnlab-cloud", ".bnlab-blocks", ".bnlab-headline"):
        box = page.locator(part).bounding_box()
        assert box["y"] + box["height"] <= 721, part
    assert page.locator(".bnlab-cloud").bounding_box()["height"] > 100


def test_without_stored_trainings_the_ranks_stay_and_a_sentence_says_why(page, tmp_path):
    load(page, write_once(tmp_path, Choices()))
    press(page)
    expect(note(page)).to_contain_text("could not be loaded")
    assert row(page, "mine")[2].endswith(" k)")


def test_a_kernel_trains_and_the_page_searches(page, tmp_path, troubles, monkeypatch):
    monkeypatch.setattr(choices, "growing", functools.partial(growing, steps=20))
    widget = Kernel(trained="last")
    widget.wait(60)
    widget.connect(page)
    write_page(tmp_path, widget, host=None)
    load(page, tmp_path)
    press(page, "Search")
    random_row = page.locator('.bnlab-ranks tr[data-who="random"]')
    widget.pump_until(page, lambda: random_row.count() > 0)
    *_, (_, scales) = growing("last", SEEDS[0], 20)
    assert row(page, "mine")[1] == expected_row(scales, reference.PATHS.index((1, 1, 0, 1)))[1]
    expect(page.locator(".bnlab-badge")).to_contain_text("kernel")
    assert page.locator(".bnlab-reason").count() == 0
    widget.close()
