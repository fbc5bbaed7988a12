"""The cards T6, T7 and T8 in a browser: symptom, repair, and what is said of them."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.web.clinic_page import opened, write_cards
from tests.web.widget_page import alts, finished, headline, pick, summary_text

pytestmark = pytest.mark.web


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    return write_cards(tmp_path_factory.mktemp("clinic"))


def trained(page: Page, folders, card: str, query: str = "") -> Page:
    opened(page, folders[card], f"#{card.lower()}?{query}" if query else "")
    finished(page)
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
    trained(page, folders, "T6")
    assert headline(page).startswith("At one rate of 3 for both, the place before the ReLU wins: ")
    repaired(page)
    assert headline(page).startswith("Each at its own best rate, the places are level: 0.9")
    assert page.locator(".bnlab-key").count() == 4
    expect(page.locator(".bnlab-badge")).to_have_text("in this page, same bits as in Python")


def test_a_net_that_diverges_is_told(page, folders, troubles):
    trained(page, folders, "T6", "depth=2&bias=bias&lr=3&seed=1440&repaired=0")
    assert headline(page).endswith("0.97 before it, behind it the training diverged.")
    assert "BatchNorm behind the ReLU diverged" in summary_text(page)


def test_a_bias_right_before_batch_norm_changes_nothing(page, folders, troubles):
    ends = [
        headline(trained(page, folders, "T6", f"depth=2&bias={bias}&lr=0.3&seed=1440&repaired=0"))
        for bias in ("bias", "bare")
    ]
    before = [re.search(r"(\d\.\d\d) before it", text)[1] for text in ends]
    assert before[0] == before[1]


def test_dropout_spoils_the_variance_and_behind_the_last_batch_norm_it_does_not(
    page, folders, troubles
):
    trained(page, folders, "T7")
    factor, reached, none = numbers(headline(page))
    assert factor > 2 and reached < none - 0.05
    anew = float(re.search(r"the net with dropout .* reaches (\S+);", summary_text(page))[1])
    assert reached < anew < none
    repaired(page)
    assert headline(page).startswith("Repaired: behind the last BatchNorm it remembers ")
    factor, reached, none = numbers(headline(page))
    assert factor == pytest.approx(1, abs=0.1) and reached == pytest.approx(none, abs=0.03)
    by_layer = alts(page)[1]
    assert by_layer.count(": ") == 3, "three nets have a variance"


def test_samples_see_each_other_and_with_group_norm_they_do_not(page, folders, troubles):
    trained(page, folders, "T8")
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
    trained(page, folders, "T8")
    after = matrices(page)["batch"]
    pick(page, "matrix", "before it")
    finished(page)
    expect(page.locator(".bnlab-headline")).to_contain_text("before the training")
    before = matrices(page)["batch"]
    assert "before the training" in before and before != after


def test_with_ghost_batches_only_neighbours_see_each_other(page, folders, troubles):
    trained(page, folders, "T8", "norm=ghost_batch&when=after&instead=layer&seed=1473&repaired=1")
    assert list(matrices(page)) == ["ghost_batch", "layer"]
    none = page.locator(".bnlab-matrix[data-norm=ghost_batch] rect[fill-opacity='0.000']")
    assert none.count() == 2 * 4 * 4
