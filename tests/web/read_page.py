"""A page of the site as one reads it: what goes wrong there, and how much of it moves."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

from playwright.sync_api import Browser, Page, expect

from tests.web.any_widget import VIEW

WIDE = {"width": 1280, "height": 800}
SHIFT_LIMIT = 0.05

SHIFTS = """globalThis.shifts = [];
new PerformanceObserver((list) => {
  for (const { value, hadRecentInput, startTime, sources } of list.getEntries()) {
    const parts = sources.map(({ node }) => node?.localName ?? node?.textContent?.slice(0, 30));
    if (!hadRecentInput) shifts.push([value, Math.round(startTime), parts]);
  }
}).observe({ type: "layout-shift", buffered: true });"""


def shifted(page: Page) -> list[tuple[float, int, list[str]]]:
    """How far parts of the page have moved since it was first seen: by how much, when, what."""
    page.evaluate("() => new Promise((f) => requestAnimationFrame(() => setTimeout(f, 50)))")
    return page.evaluate("shifts")


def stands_still(shifts: list[tuple[float, int, list[str]]]) -> bool:
    """The sum of all shifts; what browsers report, a part of it, is not larger."""
    return sum(value for value, *_ in shifts) < SHIFT_LIMIT


class Watch:
    """All that goes wrong on a page: requests to others, errors, files that are not there."""

    def __init__(self, page: Page, home: str) -> None:
        self.wrong: list[str] = []
        page.on("request", lambda r: self._request(r.url, home))
        page.on("response", lambda r: r.status >= 400 and self.wrong.append(f"{r.status} {r.url}"))
        page.on("requestfailed", lambda r: self.wrong.append(f"failed {r.url}"))
        page.on("pageerror", lambda e: self.wrong.append(f"page error {e}"))
        page.on("console", self._console)

    def _request(self, url: str, home: str) -> None:
        if not url.startswith((home, "data:", "blob:")):
            self.wrong.append(f"outside request {url}")

    def _console(self, message: object) -> None:
        if message.type in ("error", "warning"):
            self.wrong.append(f"console {message.text}")


@dataclass
class Read:
    """A page that some tests look at, and what has gone wrong there."""

    name: str
    page: Page
    watch: Watch
    shifts: list


@contextlib.contextmanager
def read(browser: Browser, address: str, name: str, scheme: str) -> Iterator[Read]:
    """A page in a browser window of its own."""
    context = browser.new_context(color_scheme=scheme, viewport=WIDE)
    page = context.new_page()
    watch = Watch(page, address)
    page.add_init_script(SHIFTS)
    page.goto(f"{address}/{name}")
    settle(page)
    yield Read(name, page, watch, shifted(page))
    context.close()


def settle(page: Page) -> None:
    """Wait until formulas are set and widgets drawn."""
    page.wait_for_load_state("load")
    page.wait_for_function("!window.MathJax?.startup || MathJax.startup.promise.then(() => true)")
    views = page.locator(VIEW).count()
    if views:
        expect(page.locator("section.bnlab")).to_have_count(views)
