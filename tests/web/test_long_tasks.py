"""While a widget trains, the page answers: no task of its main thread takes long.

What counts is the time that the thread computes, so that other programs of the machine matter
little; the limit grows with the time that a known piece of work takes in the same recording.
"""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import Browser, Page

from tests.web.any_widget import ENDED, GUESS, MAIN, WIDGETS
from tests.web.pace import USUAL, WORK
from tests.web.read_page import WIDE, settle
from tests.web.widget_page import LISTEN

pytestmark = pytest.mark.web

LIMIT = 50  # ms
TRIES = 3
CATEGORIES = ["toplevel", "blink.user_timing", "disabled-by-default-devtools.timeline"]
BEGUN = "the training begins"


def tasks(trace: bytes) -> tuple[float, float]:
    """Milliseconds of the longest task of the page's main thread, before and after the mark."""
    events = json.loads(trace)["traceEvents"]
    mark = next(e for e in events if e["name"] == BEGUN)
    mine = [
        e
        for e in events
        if e["name"] in ("RunTask", "ThreadControllerImpl::RunTask")
        and (e["pid"], e["tid"]) == (mark["pid"], mark["tid"])
        and "tdur" in e
    ]
    before = [e["tdur"] / 1000 for e in mine if e["ts"] + e.get("dur", 0) <= mark["ts"]]
    after = [e["tdur"] / 1000 for e in mine if e["ts"] > mark["ts"]]
    return max(before), max(after)


def record(browser: Browser, page: Page, act: str, ended: str) -> tuple[float, float]:
    """The longest task of known work, and that of what an act in the page leads to."""
    browser.start_tracing(page=page, categories=CATEGORIES)
    page.evaluate(WORK)
    page.evaluate(f"performance.mark('{BEGUN}')")
    page.evaluate(act)
    page.wait_for_function(ended, polling=100)
    return tasks(browser.stop_tracing())


def answers(browser: Browser, page: Page, act: str, ended: str = ENDED) -> list[tuple[int, int]]:
    """Empty if one of a few recordings is within the limit; else what was seen, and the limits."""
    seen = []
    for _ in range(TRIES):
        known, longest = record(browser, page, act, ended)
        limit = LIMIT * max(1, known / USUAL)
        if longest < limit:
            return []
        seen.append((round(longest), round(limit)))
    return seen


PRESS = f"""() => {{
  ends.clear();
  document.querySelector({MAIN!r}).click();
}}"""


@pytest.mark.parametrize("name", WIDGETS)
def test_no_task_is_long_while_a_widget_trains(browser: Browser, address: str, name: str):
    page = browser.new_page(viewport=WIDE, reduced_motion="reduce")  # it begins when told
    page.add_init_script(LISTEN)
    page.goto(f"{address}/{name}")
    settle(page)
    page.wait_for_timeout(500)  # what it makes when idle
    guess = page.locator(GUESS).first
    if guess.is_visible():
        guess.click()
    assert answers(browser, page, PRESS) == []
    page.close()


def test_a_long_task_is_seen(browser: Browser):
    page = browser.new_page()
    page.goto("data:text/html,<p class=bnlab-summary>Finished")
    page.evaluate("globalThis.ends = new Map(); globalThis.workers = [];")
    assert answers(browser, page, "() => {}") == []
    slow = f"() => setTimeout(() => {{ for (let i = 0; i < 4; i++) ({WORK})(); }})"
    assert len(answers(browser, page, slow)) == TRIES
    page.close()
