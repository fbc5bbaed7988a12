"""The built site in a browser: over HTTP and as files, light and dark, wide and phone."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.web.accessibility import violations
from tests.web.any_widget import PAGES
from tests.web.pace import within
from tests.web.read_page import SHIFTS, Read, Watch, read, settle, shifted, stands_still
from tests.web.site_server import SITE
from tests.web.widget_page import finished, shown

CHAPTERS = [page for page in PAGES if re.search(r"book/\d\d_", page)]
WITHOUT_CLAIMS = ("book/01_the_family.html", "book/13_scoreboard.html")  # no boxes of claims
RACE = "book/03_learning_rates.html"
PHONE = {"width": 390, "height": 844}
NARROW = {"width": 360, "height": 780}
pytestmark = pytest.mark.web
chapters = pytest.mark.parametrize("light", CHAPTERS, indirect=True)


@pytest.fixture(scope="module", params=PAGES)
def light(request: pytest.FixtureRequest, browser: Browser, address: str) -> Iterator[Read]:
    """Each page once, in a wide window. Its tests follow each other."""
    with read(browser, address, request.param, "light") as found:
        yield found


@pytest.fixture(scope="module", params=PAGES)
def dark(request: pytest.FixtureRequest, browser: Browser, address: str) -> Iterator[Read]:
    """Each page once in the dark."""
    with read(browser, address, request.param, "dark") as found:
        yield found


def test_all_pages_are_there():
    assert len(PAGES) > 6
    assert CHAPTERS


def test_a_page_asks_nobody_else_and_reports_no_error(light: Read):
    light.page.mouse.wheel(0, 20_000)
    light.page.wait_for_timeout(200)
    assert light.watch.wrong == []


@pytest.mark.parametrize("name", CHAPTERS)
def test_a_chapter_works_from_a_file(page: Page, name: str):
    watch = Watch(page, "file://")
    page.goto((SITE / name).as_uri())
    settle(page)
    if name == RACE:
        page.get_by_role("button", name="Train").first.click()
        finished(page)
    icons_need_http = [w for w in watch.wrong if "font" not in w.lower()]
    assert icons_need_http == []


def test_a_page_stands_still_while_it_loads(light: Read):
    assert stands_still(light.shifts), light.shifts


@pytest.mark.parametrize("name", PAGES)
def test_on_a_phone_a_page_stands_still_and_is_not_wider(page: Page, address: str, name: str):
    page.set_viewport_size(PHONE)
    page.add_init_script(SHIFTS)
    page.goto(f"{address}/{name}")
    settle(page)
    shifts = shifted(page)
    assert stands_still(shifts), shifts
    page.set_viewport_size(NARROW)
    assert page.evaluate("document.scrollingElement.scrollWidth") <= NARROW["width"]


def test_a_shift_is_seen(page: Page):
    page.add_init_script(SHIFTS)
    page.goto(f"data:text/html,{'<p>one<p>two' * 9}")
    assert stands_still(shifted(page))
    page.wait_for_timeout(100)
    page.evaluate("document.body.style.paddingTop = '300px'")
    assert not stands_still(shifted(page))


def test_only_pages_with_formulas_load_mathjax(light: Read):
    formulas = light.page.locator("mjx-container").count()
    loaded = light.page.evaluate("globalThis.MathJax?.startup !== undefined")
    assert loaded == (formulas > 0)


def test_pictures_have_sentences(light: Read):
    texts = light.page.eval_on_selector_all(
        ".bd-article img, .bd-article [role=img]",
        "all => all.map(e => e.getAttribute('alt') ?? e.getAttribute('aria-label') ?? '')",
    )
    for text in texts:
        assert len(text.split()) >= 4 and "_images" not in text, text
        assert not re.search(r"\bNaN\b|\bnan\b|undefined", text)
    if light.name in CHAPTERS and light.name not in WITHOUT_CLAIMS:
        assert len(texts) >= 3


def test_axe_finds_no_violation(light: Read):
    light.page.evaluate("scrollTo(0, 0)")
    assert violations(light.page, least="minor") == []


def test_axe_finds_no_violation_in_the_dark(dark: Read):
    assert dark.page.evaluate("document.documentElement.dataset.theme") == "dark"
    assert dark.watch.wrong == []
    assert violations(dark.page, least="minor") == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_figures_follow_the_theme(browser: Browser, address: str, scheme: str):
    context = browser.new_context(color_scheme=scheme)
    page = context.new_page()
    page.goto(f"{address}/{RACE}")
    settle(page)
    ink, paper = page.evaluate(
        """() => {
          const text = document.querySelector(".bnlab-figure svg text");
          const fill = getComputedStyle(text).fill.match(/\\d+/g).map(Number);
          const back = getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number);
          return [fill[0] + fill[1] + fill[2], back[0] + back[1] + back[2]];
        }"""
    )
    context.close()
    assert (ink < 250 and paper > 500) if scheme == "light" else (ink > 500 and paper < 250)


def test_every_link_inside_the_site_leads_somewhere(light: Read, address: str):
    links = light.page.eval_on_selector_all("a[href]", "all => all.map(a => a.href)")
    for link in {one for one in links if one.startswith(address)}:
        path, _, anchor = link.removeprefix(f"{address}/").partition("#")
        target = SITE / path.partition("?")[0]
        assert target.is_file() or (target / "index.html").is_file(), link
        if anchor and target.suffix == ".html" and "?" not in anchor:
            assert f'id="{anchor}"' in target.read_text(encoding="utf-8"), link


@chapters
def test_the_colab_button_opens_a_notebook(light: Read):
    link = light.page.locator('a[href*="colab.research.google.com"]').first.get_attribute("href")
    assert link.endswith(f"/blob/main/{light.name.replace('.html', '.ipynb')}")
    assert (SITE.parents[1] / light.name.replace(".html", ".ipynb")).is_file()


@chapters
def test_install_cells_are_hidden_and_sentences_are_not(light: Read):
    text = light.page.locator(".bd-article").inner_text()
    assert "%pip" not in text and "show.say(" not in text
    if light.name not in WITHOUT_CLAIMS:
        assert light.page.locator(".bnlab-say").count() >= 2
        assert light.page.locator(".bnlab-box").count() >= 4


# ---- the race on its page ------------------------------------------------------------------------


@pytest.fixture
def chapter(page: Page, address: str):
    """Opens chapter 03 with a state in its address."""

    def open_page(state: str = "") -> Page:
        page.goto("about:blank")
        page.goto(f"{address}/{RACE}{state}")
        settle(page)
        return page

    return open_page


def test_the_race_runs_by_keyboard_and_says_what_computes(chapter):
    page = chapter()
    expect(page.get_by_text("in this page, same bits as the evidence")).to_be_visible()
    page.get_by_role("button", name="Train").focus()
    page.keyboard.press("Enter")
    finished(page)
    assert shown(page) == {"lr=0.3&batch_size=64&depth=12&seed=100&norms=none,batch"}
    page.get_by_role("slider", name="learning rate").focus()
    for _ in range(20):
        page.keyboard.press("ArrowRight")
    expect(page.locator(".bnlab-summary")).to_contain_text("diverged at step")
    assert page.get_by_role("slider", name="learning rate").get_attribute("aria-valuetext") == "10"


def test_the_race_is_restored_from_its_address(chapter):
    state = "lr=0.01&batch_size=256&depth=2&seed=102&norms=none,layer,group"
    page = chapter(f"#race?{state}&predict=0")
    finished(page)
    assert shown(page) == {state}
    expect(page.get_by_role("slider", name="learning rate")).to_be_in_viewport()


def test_a_thousand_fast_changes_end_with_the_last(chapter):
    page = chapter("#race?lr=0.3&batch_size=64&depth=6&seed=100&norms=none,batch")
    expect(page.locator(".bnlab-plot path.bnlab-curve").first).to_be_attached()
    last = page.evaluate(
        """async () => {
          const slider = document.querySelector(".bnlab-plot").getRootNode()
            .querySelector('input[type="range"]');
          for (let i = 0; i < 1000; i++) {
            slider.value = (i * 7) % 15;
            slider.dispatchEvent(new Event("input", { bubbles: true }));
            if (i % 50 === 0) await new Promise(requestAnimationFrame);
          }
          return slider.getAttribute("aria-valuetext");
        }"""
    )
    finished(page)
    wanted = f"lr={last}&batch_size=64&depth=6&seed=100&norms=none,batch"
    assert shown(page) == {wanted}
    drawn = page.locator(".bnlab-curve").evaluate_all("all => all.map(c => c.getAttribute('d'))")
    again = chapter(f"#race?{wanted}")
    finished(again)
    assert drawn == again.locator(".bnlab-curve").evaluate_all(
        "all => all.map(c => c.getAttribute('d'))"
    )


def test_the_first_point_follows_a_change_within_a_tenth_of_a_second(chapter):
    page = chapter("#race?lr=0.1&batch_size=64&depth=6&seed=100&norms=none,batch")
    finished(page)
    change = """async () => {
      const slider = document.querySelector('input[type="range"]');
      const plot = document.querySelector(".bnlab-plot");
      const before = plot.dataset.shown, start = performance.now();
      slider.value = (Number(slider.value) + 1) % 9;
      slider.dispatchEvent(new Event("input", { bubbles: true }));
      while (plot.dataset.shown === before || !plot.querySelector(".bnlab-curve")) {
        await new Promise(requestAnimationFrame);
      }
      return performance.now() - start;
    }"""
    for _ in range(3):
        within(page, 100, lambda: page.evaluate(change))
