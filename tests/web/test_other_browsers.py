"""A short set in Firefox and WebKit: pages are quiet, widgets train, bits are equal, keys work."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from tests.engines.compiled import bits_cases
from tests.web.any_widget import ENDED, GUESS, MAIN, PAGES, READY, SEEN, WIDGETS
from tests.web.other_browsers import BROWSERS, KEYS, Other
from tests.web.site_server import SITE, serve
from tests.web.test_compiled_bits import TRAIN as TRAIN_ALL
from tests.web.widget_page import LISTEN

pytestmark = pytest.mark.web

# What goes wrong in a page, from its first script on. Events that a browser reports only to its own
# console are seen elsewhere: files that are not there by the server, other hosts by the timings.
WATCH = """
globalThis.wrong = [];
for (const kind of ["error", "warn"]) {
  const report = console[kind];
  console[kind] = (...what) => { wrong.push(what.map(String).join(" ")); report(...what); };
}
addEventListener("error", (event) => wrong.push(`uncaught ${event.message}`));
addEventListener("unhandledrejection", (event) => wrong.push(`uncaught ${event.reason}`));
"""

TROUBLES = """() => [
  ...wrong,
  ...performance.getEntriesByType("resource").map(({ name }) => name)
    .filter((name) => !name.startsWith(location.origin) && !/^(data|blob):/.test(name)),
]"""

SLIDER = """() => {
  const slider = [...document.querySelectorAll(".bnlab-slider")].find((e) => e.checkVisibility());
  slider?.focus({ focusVisible: true });
  return slider && [slider.getAttribute("aria-valuetext"), slider.value === slider.max];
}"""
VALUE = """() => document.activeElement.getAttribute("aria-valuetext")"""
LARGE = """() => document.querySelector(".bnlab").classList.contains("bnlab-large")
  && document.fullscreenElement === document.querySelector(".bnlab")"""


@dataclass
class Reader:
    """Somebody who reads the site in one of the browsers."""

    browser: Other
    address: str
    missing: list[str] = field(default_factory=list)

    def open(self, name: str) -> None:
        """A page, with all that is on it; it must be quiet."""
        self.browser.goto(f"{self.address}/{name}")
        self.browser.wait_for(READY)
        self.is_quiet()

    def is_quiet(self) -> None:
        """No error, no warning, no file that is not there, no request to another host."""
        assert self.browser.evaluate(TROUBLES) == []
        assert self.missing == []


@pytest.fixture(scope="module", params=BROWSERS)
def reader(request: pytest.FixtureRequest) -> Iterator[Reader]:
    start, lacks = BROWSERS[request.param]
    if lacks():
        sentence = f"{request.param} is not installed: 'apt install {lacks()}'"
        if os.environ.get("BNLAB_REQUIRE_BROWSER") == "1":
            pytest.fail(sentence, pytrace=False)
        pytest.skip(sentence)
    missing: list[str] = []
    with serve(SITE, script=LISTEN + WATCH, missing=missing) as address, start() as browser:
        yield Reader(browser, address, missing)


@pytest.mark.parametrize("name", [name for name in PAGES if name not in WIDGETS])
def test_a_page_is_quiet(reader: Reader, name: str):
    reader.open(name)


@pytest.mark.parametrize("name", WIDGETS)
def test_a_widget_trains_follows_keys_and_fills_the_screen(reader: Reader, name: str):
    reader.open(name)
    browser = reader.browser
    if browser.evaluate(SEEN, GUESS):
        browser.click_on(GUESS)
    browser.click_on(MAIN)
    browser.wait_for(ENDED)
    value, at_end = browser.evaluate(SLIDER) or (None, False)
    if value is not None:
        browser.press(KEYS["Left" if at_end else "Right"])
        browser.wait_for(f"(value) => ({VALUE})() !== value", value)
    browser.click_on(".bnlab-button", "Full screen")
    browser.wait_for(LARGE)
    browser.press(KEYS["Escape"])
    browser.wait_for(f"() => !({LARGE})() && document.fullscreenElement === null")
    reader.is_quiet()


def test_every_kind_of_net_trains_to_the_same_bits(reader: Reader, tmp_path):
    bits_cases.write(tmp_path)
    (tmp_path / "index.html").write_text("<!doctype html><title>bits</title>")
    with bits_cases.from_files(), serve(tmp_path) as address:
        reader.browser.goto(f"{address}/index.html")
        train = TRAIN_ALL.replace('import("./', f'import("{address}/')
        results = {}
        for name, some in bits_cases.tasks().items():  # one by one: a script has two minutes
            each = (reader.browser.evaluate(train, {name: [task]})[name] for task in some)
            results[name] = [result for (result,) in each]
        bits_cases.compared(results)
