"""Repeat this verdict: rows in workers of the page, then words; and what goes wrong on the way."""

import json
import re
from dataclasses import replace

import pytest
from playwright.sync_api import expect

from bnlab.lab import Repeat
from bnlab.lab.repeat.rows import claim_of
from bnlab.verdicts import evidence
from bnlab.verdicts.verdict import decide
from tests.web.accessibility import violations
from tests.web.test_first_state import IN_WORKERS_TOO, NO_COMPILED, NO_WORKER
from tests.web.widget_page import ASSETS, LISTEN, load, note, press, settle, summary, write_page

pytestmark = pytest.mark.web

SEEDS = 8
ROWS = 3 * SEEDS
NAME = "T4"
SHORT = 20  # steps of a row that need not be that of the evidence


def options_of(**changes):
    """Of T4, with its first seeds alone."""
    widget = Repeat(NAME)
    own = widget.options
    arms = [{**arm, "digests": arm["digests"][:SEEDS]} for arm in own["arms"]]
    values = {name: some[:SEEDS] for name, some in own["values"].items()}
    return widget, {"arms": arms, "seeds": own["seeds"][:SEEDS], "values": values, **changes}


def opened(page, folder, query="", **changes):
    widget, options = options_of(**changes)
    if not (folder / "_static").exists():
        (folder / "_static").symlink_to(ASSETS)
    write_page(folder, widget, **options)
    widget.close()
    load(page, folder, query)
    settle(page)


def short():
    """Arms whose rows take no time, and are not those of the evidence."""
    _, options = options_of()
    return [{**arm, "steps": SHORT} for arm in options["arms"]]


def headline(page):
    return page.locator(".bnlab-headline")


def words(page):
    return page.locator(".bnlab-repeat-parts tbody tr td:last-child").all_inner_texts()


def ended(page, start="Finished"):
    expect(summary(page)).to_contain_text(start)


def verdict(margins=None):
    """What Python says of the first seeds, with other margins."""
    stored, own = evidence.load(claim_of(NAME)), margins or {}
    effects = [replace(e, margin=own.get(e.name, e.margin)) for e in stored.claim.effects]
    values = {name: one[:SEEDS] for name, one in stored.values.items()}
    return decide(replace(stored.claim, effects=tuple(effects)), values)


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
        f"All {ROWS} trainings are equal to the last bit: {NAME} is {verdict().said}."
    )
    assert page.locator(".bnlab-row-equal").count() == ROWS
    assert words(page) == [one.word for one in verdict().judgements]
    assert violations(page) == []


def test_an_edited_digest_is_seen(page, tmp_path, troubles):
    _, options = options_of()
    arms = options["arms"]
    arms[0]["digests"][0] = "0" * 16
    opened(page, tmp_path, arms=arms)
    press(page, "Repeat")
    ended(page)
    expect(headline(page)).to_have_text(f"1 of {ROWS} trainings are not those of the evidence.")
    assert page.locator(".bnlab-row-differs").count() == 1


def test_a_worker_that_dies_gives_its_rows_to_another(page, tmp_path):
    page.add_init_script(LISTEN)
    page.add_init_script("Object.defineProperty(navigator, 'hardwareConcurrency', { value: 3 })")
    opened(page, tmp_path)
    press(page, "Repeat")
    page.wait_for_function("globalThis.workerReady && document.querySelector('.bnlab-row-equal')")
    page.evaluate("workers[0].dispatchEvent(new ErrorEvent('error', { message: 'gone' }))")
    expect(note(page)).to_contain_text("its training was given to another one.")
    ended(page)
    assert page.locator(".bnlab-row-equal").count() == ROWS


def test_without_any_worker_left_it_breaks_off_and_goes_on(page, tmp_path):
    page.add_init_script(LISTEN)
    page.add_init_script("Object.defineProperty(navigator, 'hardwareConcurrency', { value: 1 })")
    opened(page, tmp_path)
    press(page, "Repeat")
    page.wait_for_function("document.querySelector('.bnlab-row-equal')")
    page.evaluate("workers[0].dispatchEvent(new ErrorEvent('error', { message: 'gone' }))")
    expect(note(page)).to_contain_text("The worker broke off: gone.")
    ended(page, "Broken off")
    assert 1 <= page.locator(".bnlab-row-equal").count() < ROWS


@pytest.mark.parametrize("lack", [NO_WORKER, NO_COMPILED])
def test_where_nothing_can_be_trained_a_sentence_says_so(page, tmp_path, lack):
    page.add_init_script(lack if lack == NO_WORKER else IN_WORKERS_TOO % (lack, lack))
    opened(page, tmp_path)
    press(page, "Repeat")
    expect(note(page)).to_contain_text("This page cannot train these nets.")
    expect(note(page)).to_contain_text(re.compile("web workers|WebAssembly"))
    assert page.locator(".bnlab-row-waiting").count() == ROWS
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
    kept = page.locator(".bnlab-row-equal").count()
    assert kept > 2
    press(page, "Go on")
    assert page.locator(".bnlab-row-equal").count() >= kept
    ended(page)
    assert page.locator(".bnlab-row-equal").count() == ROWS


def test_a_hidden_tab_is_told_when_it_is_seen_again(page, tmp_path, troubles):
    opened(page, tmp_path)
    press(page, "Repeat")
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(note(page)).to_contain_text("The tab was in the background")
    ended(page)


@pytest.mark.parametrize("margin", [0.001, 0.02, 0.05])
def test_a_margin_of_the_readers_own_gives_the_words_of_python(page, tmp_path, troubles, margin):
    opened(page, tmp_path)
    field = page.locator(".bnlab-margin").nth(
        4
    )  # behind the first seed: whole, ghost, layer, accuracy
    field.fill(str(margin))
    field.press("Enter")
    asked = verdict({"accuracy": margin})
    expect(headline(page)).to_have_text(
        f"The evidence says of {NAME}, with your margins: {asked.said}."
    )
    assert words(page) == [one.word for one in asked.judgements]
    assert page.evaluate("model.get('state').margins") == {"accuracy": margin}


def test_a_link_brings_seeds_and_margins_and_names_what_it_cannot_read(page, tmp_path, troubles):
    opened(page, tmp_path, "#repeat-t4?start=7000&accuracy=0.05&depth=3&small=-1")
    assert page.evaluate("model.get('state')") == {"start": 7000, "margins": {"accuracy": 0.05}}
    expect(note(page)).to_contain_text('Claim T4 has no part "depth"')
    expect(note(page)).to_contain_text("write 0 or more")
    expect(page.get_by_role("radio", name="fresh ones")).to_be_checked()


def test_fresh_seeds_are_trained_and_only_their_parts_are_judged(page, tmp_path, troubles):
    opened(page, tmp_path, "#repeat-t4?start=7000", arms=short())
    press(page, "Repeat")
    ended(page)
    expect(headline(page)).to_have_text("With fresh seeds, part by part below.")
    assert page.locator(".bnlab-row-trained").count() == ROWS
    expect(page.locator(".bnlab-verdict")).to_contain_text("no word for the whole claim follows")
    found = words(page)
    assert found[:3] == ["", "", ""] and all(found[3:])


def test_seeds_that_chose_a_rate_are_refused(page, tmp_path, troubles):
    opened(page, tmp_path)
    first = page.get_by_label("first of the fresh seeds")
    first.fill("1425")
    first.press("Enter")
    expect(note(page)).to_contain_text("seed 1430 chose the learning rates")
    assert page.evaluate("model.get('state').start") is None


def test_a_result_is_saved_and_read_again_and_an_edited_one_is_noticed(page, tmp_path, troubles):
    opened(page, tmp_path, "#repeat-t4?accuracy=0.05")
    expect(headline(page)).to_contain_text("with your margins: ")
    with page.expect_download() as coming:
        page.get_by_role("button", name="Save result").click()
    text = coming.value.path().read_text()
    held = json.loads(text)
    assert held["margins"] == {"accuracy": 0.05} and held["claim"] == NAME

    def give(content):
        file = tmp_path / "result.json"
        file.write_text(content)
        page.get_by_label("Open a result").set_input_files(file)

    opened(page, tmp_path)
    give(text)
    expect(headline(page)).to_have_text(
        f"The evidence says of {NAME}, with your margins: {held['said']}."
    )
    give(json.dumps({**held, "said": "reversed"}))
    expect(note(page)).to_contain_text('The file says "reversed"; its numbers give')
    give(text[:40])
    expect(note(page)).to_contain_text("it is no JSON, or it is cut off")
    give(json.dumps({**held, "claim": "T6"}))
    expect(note(page)).to_contain_text("this box is about T4")
