"""What every widget does in full screen: a stage that is legible from the last row."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.web.accessibility import violations
from tests.web.stage_page import (
    NAMES,
    SLIDES,
    UNASKED,
    at_rest,
    faults_of_stage,
    open_in_site,
    play,
    resize,
    write_all,
)
from tests.web.widget_page import full_screen, note, press, settle

pytestmark = pytest.mark.web


@pytest.fixture(scope="session")
def folders(tmp_path_factory):
    return write_all(tmp_path_factory.mktemp("stage"))


CROWDED = pytest.mark.xfail(
    reason="its numbers have 23 px: two blocks of twelve columns", strict=True
)
SEEN = [pytest.param(name, marks=[CROWDED] * (name == "Family")) for name in NAMES]

# ---- seen from the last row ----------------------------------------------------------------------


@pytest.mark.parametrize("name", SEEN)
def test_all_is_seen_and_legible_from_the_last_row(page: Page, folders, troubles, name):
    """Nothing is cut or below the fold, and no letter is small."""
    page.add_init_script(
        "globalThis.faults = []; addEventListener('error', (e) => faults.push(e.message))"
    )
    resize(page, *SLIDES[0])
    open_in_site(page, folders[name])
    play(page)
    full_screen(page)
    found = []
    for width, height in SLIDES:
        resize(page, width, height)
        found += [f"{width}: {fault}" for fault in faults_of_stage(page, width, height)]
    assert found == []
    assert page.evaluate("faults") == []  # such as a loop of sizes


@pytest.mark.parametrize("name", NAMES)
def test_the_result_is_said_in_one_bold_sentence(page: Page, folders, troubles, name):
    open_in_site(page, folders[name])
    play(page)
    said = page.locator(".bnlab-headline").inner_text().strip()
    assert said and len(said) <= 110
    size, weight, body = page.locator(".bnlab-headline").evaluate(
        "e => [getComputedStyle(e).fontSize, getComputedStyle(e).fontWeight,"
        " getComputedStyle(e.closest('.bnlab')).fontSize]"
    )
    assert float(size[:-2]) > float(body[:-2]) and int(weight) >= 600


@pytest.mark.parametrize("name", NAMES)
def test_a_sentence_of_a_widget_is_as_wide_as_the_widget(page: Page, folders, troubles, name):
    """The site's lines of prose have a width; a stage has another one."""
    resize(page, 1920, 1080)
    open_in_site(page, folders[name])
    full_screen(page)
    page.keyboard.press("c")
    narrow = page.locator(".bnlab :is(p, figcaption, ul)").evaluate_all(
        "all => all.filter((e) => getComputedStyle(e).maxWidth !== 'none').map((e) => e.className)"
    )
    assert narrow == []


# ---- controls ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_the_controls_fold_away_and_come_back(page: Page, folders, troubles, name):
    """By the key and by the button; the focus is where keys are heard, and never lost."""
    resize(page, *SLIDES[0])
    open_in_site(page, folders[name])
    controls, root = page.locator(".bnlab-controls"), page.locator(".bnlab")
    full_screen(page)
    expect(root).to_be_focused()
    expect(controls).to_be_hidden()
    page.keyboard.press("c")
    expect(controls).to_be_visible()
    controls.locator(":is(input, select):visible").last.focus()
    assert within_view(page, ".bnlab-body")
    page.keyboard.press("c")
    expect(controls).to_be_hidden()
    expect(root).to_be_focused()
    press(page, "Controls")
    expect(controls).to_be_visible()
    press(page, "Controls")
    expect(controls).to_be_hidden()
    assert page.evaluate("document.querySelector('.bnlab').contains(document.activeElement)")
    page.keyboard.press("Escape")
    expect(root).not_to_have_class(re.compile("bnlab-large|bnlab-folded"))
    expect(controls).to_be_visible()
    expect(page.get_by_role("button", name="Full screen", exact=True)).to_be_focused()


def within_view(page: Page, selector: str) -> bool:
    return page.locator(selector).evaluate("""(e) => {
      const { left, top, right, bottom } = e.getBoundingClientRect();
      return left >= 0 && top >= 0 && right <= innerWidth + 1 && bottom <= innerHeight + 1;
    }""")


@pytest.mark.parametrize("name", NAMES)
def test_no_rule_of_accessibility_is_broken_on_the_stage(page: Page, folders, troubles, name):
    """Controls folded or not, with a question or with a result."""
    resize(page, *SLIDES[0])
    open_in_site(page, folders[name])
    predict = page.get_by_role("checkbox", name="Predict first")
    if predict.count():
        predict.check()
    full_screen(page)
    broken = violations(page, ".bnlab")
    if predict.count():
        page.locator(".bnlab-hands").first.fill("3")
        press(page, "Reveal")
        at_rest(page)
    for _ in range(2):
        broken += violations(page, ".bnlab")
        page.keyboard.press("c")
        settle(page)
    assert broken == []


# ---- guesses -------------------------------------------------------------------------------------

ASKING = [name for name in NAMES if name not in UNASKED]


@pytest.mark.parametrize("name", ASKING)
def test_reveal_says_that_a_guess_comes_first(page: Page, folders, troubles, name):
    open_in_site(page, folders[name])
    page.get_by_role("checkbox", name="Predict first").check()
    reveal = page.get_by_role("button", name="Reveal", exact=True)
    for act in (lambda: reveal.click(force=True), lambda: reveal.press("Enter")):
        act()
        expect(note(page)).to_have_text("Guess first, then press Reveal.")
        page.locator(".bnlab-guess input[type=radio]").first.check(force=True)
        expect(note(page)).to_have_text("")
        page.get_by_role("checkbox", name="Predict first").uncheck()
        at_rest(page)
        page.get_by_role("checkbox", name="Predict first").check()
        settle(page)


@pytest.mark.parametrize("name", ASKING)
def test_the_hands_of_a_room_are_kept_until_the_reveal_and_told_beside_the_outcome(
    page: Page, folders, troubles, name
):
    open_in_site(page, folders[name])
    predict = page.get_by_role("checkbox", name="Predict first")
    predict.check()
    full_screen(page)
    hands, options = page.locator(".bnlab-hands"), page.locator(".bnlab-guess input[type=radio]")
    for i, count in enumerate((2, 17)):
        hands.nth(i).fill(str(count))
        expect(options.nth(i)).to_be_checked()
    hands.nth(0).press("ArrowUp")
    expect(options.nth(1)).to_be_checked()
    told = page.locator(".bnlab-told")
    expect(told).to_be_hidden()
    press(page, "Reveal")
    at_rest(page)
    expect(told).to_be_visible()
    numbers = told.locator("b").all_inner_texts()
    assert numbers[:2] == ["3", "17"] and set(numbers[2:]) <= {"0"}
    before = (
        page.locator(".bnlab-summary").text_content(),
        page.locator(".bnlab-verdict").text_content(),
    )
    press(page, "Leave full screen")
    predict.uncheck()  # what was seen stays
    settle(page)
    after = (
        page.locator(".bnlab-summary").text_content(),
        page.locator(".bnlab-verdict").text_content(),
    )
    assert after == before
    predict.check()
    settle(page)
    expect(told).to_be_hidden()
    assert set(hands.evaluate_all("all => all.map((e) => e.value)")) == {"0"}
