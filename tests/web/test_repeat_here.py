"""Below a verdict box the verdict can be repeated: the widget comes when it is asked for."""

import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import expect

from bnlab import chapters, show
from tests.web.accessibility import violations
from tests.web.book_page import PAGE, TEXT
from tests.web.site_server import SITE, serve
from tests.web.widget_page import put, settle
from tools import repeat_states

pytestmark = pytest.mark.web

NAME = "T4"
OF_THE_SITE = ("site.css", "site.js", "anywidget-host.js", "repeat_here.js")
TOOL = Path(repeat_states.__file__).with_name("repeat_on_site.py")
FOLD = ".bnlab-repeat-here"
HOST = '<script src="_static/anywidget-host.js"></script>'
LOADED = """() => document.querySelectorAll('script[src*="/repeat/"]').length"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A page with two boxes, one of which has a verdict that cannot be repeated."""
    found = tmp_path_factory.mktemp("book")
    for name in (*OF_THE_SITE, "compiled/clinic.js"):
        put(found, name)
    target = found / repeat_states.FOLDER
    target.mkdir(parents=True)
    shared = {"_esm": repeat_states.Repeat._esm, "_css": repeat_states.Repeat._css}
    for name, content in (
        (repeat_states.SHARED, shared),
        (NAME, repeat_states.state_of(NAME)),
    ):
        (target / f"{name}.js").write_text(repeat_states.script(name, content), encoding="utf-8")
    boxes = [show.verdict_box(name).page for name in ("B3", NAME)]
    boxes[-1] = f"<details open><summary>Show</summary>{boxes[-1]}</details>"  # as hidden outputs
    page = PAGE.format(text=TEXT + TEXT.join(boxes), views="", state='{"state": {}}')
    page = page.replace(HOST, f'{HOST}<script src="_static/repeat_here.js"></script>')
    (found / "index.html").write_text(page, encoding="utf-8")
    return found


def open_page(page, folder, hash=""):
    page.goto(f"{(folder / 'index.html').as_uri()}{hash}")


def test_the_widget_comes_when_it_is_opened_and_not_before(page, folder, troubles):
    open_page(page, folder)
    fold = page.locator(FOLD)
    expect(fold).to_have_count(1)  # B3 was not trained by the engine that a page has
    assert page.evaluate(LOADED) == 0
    fold.locator("summary").click()
    settle(page)
    expect(page.get_by_role("button", name="Repeat", exact=True)).to_be_visible()
    expect(page.locator(".bnlab-headline")).to_contain_text(f"The evidence says of {NAME}")
    assert page.evaluate(LOADED) == 2


def test_everybody_can_open_it(page, folder):
    with serve(folder) as address:  # the style is read, which a page on a disk may not
        page.goto(f"{address}/index.html")
        page.locator(f"{FOLD} > summary").press("Enter")
        settle(page)
        expect(page.get_by_role("button", name="Repeat", exact=True)).to_be_visible()
        assert violations(page) == []


def test_opened_again_it_is_the_same_widget(page, folder, troubles):
    open_page(page, folder)
    summary = page.locator(f"{FOLD} > summary")
    summary.click()
    settle(page)
    page.get_by_label("margin").first.fill("0.5")
    for _ in range(2):
        summary.click()
    expect(page.locator(".bnlab")).to_have_count(1)
    expect(page.get_by_label("margin").first).to_have_value("0.5")


def test_a_link_opens_it_with_its_seeds(page, folder, troubles):
    text = (folder / "index.html").read_text("utf-8")
    (folder / "folded.html").write_text(text.replace("<details open>", "<details>"), "utf-8")
    page.goto(f"{(folder / 'folded.html').as_uri()}#repeat-t4?seeds=7000")
    settle(page)
    expect(page.locator(".bnlab-headline")).to_be_in_viewport()
    expect(page.get_by_label("first fresh seed")).to_have_value("7000")


def test_a_file_that_is_not_there_is_told_and_asked_for_again(page, folder):
    missing = folder / repeat_states.FOLDER / f"{NAME}.js"
    away = missing.rename(missing.with_suffix(".away"))
    try:
        open_page(page, folder)
        page.locator(f"{FOLD} > summary").click()
        expect(page.locator(f"{FOLD} .bnlab-repeat-place")).to_contain_text("open it again")
    finally:
        away.rename(missing)
    for _ in range(2):
        page.locator(f"{FOLD} > summary").click()
    settle(page)
    expect(page.locator(".bnlab-headline")).to_contain_text(NAME)


def test_without_scripts_it_says_what_to_do_in_a_notebook():
    box = show.verdict_box(NAME).page
    assert f'Repeat("{NAME}")' in box
    assert "bnlab-repeat-here" not in show.verdict_box("B3").page


@pytest.mark.parametrize("name", chapters.repeats())
def test_the_site_has_it_below_the_box(name):
    text = (SITE / "book").glob("*.html")
    fold = f'<details id="repeat-{name.lower()}" class="bnlab-repeat-here"'
    assert sum(fold in path.read_text("utf-8") for path in text) == 1
    assert (SITE / repeat_states.FOLDER / f"{name}.js").is_file()


def run_tool(*names):
    return subprocess.run(
        [sys.executable, TOOL, *names], capture_output=True, text=True, timeout=600, check=False
    )


def test_the_tool_repeats_a_whole_verdict_in_the_site():
    done = run_tool("T3")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "to the last bit. The verdict on T3: " in done.stdout


def test_the_tool_names_what_it_knows():
    done = run_tool("B3")
    assert done.returncode == 1
    assert done.stderr.startswith("B3 is repeated on no page of the site. Known: B1, L3, ")
