"""Repeat this verdict: rows in workers of the page, then words; and what goes wrong on the way."""

import re

import pytest
from playwright.sync_api import expect

from tests.web.accessibility import violations
from tests.web.repeat_page import (
    NAME,
    OF_EVIDENCE,
    OTHERWISE,
    ROWS,
    click_all,
    count,
    ended,
    headline,
    measured,
    opened,
    options_of,
    saved,
    short,
    verdict,
    words,
)
from tests.web.test_first_state import IN_WORKERS_TOO, NO_COMPILED, NO_WORKER
from tests.web.widget_page import note, press, settle, summary

pytestmark = pytest.mark.web
NO_STORAGE = """for (const name of ["localStorage", "sessionStorage"]) {
  Object.defineProperty(globalThis, name, { get() { throw new Error("denied"); } });
}"""
FULL_STORAGE = "Storage.prototype.setItem = () => { throw new Error('The quota is exceeded.'); };"


def test_all_rows_turn_green_and_the_words_are_those_of_python(page, tmp_path, troubles):
    opened(page, tmp_path)
    assert violations(page) == []
    press(page, "Repeat")
    press(page, "Pause")
    expect(page.locator(".bnlab-progress-line")).to_contain_text("paused")
    ended(page, "Paused")
    press(page, "Resume")
    ended(page)
    expect(headline(page)).to_have_text(
        f"All {ROWS} trainings ended with the weights of the evidence, to the last bit. "
        f"Together with the rest of the evidence, the verdict on {NAME}: {verdict().said}."
    )
    cells = page.locator(".bnlab-repeat-parts td[data-column=Measured]").all_inner_texts()
    assert [text.endswith(OF_EVIDENCE) for text in cells] == [True] * 3 + [False] * 2
    assert count(page, "equal") == ROWS
    assert words(page) == [one.word for one in verdict().judgements]
    assert violations(page) == []


def test_an_edited_digest_is_seen(page, tmp_path, troubles):
    _, options = options_of()
    arms = options["arms"]
    arms[0]["digests"][0] = "0" * 16
    opened(page, tmp_path, arms=arms)
    press(page, "Repeat")
    ended(page)
    expect(headline(page)).to_have_text(f"1 of {ROWS} {OTHERWISE}")
    expect(summary(page)).to_contain_text("Where a training is different")
    assert count(page, "differs") == 1


@pytest.mark.parametrize("lack", [NO_WORKER, NO_COMPILED])
def test_where_nothing_can_be_trained_a_sentence_says_so(page, tmp_path, lack):
    page.add_init_script(lack if lack == NO_WORKER else IN_WORKERS_TOO % (lack, lack))
    opened(page, tmp_path)
    press(page, "Repeat")
    expect(note(page)).to_contain_text("This page cannot train these nets.")
    expect(note(page)).to_contain_text(re.compile("web workers|WebAssembly"))
    ended(page, "Broken off")
    assert count(page, "waiting") == ROWS
    expect(headline(page)).to_contain_text("The evidence says of T4")


def test_files_that_are_missing_are_named(page, tmp_path):
    opened(page, tmp_path, compiled="nothing")
    press(page, "Repeat")
    expect(note(page)).to_contain_text("nothing.js) could not be loaded.")


def test_stopped_it_goes_on_where_it_was(page, tmp_path, troubles):
    opened(page, tmp_path)
    press(page, "Repeat")
    page.wait_for_function("document.querySelectorAll('.bnlab-row-equal').length > 2")
    press(page, "Stop")
    ended(page, "Stopped")
    kept = count(page, "equal")
    assert kept > 2
    press(page, "Go on")
    assert count(page, "equal") >= kept
    ended(page)
    assert count(page, "equal") == ROWS


@pytest.mark.parametrize("margin", [0.001, 0.02, 0.05])
def test_a_margin_of_the_readers_own_gives_the_words_of_python(page, tmp_path, troubles, margin):
    opened(page, tmp_path)
    field = page.locator(".bnlab-margin").nth(4)  # behind the first seed: whole, ghost, layer, it
    field.fill(str(margin))
    field.press("Enter")
    asked = verdict({"accuracy": margin})
    expect(headline(page)).to_have_text(
        f"The evidence says of {NAME}, with your margins: {asked.said}."
    )
    assert words(page) == [one.word for one in asked.judgements]
    assert page.evaluate("model.get('state').margins") == {"accuracy": margin}


@pytest.mark.parametrize("margin", ["-1", "1e9", "1e"])
def test_a_margin_that_makes_no_sense_is_refused(page, tmp_path, troubles, margin):
    opened(page, tmp_path)
    field = page.locator(".bnlab-margin").nth(4)
    own = field.input_value()
    field.press("Control+a")
    field.press_sequentially(margin)
    field.press("Enter")
    expect(note(page)).to_contain_text("Not changed: ")
    expect(field).to_have_value(own)
    assert page.evaluate("model.get('state').margins") == {}
    field.fill(f"{own}0")  # the same number is the claim's own
    field.press("Enter")
    expect(headline(page)).to_have_text(f"The evidence says of {NAME}: {verdict().said}.")


def test_a_refusal_stands_when_the_model_hears_what_was_set_before(page, tmp_path, troubles):
    opened(page, tmp_path)
    page.evaluate(
        """(margins) => margins.forEach((text) => {
          const field = document.querySelectorAll(".bnlab-margin")[4];
          field.value = text;
          field.dispatchEvent(new Event("change"));
        })""",
        ["0.05", "0.06", "-1"],  # in one task: the model hears of the second a moment later
    )
    expect(note(page)).to_contain_text("Not changed: ")
    page.wait_for_function("model.get('state').margins.accuracy === 0.06")
    expect(note(page)).to_contain_text("Not changed: ")


def test_a_link_brings_seeds_and_margins_and_names_what_it_cannot_read(page, tmp_path, troubles):
    opened(page, tmp_path, "#repeat-t4?seeds=7000&accuracy=0.05&depth=3&small=-1")
    assert page.evaluate("model.get('state')") == {"start": 7000, "margins": {"accuracy": 0.05}}
    expect(note(page)).to_contain_text('Claim T4 has no part "depth"')
    expect(note(page)).to_contain_text("write 0 or more")
    expect(page.get_by_role("radio", name="fresh ones")).to_be_checked()


def test_fresh_seeds_are_trained_and_only_their_parts_are_judged(page, tmp_path, troubles):
    opened(page, tmp_path, "#repeat-t4?seeds=7000", arms=short())
    press(page, "Repeat")
    ended(page)
    assert count(page, "trained") == ROWS
    expect(page.locator(".bnlab-verdict")).to_contain_text("no word for the whole claim follows")
    found = words(page)
    assert found[:3] == ["", "", ""] and all(found[3:])
    told = f"{found.count('holds')} of 2 parts that were trained here hold"
    expect(headline(page)).to_contain_text(f"With fresh seeds, {told}")


@pytest.mark.parametrize(
    ("start", "why"),
    [
        ("1425", "seed 1430 chose the learning rates"),
        ("1060", "seed 1064 is one of the evidence"),
        ("", "must be a whole number"),
    ],
)
def test_seeds_that_are_not_fresh_are_refused(page, tmp_path, troubles, start, why):
    opened(page, tmp_path)
    first = page.get_by_label("first fresh seed")
    first.fill(start)
    first.press("Enter")
    expect(note(page)).to_contain_text(why)
    assert page.evaluate("model.get('state').start") is None


def test_where_all_parts_need_the_evidence_there_are_no_fresh_seeds(page, tmp_path, troubles):
    formulas = {"accuracy": {"kind": "order", "arms": [], "beside": []}}
    opened(page, tmp_path, formulas=formulas)
    page.get_by_role("radio", name="fresh ones").click()
    expect(note(page)).to_contain_text("no word follows from other seeds")
    expect(page.get_by_role("radio", name="of the evidence")).to_be_checked()


@pytest.mark.parametrize("host", ["static", None])
def test_it_begins_with_the_margins_that_it_was_given(page, tmp_path, troubles, host):
    margins = {"accuracy": 0.05}
    opened(page, tmp_path, margins=margins, host=host)
    expect(headline(page)).to_have_text(
        f"The evidence says of {NAME}, with your margins: {verdict(margins).said}."
    )
    assert words(page) == [one.word for one in verdict(margins).judgements]


def test_a_new_beginning_leaves_the_verdict_of_before(page, tmp_path, troubles):
    """Until it has finished, the parts say what the evidence says of these seeds."""
    opened(page, tmp_path, arms=short())
    press(page, "Repeat")
    ended(page)
    expect(headline(page)).to_have_text(f"{ROWS} of {ROWS} {OTHERWISE}")
    of_evidence = [one.measured for one in verdict().judgements]
    assert measured(page) != of_evidence
    click_all(page, "Repeat", "Pause")
    expect(headline(page)).to_have_text(f"0 of {ROWS} trainings done.")
    settle(page)
    assert measured(page) == of_evidence
    assert words(page) == [one.word for one in verdict().judgements]
    assert page.locator(".bnlab-verdict").inner_text() == ""


def test_fresh_seeds_that_begin_anew_have_no_numbers(page, tmp_path, troubles):
    opened(page, tmp_path, "#repeat-t4?seeds=7000", arms=short())
    press(page, "Repeat")
    ended(page)
    click_all(page, "Repeat", "Pause")
    ended(page, "Paused")
    assert {*measured(page)} == {"not trained yet"} and {*words(page)} == {""}


@pytest.mark.parametrize("storage", [NO_STORAGE, FULL_STORAGE], ids=["forbidden", "full"])
def test_without_storage_it_does_the_same(page, tmp_path, troubles, storage):
    page.add_init_script(storage)
    opened(page, tmp_path, "#repeat-t4?accuracy=0.05", arms=short())
    press(page, "Repeat")
    ended(page)
    assert count(page, "differs") == ROWS
    assert saved(page)["margins"] == {"accuracy": 0.05}
