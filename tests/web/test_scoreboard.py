"""The scoreboard on the built site: chosen by paper and verdict, without a kernel, from disk."""

import itertools
import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from bnlab.claims import CLAIMS
from bnlab.claims.standings import standings
from tests.web.site_server import SITE

ADDRESS = (SITE / "book" / "13_scoreboard.html").as_uri()
WIDE, PHONE = {"width": 1280, "height": 800}, {"width": 360, "height": 780}
pytestmark = pytest.mark.web


def ids(paper=None, word=None, photographs=None):
    """The claims that must be left."""
    return [
        one.claim.id
        for one in sorted(standings(CLAIMS), key=lambda one: one.claim.chapter)
        if paper in (None, one.claim.paper)
        and word in (None, one.word)
        and photographs in (None, one.word_at("cifar10"))
    ]


def left(page: Page) -> list[str]:
    rows = page.locator(".bnlab-scoreboard tbody tr[id]:visible")
    return rows.evaluate_all("all => all.map((row) => row.id.replace(/^claim-/, ''))")


@pytest.fixture
def board(page: Page):
    """Opens the page as a file, with a state in its address."""
    wrong = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda m: m.type in ("error", "warning") and wrong.append(m.text))

    def open_page(state: str = "", size=WIDE) -> Page:
        page.set_viewport_size(size)
        page.goto("about:blank")
        page.goto(ADDRESS + state)
        page.wait_for_load_state("load")
        return page

    yield open_page
    assert [text for text in wrong if "font" not in text.lower()] == []


def test_all_claims_are_there_at_first(board):
    page = board()
    assert left(page) == ids()
    expect(page.locator(".count")).to_have_text(f"{len(CLAIMS)} claims")


def test_a_paper_and_a_verdict_are_chosen_by_keyboard(board):
    page = board()
    page.get_by_label("Paper").focus()
    page.keyboard.type("Bjorck")
    expect(page.locator(".count")).to_have_text(f"{len(ids('bjorck2018'))} of {len(CLAIMS)} claims")
    assert left(page) == ids("bjorck2018")
    page.keyboard.press("Tab")
    expect(page.get_by_label("Verdict on digits")).to_be_focused()
    page.get_by_label("Verdict on digits").select_option("shown")
    assert left(page) == ids("bjorck2018", "shown")
    page.get_by_label("Paper").select_option("all")
    assert left(page) == ids(word="shown")


def test_every_choice_leaves_what_it_says(board):
    page = board()
    for name, at in (("paper", 0), ("verdict", 1), ("cifar10", 2)):
        select = page.locator(f"select[name={name}]")
        values = select.locator("option").evaluate_all("all => all.map(o => o.value)")
        for value in values[1:]:
            select.select_option(value)
            wanted = ids(*(value if at == place else None for place in range(3)))
            assert left(page) == wanted
            questions = {CLAIMS[name].chapter for name in wanted}
            shown = page.locator(".bnlab-scoreboard tr.question:visible")
            expect(shown).to_have_count(len(questions))
            text = f"{len(wanted) or 'None'} of {len(CLAIMS)} claims"
            expect(page.locator(".count")).to_have_text(text)
        select.select_option("all")


def test_the_choice_is_kept_in_the_address(board):
    page = board()
    page.get_by_label("Paper").select_option("lubana2021")
    page.get_by_label("Verdict on digits").select_option("not measured yet")
    state = page.evaluate("location.hash")
    assert state == "#scoreboard?paper=lubana2021&verdict=not+measured+yet"
    again = board(state)
    expect(again.get_by_label("Verdict on digits")).to_have_value("not measured yet")
    assert left(again) == ids("lubana2021", "not measured yet")
    other = board("#scoreboard?paper=nobody")
    assert left(other) == ids()


def test_it_filters_without_scripts(browser: Browser):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(ADDRESS)
    page.get_by_label("Paper").select_option("wei2019")
    expect(page.locator("#claim-W1")).to_be_visible()
    expect(page.locator("#claim-B1")).to_be_hidden()
    expect(page.locator(".bnlab-scoreboard tbody tr[id]:visible")).to_have_count(4)
    expect(page.locator(".bnlab-scoreboard tr.question:visible")).to_have_count(1)
    context.close()


def test_evidence_and_chapters_are_reached_from_disk(board):
    page = board()
    links = page.locator(".bnlab-scoreboard tbody a").evaluate_all("all => all.map(a => a.href)")
    evidence = [link for link in links if link.endswith(".json")]
    assert len(evidence) == sum(1 for one in standings(CLAIMS) for _ in one.found)
    for link in set(links):
        address, _, fragment = link.partition("#")
        path = Path(address.removeprefix("file://"))
        assert path.is_file() and path.suffix in (".json", ".html"), link
        place = fragment.partition("?")[0]
        assert not place or f'id="{place}"' in path.read_text(encoding="utf-8"), link
    stored = SITE / "results" / "B1.json"
    assert stored.read_bytes() == (SITE.parents[1] / "results" / "B1.json").read_bytes()


def test_more_opens_prediction_and_parts(board):
    page = board()
    row = page.locator("#claim-S4")
    of_digits, of_photographs = row.locator("dl").all()  # S4 is measured on both scales
    expect(of_digits).to_be_hidden()
    row.locator("summary").focus()
    page.keyboard.press("Enter")
    for found in (of_digits, of_photographs):
        expect(found).to_contain_text("Our prediction")
        expect(found).to_contain_text("effective smoothness")


def test_on_a_phone_a_row_is_a_card(board):
    page = board(size=PHONE)
    assert page.evaluate("document.scrollingElement.scrollWidth") <= PHONE["width"]
    page.get_by_label("Paper").select_option("bjorck2018")
    assert left(page) == ids("bjorck2018")
    boxes = [cell.bounding_box() for cell in page.locator("#claim-B1 > td").all()]
    assert all(low["y"] > high["y"] for high, low in itertools.pairwise(boxes))
    assert all(box["x"] + box["width"] <= PHONE["width"] for box in boxes)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_words_have_their_colours(browser: Browser, scheme: str):
    from bnlab.draw.style import VERDICTS

    context = browser.new_context(color_scheme=scheme)
    page = context.new_page()
    page.goto(ADDRESS)
    colour = page.locator("#claim-B1 .word").first.evaluate("e => getComputedStyle(e).color")
    found = "#" + "".join(f"{int(part):02x}" for part in re.findall(r"\d+", colour))
    word = next(one.word for one in standings(CLAIMS) if one.claim.id == "B1")
    assert found == VERDICTS[word][scheme]
    context.close()
