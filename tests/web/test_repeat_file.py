"""Repeat this verdict: a result as a file, saved and opened."""

import json

import pytest
from playwright.sync_api import expect

from tests.web.repeat_page import (
    NAME,
    OTHERWISE,
    SEEDS,
    click_all,
    ended,
    give_file,
    headline,
    measured,
    opened,
    saved,
    short,
    verdict,
    words,
)
from tests.web.widget_page import note, settle, summary

pytestmark = pytest.mark.web
SAID = f"By the numbers of the file, {SEEDS} seeds from %d to %d, the verdict on {NAME}"


@pytest.fixture
def other(page, tmp_path, troubles):
    """A file of other seeds and numbers than those of the evidence, opened in the page."""
    opened(page, tmp_path)
    settle(page)
    own = {name: values - 0.4 for name, values in verdict_values().items()}
    file = {**saved(page), "seeds": list(range(40, 40 + SEEDS))}
    file |= {"values": {name: v.tolist() for name, v in own.items()}, "said": verdict({}, own).said}
    give_file(page, tmp_path, json.dumps(file))
    expect(headline(page)).to_have_text(f"{SAID % (40, 47)}: {file['said']}.")
    return file


def verdict_values():
    return {one.effect.name: one.values for one in verdict().judgements}


def as_python(file, margins):
    """What Python says of the numbers of a file."""
    import numpy as np

    return verdict(margins, {name: np.array(some) for name, some in file["values"].items()})


def test_what_is_opened_is_what_is_saved(page, other):
    assert saved(page) == other
    expect(summary(page)).to_contain_text("from the opened file, 8 seeds from 40 to 47.")
    assert measured(page) == [one.measured for one in as_python(other, {}).judgements]


def test_a_margin_judges_what_is_opened(page, other):
    field = page.locator(".bnlab-repeat-parts .bnlab-margin").nth(3)
    field.fill("0.9")
    field.press("Enter")
    asked = as_python(other, {"accuracy": 0.9})
    expect(headline(page)).to_have_text(f"{SAID % (40, 47)}, with your margins: {asked.said}.")
    assert words(page) == [one.word for one in asked.judgements]
    assert words(page) != [one.word for one in as_python(other, {}).judgements]
    assert saved(page)["values"] == other["values"]


def test_a_repetition_leaves_what_is_opened(page, other):
    click_all(page, "Repeat", "Pause")
    expect(headline(page)).to_contain_text("trainings done")
    settle(page)
    assert measured(page) == [one.measured for one in verdict().judgements]
    click_all(page, "Stop")
    expect(headline(page)).to_have_text(f"The evidence says of {NAME}: {verdict().said}.")


def test_other_seeds_leave_what_is_opened(page, other):
    page.get_by_role("radio", name="fresh ones").check()
    expect(summary(page)).to_contain_text("8 seeds from 5000 to 5007: nothing is trained yet.")
    assert {*measured(page)} == {"not trained yet"}


def test_the_seeds_of_the_evidence_leave_what_is_opened(page, other):
    own = page.get_by_role("radio", name="of the evidence")
    expect(own).not_to_be_checked()
    own.check()
    expect(headline(page)).to_have_text(f"The evidence says of {NAME}: {verdict().said}.")
    assert measured(page) == [one.measured for one in verdict().judgements]


def test_a_link_leaves_what_is_opened(page, other):
    link = '<a href="#repeat-t4?seeds=evidence">the evidence</a>'
    page.evaluate("(link) => document.body.insertAdjacentHTML('beforeend', link)", link)
    page.get_by_role("link", name="the evidence").click()
    expect(headline(page)).to_have_text(f"The evidence says of {NAME}: {verdict().said}.")


def test_numbers_of_the_evidence_are_saved_as_such(page, tmp_path, troubles):
    opened(page, tmp_path)
    saved(page)
    expect(note(page)).to_contain_text("Saved: the numbers of the evidence")


def test_a_file_ends_what_is_trained(page, tmp_path, troubles):
    opened(page, tmp_path)
    text = json.dumps(saved(page))
    click_all(page, "Repeat", "Pause")
    give_file(page, tmp_path, text)
    expect(headline(page)).to_contain_text("By the numbers of the file")
    expect(page.get_by_role("button", name="Resume")).to_have_count(0)


def test_a_result_is_saved_and_read_again_and_an_edited_one_is_noticed(page, tmp_path, troubles):
    opened(page, tmp_path, "#repeat-t4?accuracy=0.05")
    expect(headline(page)).to_contain_text("with your margins: ")
    held = saved(page)
    assert held["margins"] == {"accuracy": 0.05} and held["claim"] == NAME
    opened(page, tmp_path)
    give_file(page, tmp_path, json.dumps(held))
    said = f"{SAID % (held['seeds'][0], held['seeds'][-1])}, with your margins: {held['said']}."
    expect(headline(page)).to_have_text(said)
    give_file(page, tmp_path, json.dumps({**held, "said": "reversed"}))
    expect(note(page)).to_contain_text('The file says "reversed"; its numbers give')
    for content, sentence in [
        (json.dumps(held)[:40], "it is no JSON, or it is cut off"),
        (json.dumps({**held, "claim": "T6"}), "this box is about T4"),
        (json.dumps({**held, "seeds": held["seeds"][:7]}), "has 7 seeds"),
        (" " * 100_001, "too large to be a verdict of this page"),
    ]:
        give_file(page, tmp_path, content)
        expect(note(page)).to_contain_text(sentence)
        expect(headline(page)).to_have_text(said)


def test_what_was_trained_is_saved(page, tmp_path, troubles):
    opened(page, tmp_path, arms=short())
    before = saved(page)["values"]
    click_all(page, "Repeat")
    ended(page)
    expect(headline(page)).to_contain_text(OTHERWISE)
    after = saved(page)["values"]
    assert after["layer"] == before["layer"] and after["accuracy"] != before["accuracy"]
