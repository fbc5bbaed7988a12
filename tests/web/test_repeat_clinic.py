"""Verdicts of the clinic whose rows tell more than a race: in Chromium, with few rows."""

import pytest
from playwright.sync_api import expect

from bnlab.lab import Repeat
from bnlab.lab.repeat.rows import claim_of
from bnlab.verdicts import evidence
from bnlab.verdicts.verdict import decide
from tests.web.repeat_page import OTHERWISE
from tests.web.widget_page import ASSETS, load, press, settle, summary, write_page

pytestmark = pytest.mark.web

SEEDS = 8
SHORT = 20  # steps of a row that need not be that of the evidence


def opened(page, folder, name, query="", steps=None):
    """The verdict with its first seeds and what its parts need, and trainings of so many steps."""
    widget = Repeat(name)
    own = widget.options
    needed = {arm for formula in own["formulas"].values() for arm in formula["arms"]}
    arms = [
        {**arm, "digests": arm["digests"][:SEEDS]} for arm in own["arms"] if arm["name"] in needed
    ]
    if steps:
        arms = [{**arm, "steps": steps} for arm in arms]
    values = {part: some[:SEEDS] for part, some in own["values"].items()}
    (folder / "_static").symlink_to(ASSETS)
    write_page(folder, widget, arms=arms, seeds=own["seeds"][:SEEDS], values=values)
    widget.close()
    load(page, folder, query)
    settle(page)
    return arms


def verdict(name):
    """What Python says of the first seeds."""
    stored = evidence.load(claim_of(name))
    return decide(stored.claim, {part: one[:SEEDS] for part, one in stored.values.items()})


def words(page):
    return page.locator(".bnlab-repeat-parts tbody tr td:last-child").all_inner_texts()


def ended(page, rows):
    expect(page.locator(".bnlab-progress-line")).to_contain_text(f"{rows} of {rows}", timeout=3e5)
    expect(summary(page)).to_contain_text("Finished")


@pytest.mark.parametrize("name", ["T1", "T3"])
def test_all_rows_turn_green_and_the_words_are_those_of_python(page, tmp_path, troubles, name):
    rows = len(opened(page, tmp_path, name)) * SEEDS
    press(page, "Repeat")
    ended(page, rows)
    asked = verdict(name)
    expect(page.locator(".bnlab-headline")).to_have_text(
        f"All {rows} trainings ended with the weights of the evidence, to the last bit. "
        f"The verdict on {name}: {asked.said}."
    )
    assert page.locator(".bnlab-row-equal").count() == rows
    assert words(page) == [one.word for one in asked.judgements]
    found = page.locator('.bnlab-repeat-parts [data-column="Measured"]').all_inner_texts()
    assert found == [one.measured for one in asked.judgements]
    expect(page.locator(".bnlab-verdict")).to_be_empty()


@pytest.mark.parametrize("name", ["T2", "T4", "T5", "T7", "T8"])
def test_of_fresh_seeds_all_parts_are_judged(page, tmp_path, troubles, name):
    rows = len(opened(page, tmp_path, name, f"#repeat-{name.lower()}?seeds=7000", SHORT)) * SEEDS
    press(page, "Repeat")
    ended(page, rows)
    expect(page.locator(".bnlab-headline")).to_contain_text(
        f"With fresh seeds, the verdict on {name}: "
    )
    assert page.locator(".bnlab-row-trained").count() == rows
    assert all(words(page))
    expect(page.locator(".bnlab-verdict")).to_be_empty()


def test_with_another_weight_a_part_has_another_number(page, tmp_path, troubles):
    """Short trainings of the evidence's seeds: every row differs, and so do the intervals."""
    rows = len(opened(page, tmp_path, "T1", steps=SHORT)) * SEEDS
    press(page, "Repeat")
    ended(page, rows)
    expect(page.locator(".bnlab-headline")).to_have_text(f"{rows} of {rows} {OTHERWISE}")
    found = page.locator('.bnlab-repeat-parts [data-column="Measured"]').all_inner_texts()
    kept = [one.measured for one in verdict("T1").judgements]
    assert all(now != before for now, before in zip(found, kept, strict=True))
