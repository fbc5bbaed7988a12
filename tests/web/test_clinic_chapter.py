"""Eight cards of the clinic on one page, as in the chapter."""

import itertools

import pytest
from playwright.sync_api import Page, expect

from bnlab.lab.clinic import CARDS
from tests.web.clinic_page import BUSY, write_chapter
from tests.web.widget_page import LISTEN, settle

pytestmark = pytest.mark.web


@pytest.fixture(scope="module")
def chapter(tmp_path_factory):
    return write_chapter(tmp_path_factory.mktemp("chapter"), 8)


def come(page: Page, chapter, query: str = "") -> None:
    page.add_init_script(LISTEN + BUSY)
    page.goto(f"file://{chapter}/index.html{query}")
    expect(page.locator(".bnlab")).to_have_count(8)


def all_in_view(page: Page, chapter) -> None:
    """All cards are seen at once, and have trained."""
    page.set_viewport_size({"width": 1280, "height": 12_000})
    come(page, chapter)
    page.add_style_tag(content="main > p { display: none; }")
    for number in range(8):
        expect(page.locator(".bnlab-summary").nth(number)).to_contain_text("Finished")


def test_a_card_trains_when_it_is_first_seen_and_few_train_at_once(page: Page, chapter, troubles):
    come(page, chapter)
    settle(page)
    page.wait_for_load_state("networkidle")
    assert page.evaluate("heard.size") == 0, "nothing is in view yet"
    for number in range(8):
        card = page.locator(".bnlab").nth(number)
        card.scroll_into_view_if_needed()
        expect(card.locator(".bnlab-summary")).to_contain_text("Finished")
        assert page.evaluate("workers.length") <= number + 3, "no worker before a card is near"
    assert page.evaluate("[workers.length, running.size]") == [8, 0]


def test_cards_that_are_seen_together_wait_for_their_turns(page: Page, chapter, troubles):
    all_in_view(page, chapter)
    assert page.evaluate("[workers.length, running.size]") == [8, 0]
    assert page.evaluate("most") == 2


def test_cards_of_a_page_do_not_share_their_looks(page: Page, chapter, troubles):
    """One module is written in the page; each card has its own copy, with its own curves."""
    all_in_view(page, chapter)
    for number, card in zip(range(8), itertools.cycle(CARDS.values())):
        keys = page.locator(".bnlab").nth(number).locator(".bnlab-key").all_inner_texts()
        assert keys and {text.strip() for text in keys} <= {
            c["short"] for c in card.curves.values()
        }


def test_an_address_names_one_card_of_the_page(page: Page, chapter, troubles):
    come(page, chapter, "#t2?batch_size=8&repaired=1")
    second = page.locator(".bnlab").nth(1)
    expect(second.locator(".bnlab-headline")).to_contain_text("on batches of 8")
    expect(second).to_be_in_viewport()
    press_in = page.locator(".bnlab").nth(0)
    press_in.scroll_into_view_if_needed()
    press_in.get_by_role("button", name=CARDS["T1"].repair).click()
    page.wait_for_function("location.hash.startsWith('#t1?')")


def test_a_card_can_be_embedded_alone(page: Page, chapter, troubles):
    come(page, chapter, "?embed=t2#t2?batch_size=1&repaired=0")
    alone = page.locator(".bnlab-alone")
    expect(alone.locator(".bnlab-headline")).to_contain_text("PyTorch refuses BatchNorm")
    assert page.locator(".bnlab:visible").count() == 1
    assert page.evaluate("workers.length") == 1, "cards that are not seen open none"
