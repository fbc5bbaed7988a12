"""Repeat this verdict: buttons that are pressed early or quickly, and workers that die or hang."""

import itertools
import threading

import pytest
from playwright.sync_api import expect

from bnlab.lab import Repeat
from bnlab.verdicts.again import train_again
from tests.web.repeat_page import (
    HOLD_IMAGES,
    IMAGES_ARE_THERE,
    KILL,
    NAME,
    ROWS,
    TRAINED,
    click_all,
    count,
    ended,
    listening,
    opened,
    options_of,
)
from tests.web.widget_page import Carried, load, note, press, settle, summary, write_page

pytestmark = pytest.mark.web
SOME_EQUAL = "document.querySelector('.bnlab-row-equal')"
TOO_LONG = 130_000  # ms: more than the two minutes that a worker may be silent


def hidden(page, is_hidden):
    page.evaluate(
        """(hidden) => {
          Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
          document.dispatchEvent(new Event("visibilitychange"));
        }""",
        is_hidden,
    )


@pytest.fixture
def without_images(page, tmp_path, troubles):
    """The page, whose test images come when the test says so."""
    listening(page)
    page.add_init_script(HOLD_IMAGES)
    opened(page, tmp_path)
    return page


def images_come(page):
    page.evaluate("letImages()")
    page.wait_for_function(IMAGES_ARE_THERE)
    settle(page)
    page.wait_for_timeout(300)


def test_paused_before_the_images_are_there_nothing_starts(without_images):
    page = without_images
    click_all(page, "Repeat", "Pause")
    images_come(page)
    ended(page, "Paused")
    assert page.evaluate(TRAINED) == count(page, "begun") == 0
    press(page, "Resume")
    ended(page)
    assert count(page, "equal") == page.evaluate(TRAINED) == ROWS


def test_stopped_before_the_images_are_there_nothing_starts(without_images):
    page = without_images
    click_all(page, "Repeat", "Pause", "Stop")
    images_come(page)
    ended(page, "Stopped")
    assert page.evaluate(TRAINED) == count(page, "begun") == 0
    press(page, "Repeat")
    ended(page)
    assert count(page, "equal") == page.evaluate(TRAINED) == ROWS


def test_buttons_pressed_quickly_start_each_row_once(without_images):
    page = without_images
    click_all(page, "Repeat", "Stop", "Repeat", "Stop", "Repeat")
    images_come(page)
    ended(page)
    assert count(page, "equal") == page.evaluate(TRAINED) == ROWS


def test_what_an_older_start_still_says_is_not_heard(page, tmp_path, troubles):
    """Stop and Go on, many times in the middle of rows: each row is counted once."""
    listening(page)
    opened(page, tmp_path)
    press(page, "Repeat")
    for _ in range(5):
        before = count(page, "equal")
        page.wait_for_function(f"document.querySelectorAll('.bnlab-row-equal').length > {before}")
        click_all(page, "Stop", "Go on", "Stop", "Go on")
    ended(page)
    assert count(page, "equal") == ROWS
    assert page.locator("progress").evaluate("(bar) => bar.value") == pytest.approx(1)
    expect(page.locator(".bnlab-progress-line")).to_have_text(f"{ROWS} of {ROWS}")


@pytest.mark.parametrize("cores", [1, 3])
def test_a_worker_that_dies_is_replaced(page, tmp_path, cores):
    listening(page, cores)
    opened(page, tmp_path)
    press(page, "Repeat")
    page.wait_for_function(SOME_EQUAL)
    click_all(page, "Pause")  # or all rows may be done before a worker dies
    page.evaluate("workers[0].dispatchEvent(new ErrorEvent('error', { message: 'gone' }))")
    expect(note(page)).to_contain_text("its training again. The worker broke off: gone")
    press(page, "Resume")
    ended(page)
    assert count(page, "equal") == ROWS
    assert page.evaluate("workers.length") == cores + 1


def test_killed_while_it_stands_still_it_goes_on_with_fresh_workers(page, tmp_path):
    listening(page)
    opened(page, tmp_path)
    press(page, "Repeat")
    page.wait_for_function(SOME_EQUAL)
    click_all(page, "Stop")
    kept, before = count(page, "equal"), page.evaluate(TRAINED)
    page.evaluate(KILL)
    press(page, "Go on")
    ended(page)
    assert count(page, "equal") == ROWS
    assert page.evaluate(TRAINED) - before == ROWS - kept
    assert page.evaluate("workers.length") == 4


def test_without_any_worker_left_it_breaks_off_and_goes_on(page, tmp_path):
    listening(page)
    opened(page, tmp_path)
    press(page, "Repeat")
    page.wait_for_function(SOME_EQUAL)
    click_all(page, "Pause")
    page.evaluate("globalThis.noWorkers = true")
    page.evaluate(KILL)
    click_all(page, "Resume")
    ended(page, "Broken off")
    expect(note(page)).to_contain_text('No more workers. What is trained is kept: "Go on" trains')
    kept = count(page, "equal")
    assert 1 <= kept < ROWS
    page.evaluate("globalThis.noWorkers = false")
    press(page, "Go on")
    assert count(page, "equal") >= kept
    ended(page)
    assert count(page, "equal") == ROWS


def test_where_a_worker_cannot_be_replaced_the_others_go_on(page, tmp_path):
    listening(page)
    opened(page, tmp_path)
    press(page, "Repeat")
    page.wait_for_function(SOME_EQUAL)
    click_all(page, "Pause")
    page.evaluate("globalThis.noWorkers = true")
    page.evaluate("workers[0].dispatchEvent(new ErrorEvent('error', { message: 'gone' }))")
    click_all(page, "Resume")
    ended(page)
    assert count(page, "equal") == ROWS


def test_a_worker_that_hangs_gives_its_row_to_another_one(page, tmp_path):
    """Two minutes of its row count; a pause does not, nor a tab that is hidden."""
    page.clock.install()
    listening(page)
    opened(page, tmp_path)
    page.evaluate("swallows = (one, { type }) => one === workers[0] && type === 'train'; 0")
    press(page, "Repeat")
    page.wait_for_function(f"document.querySelectorAll('.bnlab-row-equal').length === {ROWS - 1}")
    click_all(page, "Pause")
    page.clock.run_for(TOO_LONG)
    press(page, "Resume")
    hidden(page, True)
    page.clock.run_for(TOO_LONG)
    assert count(page, "begun") == 1
    hidden(page, False)
    expect(note(page)).to_contain_text("The tab was in the background")
    page.clock.run_for(TOO_LONG)
    expect(note(page)).to_contain_text("does its training again. It had said nothing for two")
    ended(page)
    assert count(page, "equal") == ROWS


def test_a_hidden_tab_is_told_when_it_is_seen_again(page, tmp_path, troubles):
    opened(page, tmp_path)
    click_all(page, "Repeat")
    hidden(page, True)
    assert note(page).inner_text() == ""
    hidden(page, False)
    expect(note(page)).to_contain_text("The tab was in the background")
    ended(page)
    assert count(page, "equal") == ROWS


class CarriedRepeat(Carried, Repeat):
    """With a kernel Python trains, here the first two arms of T4. What it says is kept."""

    def __init__(self):
        self.told = []
        super().__init__(claim=NAME)
        _, few = options_of()
        arms = few["arms"][:2]
        self.options = {**self.options, **few, "arms": arms, "formulas": {}}
        names = [arm["name"] for arm in arms]
        self._trainings = [
            one for one in self._trainings if one.arm in names and one.seed in few["seeds"]
        ]

    def send(self, content, buffers=None):
        self.told.append(content)
        super().send(content, buffers)


@pytest.fixture
def after_five(monkeypatch):
    """Python trains five rows, and the others once this event is set."""
    begun, go_on = itertools.count(), threading.Event()

    def trained(training):
        if next(begun) >= 5:
            assert go_on.wait(120)
        return train_again(training)

    monkeypatch.setattr("bnlab.lab.repeat.repeat.train_again", trained)
    yield go_on
    go_on.set()


def test_with_a_kernel_what_is_done_is_not_trained_again(page, tmp_path, troubles, after_five):
    widget = CarriedRepeat()
    widget.connect(page)
    write_page(tmp_path, widget, host=None)
    load(page, tmp_path)
    press(page, "Repeat")
    widget.pump_until(page, lambda: count(page, "equal") == 5)
    press(page, "Stop")
    widget.pump_until(page, lambda: widget.told[-1].get("stopped", False))
    after_five.set()
    press(page, "Go on")
    widget.pump_until(page, lambda: "Finished" in summary(page).inner_text())
    rows = len(widget.options["arms"]) * len(widget.options["seeds"])
    assert count(page, "equal") == rows
    trained = [message["at"] for message in widget.told if message.get("norm") == "row"]
    assert len(trained) == rows == len({*map(tuple, trained)})
    widget.close()
