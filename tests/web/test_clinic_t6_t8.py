"""The cards T6, T7 and T8 in a browser: symptom, repair, and what is said of them."""

import re

import pytest
from playwright.sync_api import Page, expect

from bnlab.lab import Clinic
from tests.web.accessibility import violations
from tests.web.widget_page import LISTEN, alts, headline, load, pick, summary_text, write_once

pytestmark = pytest.mark.web

CARDS, FILE = ("T6", "T7", "T8"), "compiled/clinic.js"


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    made = {card: tmp_path_factory.mktemp(card) for card in CARDS}
    return {card: write_once(folder, Clinic(card=card), FILE) for card, folder in made.items()}


def opened(page: Page, folders, card: str, query: str = "") -> Page:
    page.add_init_script(LISTEN)
    load(page, folders[card], f"#{card.lower()}?{query}" if query else "")
    return ended(page)


def ended(page: Page, trainings: int = 1) -> Page:
    """When so many trainings have come to their end, and the last one is told."""
    page.wait_for_function("count => globalThis.ends?.size >= count", arg=trainings)
    expect(page.locator(".bnlab-summary")).to_contain_text("Finished")
    return page


def repaired(page: Page) -> Page:
    before = page.evaluate("ends.size")
    page.locator(".bnlab-repair").click()
    page.wait_for_function("count => ends.size > count", arg=before)
    expect(page.locator(".bnlab-headline")).to_contain_text(re.compile("Repaired|own best rate"))
    return page


def numbers(text: str) -> list[float]:
    return [float(found) for found in re.findall(r"\d+(?:\.\d+)?", text)]


def matrices(page: Page) -> dict[str, str]:
    found = page.locator(".bnlab-matrix").all()
    return {one.get_attribute("data-norm"): one.get_attribute("aria-label") for one in found}


def test_at_one_rate_an_order_wins_and_at_its_own_rate_each_is_level(page, folders, troubles):
    opened(page, folders, "T6")
    assert headline(page) == (
        "At one rate of 3 for both, the place before the ReLU wins: 0.97 before it, behind it the "
        "training diverged."
    )
    repaired(page)
    assert headline(page).startswith("Each at its own best rate, the places are level: 0.9")
    assert page.locator(".bnlab-key").count() == 4
    assert "BatchNorm behind the ReLU diverged" in summary_text(page)


def test_a_bias_right_before_batch_norm_changes_nothing(page, folders, troubles):
    ends = [
        headline(opened(page, folders, "T6", f"depth=2&bias={bias}&lr=0.3&seed=1440&repaired=0"))
        for bias in ("bias", "bare")
    ]
    before = [re.search(r"(\d\.\d\d) before it", text)[1] for text in ends]
    assert before[0] == before[1]


def test_dropout_spoils_the_variance_and_behind_the_last_batch_norm_it_does_not(
    page, folders, troubles
):
    opened(page, folders, "T7")
    factor, reached, none = numbers(headline(page))
    assert factor > 2 and reached < none - 0.05
    (anew,) = numbers(re.search(r"without dropout, the net .* reaches (\S+);", summary_text(page))[1])
    assert reached < anew < none
    repaired(page)
    assert headline(page).startswith("Repaired: behind the last BatchNorm it remembers ")
    factor, reached, none = numbers(headline(page))
    assert factor == pytest.approx(1, abs=0.1) and reached == pytest.approx(none, abs=0.03)
    by_layer = alts(page)[1]
    assert by_layer.count(": ") == 3, "three nets have a variance"


def test_samples_see_each_other_and_with_group_norm_they_do_not(page, folders, troubles):
    opened(page, folders, "T8")
    leak, penalty = numbers(headline(page))
    assert leak > 20 and penalty > 10
    assert list(matrices(page)) == ["batch"]
    repaired(page)
    assert headline(page).startswith("Repaired: with group normalization 0\u00a0%")
    assert list(matrices(page)) == ["batch", "group"]
    assert "is on average 0 % of that by its own" in matrices(page)["group"]
    squares = page.locator(".bnlab-matrix[data-norm=group] rect[fill-opacity='0.000']")
    assert squares.count() == 8 * 7


def test_the_matrix_is_told_of_the_start_as_well(page, folders, troubles):
    opened(page, folders, "T8")
    after = matrices(page)["batch"]
    pick(page, "matrix", "before it")
    ended(page, 2)
    expect(page.locator(".bnlab-headline")).to_contain_text("before the training")
    before = matrices(page)["batch"]
    assert "before the training" in before and before != after


def test_with_ghost_batches_only_neighbours_see_each_other(page, folders, troubles):
    opened(page, folders, "T8", "norm=ghost_batch&when=after&instead=layer&seed=1473&repaired=1")
    assert list(matrices(page)) == ["ghost_batch", "layer"]
    none = page.locator(".bnlab-matrix[data-norm=ghost_batch] rect[fill-opacity='0.000']")
    assert none.count() == 2 * 4 * 4


@pytest.mark.parametrize("card", CARDS)
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_everyone_can_use_them(page, folders, card, theme, troubles):
    page.add_init_script(LISTEN)
    load(page, folders[card], theme=theme)
    repaired(ended(page))
    assert violations(page) == []
