"""What a race can do beyond the usual: momentum, decay, more steps, all seeds, its pace."""

import re

import numpy as np
import pytest
import torch
from playwright.sync_api import Page, expect

from bnlab.lab import Race
from bnlab.lab.kit.points import Points
from bnlab.lab.race.digits import seen
from bnlab.lab.race.run import race_run
from bnlab.train import make_trainer, train
from tests.web.accessibility import violations
from tests.web.trained_page import LISTEN, newest
from tests.web.widget_page import (
    PHONE,
    WIDE,
    finished,
    load,
    note,
    pick,
    press,
    press_both,
    shown,
    summary_text,
    write_once,
)

pytestmark = pytest.mark.web
COUNTS = "The evidence for B1 counts these very runs."


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_once(tmp_path_factory.mktemp("race"), Race(), "compiled/nets.js")


@pytest.fixture
def race(page: Page, folder, troubles):
    """Opens the page with a state in its address; what its worker says is kept."""
    page.add_init_script(LISTEN)
    return lambda query="": load(page, folder, f"#race?{query}" if query else "")


def in_python(run) -> dict:
    points = Points()
    for record in make_trainer(run, "compiled").steps():
        points.add(record)
    return points.take()


# ---- momentum, weight decay, more steps --------------------------------------------------------


@pytest.mark.parametrize(
    "setting",
    [
        {"lr": 0.03, "momentum": 0.9, "weight_decay": 0.001, "steps": 600},
        {"lr": 0.1, "momentum": 0.5, "weight_decay": 0.0, "steps": 300},
        {"lr": 0.3, "momentum": 0.0, "weight_decay": 0.01, "steps": 1200},
        {"lr": 1.0, "momentum": 0.99, "weight_decay": 0.1, "steps": 300},
    ],
)
def test_the_page_trains_the_bits_of_python(race, setting):
    link = "&".join(f"{key}={value:g}" for key, value in setting.items())
    page = race(f"{link}&depth=2&batch_size=8&seed=103&norms=none,batch")
    text = finished(page)
    assert COUNTS not in text
    for norm, theirs in newest(page).items():
        mine = in_python(race_run(norm, depth=2, batch_size=8, seed=103, **setting))
        for key in ("loss", "accuracy", "diverged_at"):
            assert theirs[key] == mine[key], (norm, key)


def test_a_link_of_before_means_what_it_meant(race):
    """No momentum, no decay, 300 steps, also after others were chosen; then the evidence counts."""
    page = race("momentum=0.9&weight_decay=0.001&steps=600&lr=0.3&depth=6&batch_size=64&seed=109")
    assert COUNTS not in finished(page)
    (key,) = shown(page)
    assert key.endswith("&momentum=0.9&weight_decay=0.001&steps=600")
    page.evaluate("location.hash = '#race?lr=0.3&batch_size=64&depth=6&seed=109&norms=none,batch'")
    expect(page.locator(".bnlab-plot").first).to_have_attribute(
        "data-shown", "lr=0.3&batch_size=64&depth=6&seed=109&norms=none,batch"
    )
    assert COUNTS in finished(page)


def test_the_rarer_controls_are_folded_and_say_what_is_not_usual(race):
    page = race()
    more = page.get_by_role("button", name=re.compile("^More"))
    row = page.locator(".bnlab-more")
    expect(row).to_be_hidden()
    expect(more).to_have_text("More")
    more.click()
    expect(row).to_be_visible()
    expect(more).to_have_attribute("aria-expanded", "true")
    pick(page, "momentum", "0.9")
    pick(page, "steps", "600")
    more.click()
    expect(row).to_be_hidden()
    expect(more).to_have_text("More: momentum 0.9, steps 600")
    page.wait_for_function("location.hash.includes('&momentum=0.9&steps=600&predict=0')")
    press(page)
    finished(page)
    last = page.locator(".bnlab-axes text").filter(has_text=re.compile("^600$"))
    expect(last).to_have_count(2)  # the axes of both plots end there


# ---- slow motion -------------------------------------------------------------------------------


def test_slow_motion_lasts_seconds_and_has_the_same_bits(race):
    page = race()
    begun = page.evaluate("performance.now()")
    page.evaluate("location.hash = '#race?lr=0.1&batch_size=8&depth=2&seed=101&slow=1'")
    page.wait_for_function("newest()?.batch?.step >= 40")
    assert page.evaluate("performance.now()") - begun > 800
    press(page, "Pause")
    expect(page.locator(".bnlab-summary")).to_contain_text("Paused at step")
    step = page.evaluate("newest().batch.step")
    page.wait_for_timeout(400)
    assert page.evaluate("newest().batch.step") <= step + 5
    press(page, "Continue")
    page.wait_for_function(f"newest().batch.step >= {step + 10}")
    assert page.evaluate("newest().batch.step") < 300
    page.get_by_role("button", name=re.compile("^More")).click()
    page.get_by_label("Slow motion").uncheck()  # the rest comes at once
    finished(page)
    assert page.evaluate("performance.now()") - begun < 9000
    for norm, theirs in newest(page).items():
        mine = in_python(race_run(norm, lr=0.1, depth=2, batch_size=8, seed=101))
        assert theirs["loss"] == mine["loss"] and theirs["accuracy"] == mine["accuracy"]


# ---- what the nets see -------------------------------------------------------------------------


def guessed(page: Page) -> dict[str, list[str]]:
    """The texts below the images, by net."""
    return page.locator(".bnlab-seen tbody tr").evaluate_all(
        "rows => Object.fromEntries(rows.map((row) => "
        "[row.dataset.norm, [...row.querySelectorAll('td')].map((cell) => cell.textContent)]))"
    )


@pytest.mark.parametrize(("lr", "steps"), [(0.3, 300), (0.01, 300), (0.1, 600)])
def test_the_digits_are_those_that_the_nets_guess_in_the_end(race, lr, steps):
    page = race(f"lr={lr:g}&steps={steps}&depth=3&batch_size=16&seed=102&norms=none,batch,layer")
    finished(page)
    for norm, told in guessed(page).items():
        trainer = make_trainer(
            race_run(norm, lr=lr, steps=steps, depth=3, batch_size=16, seed=102), "compiled"
        )
        *_, _last = trainer.steps()
        images = torch.as_tensor(np.asarray(trainer.part("val")[0])[seen()["numbers"]])
        guesses = trainer.net.eval()(images).argmax(1).tolist()
        right = [guess == label for guess, label in zip(guesses, seen()["labels"], strict=True)]
        assert told[:-1] == [
            f"{g}{'✓' if ok else ''}" for g, ok in zip(guesses, right, strict=True)
        ]
        assert told[-1] == f"{sum(right)} of 10"


def test_what_they_see_is_hidden_while_a_guess_is_asked_for(race):
    page = race("depth=2&batch_size=8&lr=0.1")
    finished(page)
    assert any(guessed(page)["batch"])
    page.get_by_label("Predict first").check()
    assert not any(guessed(page)["batch"]) and not any(guessed(page)["none"])


# ---- all seeds ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def short(tmp_path_factory):
    race = Race(steps=40, depth=2, batch_size=8)
    return write_once(tmp_path_factory.mktemp("short"), race, "compiled/nets.js")


def all_seeds(page: Page) -> str:
    press(page, "All seeds")
    expect(page.locator(".bnlab-summary")).to_contain_text("Finished: 16 of 16 seeds")
    return summary_text(page)


@pytest.mark.parametrize("lr", [0.1, 10.0])
def test_all_seeds_have_the_median_and_the_range_of_python(page, short, troubles, lr):
    load(page, short, f"#race?lr={lr:g}&depth=2&batch_size=8&norms=none,batch,layer")
    finished(page)
    text, wins = all_seeds(page), []
    ends = {}
    for norm in ("none", "batch", "layer"):
        runs = [
            train(race_run(norm, lr=lr, depth=2, batch_size=8, steps=40, seed=seed), "compiled")
            for seed in range(100, 116)
        ]
        ends[norm] = [
            0.1 if run.diverged_at is not None else float(run.val_accuracy[-1]) for run in runs
        ]
        low, middle, high = np.min(ends[norm]), np.median(ends[norm]), np.max(ends[norm])
        told = re.search(
            rf"{'o normalizer' if norm == 'none' else norm + ' norm'}: accuracy "
            r"([\d.]+) \(([\d.]+) to ([\d.]+)\)",
            text,
        )
        assert [float(told[i]) for i in (2, 1, 3)] == pytest.approx([low, middle, high], abs=0.0051)
        lost = sum(run.diverged_at is not None for run in runs)
        assert (f"{lost} diverged" in text) == (lost > 0)
    for norm in ends:
        others = np.max([ends[other] for other in ends if other != norm], axis=0)
        wins.append(int(np.sum(np.array(ends[norm]) - others >= 0.015)))
    expected = f"is ahead in {max(wins)} of 16 seeds" if max(wins) else "a tie in each of 16 seeds"
    expect(page.locator(".bnlab-headline")).to_contain_text(expected)
    is_clear = "No clear winner" not in page.locator(".bnlab-headline").inner_text()
    assert is_clear == (2 * max(wins) > 16)
    assert page.locator(".bnlab-band:not([d=''])").count() >= 3
    assert violations(page) == []


def test_all_seeds_can_be_stopped_and_a_control_goes_on_with_one(page, folder, troubles):
    load(page, folder)
    page.wait_for_timeout(100)
    press_both(
        page,
        "All seeds",
        "Stop",
        "/: [1-9]\\d* of 16 seeds/.test(document.querySelector('.bnlab-summary').textContent)",
    )
    expect(page.locator(".bnlab-summary")).to_contain_text(re.compile(r"Stopped: \d+ of 16 seeds"))
    (key,) = shown(page)
    assert key.endswith("&seeds=all")
    page.get_by_role("slider", name="learning rate").press("ArrowLeft")
    finished(page)
    (key,) = shown(page)
    assert "seeds" not in key and page.locator(".bnlab-band:not([d=''])").count() == 0
    expect(note(page)).to_be_empty()


# ---- looks -------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [WIDE, PHONE])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_no_accessibility_problem_and_no_overflow(page, folder, troubles, size, theme):
    page.set_viewport_size(size)
    load(page, folder, "#race?lr=10&norms=none,batch,layer,group&momentum=0.9", theme)
    finished(page)
    page.get_by_role("button", name=re.compile("^More")).click()
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
