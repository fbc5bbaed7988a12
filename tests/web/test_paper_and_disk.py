"""Pages where they are read without a server or on paper, and the search there."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page

from tests.web.read_page import Watch, settle
from tests.web.site_server import SITE

pytestmark = pytest.mark.web

PRINTED = ["03_learning_rates", "13_scoreboard", "solutions/02_signals"]

# The sum of red, green and blue: how light the text and the ground of something are.
INKS = """() => [
  [".bd-article p", "color"], [".bd-article h1", "color"], ["body", "backgroundColor"],
  [".bd-article .cell_output svg text", "fill"], [".bnlab-title", "color"],
  [".highlight", "backgroundColor"],
].map(([selector, property]) => {
  const one = document.querySelector(selector);
  if (!one) return null;
  const color = getComputedStyle(one)[property];
  const [red, green, blue, alpha = 1] = color.match(/[\\d.]+/g).map(Number);
  return alpha === 0 ? 765 : red + green + blue;
})"""


def is_on_white(inks: list[float | None]) -> bool:
    """Whether text is dark and what it stands on is light."""
    paragraph, heading, page, figure, title, code = inks
    dark = [ink for ink in (paragraph, heading, figure, title) if ink is not None]
    return max(dark) < 300 and min(page, 700 if code is None else code) > 650


@pytest.fixture(scope="module", params=["light", "dark"])
def themed(request: pytest.FixtureRequest, browser: Browser):
    context = browser.new_context(color_scheme=request.param)
    yield context.new_page(), request.param
    context.close()


@pytest.mark.parametrize("name", PRINTED)
def test_a_printed_page_is_light_and_the_screen_is_as_before(themed, address: str, name: str):
    page, theme = themed
    page.goto(f"{address}/book/{name}.html")
    settle(page)
    assert is_on_white(page.evaluate(INKS)) == (theme == "light")
    page.evaluate("addEventListener('beforeprint', () => { globalThis.printed = inks(); })")
    page.evaluate(f"globalThis.inks = {INKS}")
    page.pdf()
    assert is_on_white(page.evaluate("printed"))
    assert page.evaluate("document.documentElement.dataset.theme") == theme
    page.emulate_media(media="print")  # the other way to hear of it
    page.wait_for_function("document.documentElement.dataset.theme === 'light'")
    assert is_on_white(page.evaluate(INKS))
    page.emulate_media(media="screen")
    page.wait_for_function("theme => document.documentElement.dataset.theme === theme", arg=theme)
    assert is_on_white(page.evaluate(INKS)) == (theme == "light")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_theme_is_there_before_the_page_is_seen(browser: Browser, address: str, theme: str):
    context = browser.new_context(color_scheme=theme)
    page = context.new_page()
    page.add_init_script(
        """addEventListener("DOMContentLoaded", () => {
          globalThis.first = document.documentElement.dataset.theme; }, { once: true });
        new MutationObserver((_, watch) => {
          if (!document.body) return;
          globalThis.atBody = document.documentElement.dataset.theme;
          watch.disconnect();
        }).observe(document, { childList: true, subtree: true });"""
    )
    page.goto(f"{address}/book/glossary.html")
    assert page.evaluate("[atBody, first]") == [theme, theme]
    context.close()


@pytest.mark.parametrize("query", ["batch norm", "scoreboard"])
def test_a_search_on_disk_finds_pages_without_an_error(page: Page, query: str):
    watch = Watch(page, "file://")
    page.goto(f"{(SITE / 'search.html').as_uri()}?q={query.replace(' ', '+')}")
    page.locator("#search-results li a").first.wait_for()
    page.wait_for_timeout(300)
    assert [wrong for wrong in watch.wrong if "font" not in wrong.lower()] == []


def test_a_search_over_http_shows_where_the_words_stand(page: Page, address: str):
    watch = Watch(page, address)
    page.goto(f"{address}/search.html?q=batch+norm")
    page.locator("#search-results .context").first.wait_for()
    assert watch.wrong == []


def test_the_magnifier_leaves_the_query_free(page: Page, address: str):
    page.goto(f"{address}/search.html?q=batch+norm")
    free = page.locator("form.bd-search:visible").evaluate_all(
        """(forms) => forms.map((form) => {
          const input = form.querySelector("input"), box = input.getBoundingClientRect();
          const text = box.left + parseFloat(getComputedStyle(input).paddingLeft);
          return text - form.querySelector("i").getBoundingClientRect().right;
        })"""
    )
    assert free and min(free) > 0
