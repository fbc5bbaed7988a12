"""Notes on exercises and guesses stay in the browser, are exported, and forgotten on request."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from bnlab.lab import Race
from tests.web.accessibility import violations
from tests.web.book_page import write_book
from tests.web.site_server import serve
from tests.web.widget_page import ASSETS, press, put

pytestmark = pytest.mark.web

EXERCISES = """<section id="exercises"><h2>Exercises</h2>
<p><strong>1. Predict.</strong> By which factors?</p><div class="cell"><pre>check(1)</pre></div>
<details><summary>Solution</summary><p>Ten.</p></details>
<p><strong>2. Code.</strong> Write it.</p><p>With care.</p>
<div class="cell"><pre>check(2)</pre></div>
<details><summary>Solution</summary><p>So.</p></details>
<p>More in the solutions.</p></section>"""
PLAIN = "<!DOCTYPE html><html lang=en><title>b</title><main class='bd-article'>{}</main>"
SCRIPT = '<script src="_static/kept_answers.js"></script>'
FULL = (
    """Storage.prototype.setItem = () => { throw new DOMException("", "QuotaExceededError"); };"""
)
FORBIDDEN = """Object.defineProperty(globalThis, "localStorage", {
  get() { throw new DOMException("", "SecurityError"); } });"""


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    """A chapter with a race and two exercises, and a page with nothing to keep."""
    folder = tmp_path_factory.mktemp("site")
    write_book(folder, Race(norms=("none", "batch"), depth=2, predict=True), "compiled/nets.js")
    put(folder, "kept_answers.js")
    page = (folder / "index.html").read_text(encoding="utf-8")
    page = page.replace("</head>", f"{SCRIPT}</head>").replace("</main>", f"{EXERCISES}</main>")
    (folder / "chapter.html").write_text(page, encoding="utf-8")
    (folder / "other.html").write_text(PLAIN.format("<p>Text.</p>") + SCRIPT, encoding="utf-8")
    return folder


@pytest.fixture
def chapter(page: Page, book):
    """The chapter from a server, and that it asked this server only and set no cookie."""
    with serve(book) as address:
        asked = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto(f"{address}/chapter.html")
        yield page
        assert [url for url in asked if not url.startswith((address, "blob:", "data:"))] == []
        assert page.context.cookies() == []


def note(page, number):
    return page.get_by_label(f"Your note on exercise {number}")


def line(page):
    return page.locator(".bnlab-keeping")


def exported(page):
    """What Export saves."""
    with page.expect_download() as download:
        press(page, "Export")
    assert download.value.suggested_filename == "normalization-lab-notes.md"
    return Path(download.value.path()).read_text(encoding="utf-8")


def test_each_numbered_exercise_has_a_field_before_its_solution(chapter):
    fields = chapter.locator(".bnlab-note-field")
    assert fields.count() == 2
    beside = "(all) => all.map((one) => [one.previousElementSibling, one.nextElementSibling])"
    around = fields.evaluate_all(f"(all) => ({beside})(all).flat().map((one) => one.tagName)")
    assert around == ["DIV", "DETAILS"] * 2
    expect(line(chapter)).to_contain_text("Your notes and guesses stay in this browser.")
    for name in ("Export", "Forget"):
        expect(chapter.get_by_role("button", name=name)).to_be_disabled()


def test_a_note_is_there_after_a_reload_and_can_be_taken_back(chapter):
    note(chapter, 1).fill("(1, 0.1), <b>I think</b>")
    note(chapter, 2).fill("a")
    expect(line(chapter)).to_contain_text("(2 notes)")
    chapter.reload()
    expect(note(chapter, 1)).to_have_value("(1, 0.1), <b>I think</b>")
    note(chapter, 2).fill("")
    expect(line(chapter)).to_contain_text("(1 note)")
    chapter.reload()
    expect(note(chapter, 2)).to_have_value("")


def test_a_guess_is_kept_with_the_setting_that_it_was_about(chapter):
    chapter.locator(".bnlab-guess").get_by_role("radio").nth(1).check(force=True)
    expect(line(chapter)).to_contain_text("(1 guess)")
    chapter.locator(".bnlab-guess").get_by_role("radio").first.check(force=True)
    expect(line(chapter)).to_contain_text("(1 guess)")  # the newest
    text = exported(chapter)
    assert re.search(r"\*\*Guess\*\* \(\d{4}-\d\d-\d\d, #race\?.*lr=.*\): .*\? .+", text)
    answer = chapter.locator(".bnlab-guess .bnlab-option").first.inner_text()
    assert text.strip().endswith(answer.strip())


def test_an_export_has_the_notes_of_all_pages_in_order(chapter):
    note(chapter, 2).fill("second\nof two lines")
    note(chapter, 1).fill("first")
    text = exported(chapter)
    assert re.sub(r"\d{4}-\d\d-\d\d", "DAY", text) == (
        "# The Normalization Lab: notes and guesses\n\n## chapter\n\n**Exercise 1** (DAY)\n\n"
        "first\n\n**Exercise 2** (DAY)\n\nsecond\nof two lines\n"
    )
    chapter.goto(chapter.url.replace("chapter", "other"))
    assert exported(chapter) == text


def test_a_page_with_nothing_to_keep_has_no_line(chapter):
    chapter.goto(chapter.url.replace("chapter", "other"))
    assert line(chapter).count() == 0


def test_forget_asks_once_more_and_takes_its_own_alone(chapter):
    chapter.evaluate("localStorage.setItem('mode', 'dark')")
    note(chapter, 1).fill("a note")
    press(chapter, "Forget")
    expect(note(chapter, 1)).to_have_value("a note")
    chapter.keyboard.press("Tab")  # to go on is to let it be
    press(chapter, "Forget")
    press(chapter, "Forget all of them, for ever")
    expect(line(chapter)).to_contain_text("Forgotten.")
    expect(note(chapter, 1)).to_have_value("")
    assert chapter.evaluate("Object.keys(localStorage)") == ["mode"]
    chapter.reload()
    expect(note(chapter, 1)).to_have_value("")


def test_another_tab_follows_and_loses_nothing(chapter):
    other = chapter.context.new_page()
    other.goto(chapter.url)
    note(other, 1).fill("from the other")
    note(chapter, 2).fill("from here")
    expect(note(chapter, 1)).to_have_value("from the other")
    expect(note(other, 2)).to_have_value("from here")
    expect(line(other)).to_contain_text("(2 notes)")


@pytest.mark.parametrize("script", [FULL, FORBIDDEN], ids=["full", "forbidden"])
def test_a_storage_that_refuses_is_said_and_nothing_is_lost(page: Page, book, script):
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.add_init_script(script)
    with serve(book) as address:
        page.goto(f"{address}/chapter.html")
        note(page, 1).fill("do not lose me")
        expect(page.locator(".bnlab-note-field").first).to_contain_text("full or forbidden")
        expect(note(page, 1)).to_have_value("do not lose me")
        page.locator(".bnlab-guess").get_by_role("radio").first.check(force=True)
        expect(line(page)).to_contain_text("(1 note, 1 guess)")
        expect(line(page).get_by_role("status")).to_contain_text("did not keep it")
        assert "do not lose me" in exported(page)
    assert errors == []


def test_damaged_entries_are_passed_over(chapter):
    chapter.evaluate("""() => {
      for (const [i, text] of ["{", "null", "3", '{"text": 1}'].entries())
        localStorage.setItem("bnlab-kept:chapter:note:" + (i + 1), text);
    }""")
    chapter.reload()
    expect(note(chapter, 1)).to_have_value("")
    note(chapter, 1).fill("anew")
    expect(line(chapter)).to_contain_text("(1 note)")


def test_from_a_disk(page: Page, book, troubles):
    page.goto(f"file://{book}/chapter.html")
    note(page, 1).fill("on a disk")
    page.reload()
    expect(note(page, 1)).to_have_value("on a disk")
    assert "on a disk" in exported(page)


def test_it_is_accessible(chapter):
    note(chapter, 1).fill("a")
    for part in (".bnlab-note-field", ".bnlab-keeping"):
        assert violations(chapter, part) == []


def test_the_script_has_no_way_out():
    text = (ASSETS / "kept_answers.js").read_text(encoding="utf-8")
    assert not re.search(r"cookie\s*=|fetch\(|XMLHttpRequest|sendBeacon|WebSocket|https?://", text)
