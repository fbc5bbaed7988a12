"""One widget alone in a frame of another page, and what "Share" gives to put it there."""

import html
import re

import pytest
from playwright.sync_api import Page, expect

from bnlab.lab import Family, Race
from tests.web.accessibility import violations
from tests.web.book_page import write_book
from tests.web.site_server import serve
from tests.web.widget_page import ASSETS, full_screen, press, settle

pytestmark = pytest.mark.web

LAB = ASSETS.parent / "src" / "bnlab" / "lab"

SLIDES = """<!DOCTYPE html><html lang="en"><head><title>Slides</title>
<link rel="icon" href="data:,"></head><body style="margin: 0"><h1>Slides</h1>
<button>Next</button>FRAME
<div style="height: 3000px"></div><script>
globalThis.messages = [];
addEventListener("message", (event) => messages.push(event.data));
globalThis.scrolled = 0;
addEventListener("scroll", () => { scrolled++; });
</script></body></html>
"""
SIZES = [(960, 600), (480, 360), (1200, 900)]


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    race = Race(norms=("none", "batch"), depth=2).with_scenes("learning_rates")
    return write_book(tmp_path_factory.mktemp("book"), race, "compiled/nets.js")


def slides(folder, address, size=SIZES[0], more=""):
    """A page with a frame; its file."""
    width, height = size
    source, style = html.escape(address), f'width="{width}" height="{height}" style="border: 0"'
    return with_frame(folder, f'<iframe src="{source}" {style} title="a race" {more}></iframe>')


def with_frame(folder, line):
    """Slides with this line in them; the file."""
    (folder / "slides.html").write_text(SLIDES.replace("FRAME", line), encoding="utf-8")
    return folder / "slides.html"


def framed(page):
    """The frame of the slides, when its widget is there."""
    frame = page.frame_locator("iframe")
    expect(frame.locator(".bnlab")).to_be_visible()
    return frame


def is_alone(frame, size):
    """The widget fills the frame, and nothing else of the book is seen."""
    box = frame.locator(".bnlab").evaluate(
        "(root) => { const { x, y, width, height } = root.getBoundingClientRect();"
        " return [x, y, width, height]; }"
    )
    assert box == [0, 0, *size]
    for part in ("h1", "nav a", "main p >> nth=0", 'a[href="#main"]'):
        expect(frame.locator(part)).to_be_hidden()
    sizes = "[document.documentElement.scrollWidth <= innerWidth, innerHeight]"
    assert frame.locator("body").evaluate(f"() => {sizes}") == [True, size[1]]


def trains(page, frame):
    """By the keyboard, when the reader has gone into the frame."""
    frame.locator(".bnlab-title").click()
    page.keyboard.press(" ")
    expect(frame.locator(".bnlab-summary")).to_contain_text("Finished")


def the_page_around_is_left_alone(page):
    assert page.evaluate("[messages.length, scrolled, location.hash, document.title]") == [
        *(0, 0, "", "Slides"),
    ]


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_from_another_origin(page: Page, book, tmp_path, size):
    asked = set()
    page.on("request", lambda request: asked.add(request.url.split("/")[2]))
    errors = []
    page.on("console", lambda m: m.type in ("error", "warning") and errors.append(m.text))
    with serve(book) as theirs, serve(tmp_path) as ours:
        slides(tmp_path, f"{theirs}/index.html?embed=race#race?lr=0.1&depth=2", size)
        page.goto(f"{ours}/slides.html")
        frame = framed(page)
        is_alone(frame, size)
        assert page.evaluate("document.activeElement === document.body")  # no focus is taken
        expect(frame.locator(".bnlab-summary")).to_contain_text("Finished")  # the link trains
        the_page_around_is_left_alone(page)
        hosts = {address.split("/")[2] for address in (theirs, ours)}
    assert {host for host in asked if not host.startswith("127.0.0.1") or host not in hosts} <= {""}
    assert errors == []


def test_from_a_disk(page: Page, book, tmp_path, troubles):
    path = slides(tmp_path, f"file://{book}/index.html?embed=race#race?scene=1")
    page.goto(f"file://{path}")
    frame = framed(page)
    is_alone(frame, SIZES[0])
    expect(frame.locator(".bnlab-scene-words")).to_contain_text("0.01")
    the_page_around_is_left_alone(page)


def test_in_a_sandbox_that_allows_scripts_alone(page: Page, book, tmp_path):
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    with serve(book) as theirs, serve(tmp_path) as ours:
        slides(
            tmp_path, f"{theirs}/index.html?embed=race#race?depth=2", more='sandbox="allow-scripts"'
        )
        page.goto(f"{ours}/slides.html")
        frame = framed(page)
        is_alone(frame, SIZES[0])
        trains(page, frame)
        expect(frame.get_by_role("button", name="Full screen")).to_be_hidden()
        the_page_around_is_left_alone(page)
    assert errors == []


def test_a_presenter_s_keys_work_inside_the_frame(page: Page, book, tmp_path, troubles):
    path = slides(tmp_path, f"file://{book}/index.html?embed=race")
    page.goto(f"file://{path}")
    frame = framed(page)
    frame.locator(".bnlab-title").click()
    words = frame.locator(".bnlab-scene-words")
    for key, text in (("PageDown", "0.01"), ("PageDown", "0.3"), ("PageUp", "0.01")):
        page.keyboard.press(key)
        expect(words).to_contain_text(text)
    for _ in range(2):  # the key c brings the controls, and folds them
        before = frame.locator(".bnlab-controls").is_visible()
        page.keyboard.press("c")
        expect(frame.locator(".bnlab-controls")).to_be_visible(visible=not before)
    page.keyboard.press("Escape")
    is_alone(frame, SIZES[0])
    assert page.evaluate("scrolled") == 0


@pytest.mark.parametrize("name", ["rase", "", "race-2"])
def test_a_name_that_is_not_there_shows_the_page(page: Page, book, troubles, name):
    page.goto(f"file://{book}/index.html?embed={name}")
    expect(page.locator(".bnlab")).to_be_visible()
    expect(page.locator("h1")).to_be_visible()
    assert not page.locator(".bnlab").evaluate("(root) => root.matches('.bnlab-large')")


# ---- Share ---------------------------------------------------------------------------------------


def opened(page, book, query="#race?lr=0.1&depth=3"):
    page.goto(f"file://{book}/index.html{query}")
    expect(page.locator(".bnlab")).to_be_visible()
    press(page, "Share")
    expect(page.locator(".bnlab-qr svg")).to_be_visible()
    return page


def test_share_gives_a_frame_that_shows_the_same_state(page: Page, book, tmp_path, troubles):
    opened(page, book)
    line = page.get_by_label("line for slides or a page").input_value()
    assert line.startswith("<iframe ") and "&amp;" in line and line.endswith("></iframe>")
    page.goto(f"file://{with_frame(tmp_path, line)}")
    frame = framed(page)
    is_alone(frame, (960, 600))
    assert frame.locator(".bnlab").evaluate("() => location.hash").startswith("#race?lr=0.1&")
    assert page.locator("iframe").get_attribute("title") == "Race: which one learns?"


@pytest.mark.parametrize("depth", [1, 12])
def test_the_qr_code_is_of_the_link(page: Page, book, troubles, depth):
    opened(page, book, f"?embed=race#race?depth={depth}")
    code = page.get_by_role("img", name="QR code of the link")
    link = code.get_attribute("data-text")
    assert "embed" not in link and re.search(rf"#race\?.*depth={depth}&", link)
    side = int(code.get_attribute("viewBox").split()[2]) - 8
    assert (side - 21) % 4 == 0 and side > 21
    path = code.locator("path").get_attribute("d")
    for x, y in ((0, 0), (side - 7, 0), (0, side - 7)):  # the three corners that a camera seeks
        assert f"{x} {y}" in path
    assert code.bounding_box()["width"] > 150


def test_copies_and_says_so_or_shows_what_to_copy(page: Page, book, context, troubles):
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    opened(page, book)
    press(page, "Copy iframe")
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    page.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject(); }")
    press(page, "Copied")
    field = page.get_by_label("line for slides or a page")
    expect(field).to_be_focused()
    chosen = field.evaluate("(input) => input.selectionEnd - input.selectionStart")
    assert chosen == len(field.input_value()) > 100


def test_the_menu_closes_and_gives_the_focus_back(page: Page, book, troubles):
    opened(page, book)
    share = page.get_by_role("button", name="Share")
    assert share.get_attribute("aria-expanded") == "true"
    page.get_by_label("line for slides or a page").focus()
    page.keyboard.press("Escape")
    expect(page.locator(".bnlab-share-panel")).to_be_hidden()
    expect(share).to_be_focused()
    press(page, "Share")
    page.locator(".bnlab-title").click()
    expect(page.locator(".bnlab-share-panel")).to_be_hidden()
    assert share.get_attribute("aria-expanded") == "false"


@pytest.mark.parametrize("where", ["page", "full screen", "embedded"])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_with_the_menu_open(page: Page, book, where, theme):
    page.emulate_media(color_scheme=theme, reduced_motion="reduce")
    page.set_viewport_size({"width": 1280, "height": 800})
    page.goto(f"file://{book}/index.html{'?embed=race' if where == 'embedded' else ''}")
    expect(page.locator(".bnlab")).to_be_visible()
    page.evaluate("(theme) => { document.documentElement.dataset.theme = theme; }", theme)
    if where == "full screen":
        full_screen(page)
        page.keyboard.press("c")
    press(page, "Share")
    expect(page.locator(".bnlab-qr svg")).to_be_visible()
    settle(page)
    assert violations(page, ".bnlab") == []
    panel, window = page.locator(".bnlab-share-panel").bounding_box(), page.viewport_size
    assert panel["x"] >= 0 and panel["x"] + panel["width"] <= window["width"]
    assert panel["y"] + panel["height"] <= window["height"] or where == "page"


def test_on_a_phone_the_menu_fits(page: Page, book, troubles):
    page.set_viewport_size({"width": 360, "height": 740})
    opened(page, book, "")
    panel = page.locator(".bnlab-share-panel").bounding_box()
    assert panel["x"] >= 0 and panel["x"] + panel["width"] <= 360


def test_a_code_that_cannot_be_loaded_is_said(page: Page, tmp_path):
    write_book(tmp_path, Family())
    (tmp_path / "_static" / "vendor" / "qr" / "lean-qr.js").unlink()
    page.goto(f"file://{tmp_path}/index.html")
    press(page, "Share")
    expect(page.locator(".bnlab-qr")).to_contain_text("could not be loaded")


def test_a_widget_never_speaks_to_the_page_around_it():
    speaks = re.compile(r"\b(?:window|globalThis|self)\.(?:parent|top|opener)\b|\bparent\.post")
    paths = [*LAB.rglob("*.js"), ASSETS / "site.js", ASSETS / "anywidget-host.js"]
    assert len(paths) > 50
    assert [path.name for path in paths if speaks.search(path.read_text(encoding="utf-8"))] == []
