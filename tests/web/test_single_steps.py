"""One step draws each batch, and throws no curve away unasked."""

from __future__ import annotations

import itertools
import json

import pytest
from playwright.sync_api import expect

from bnlab.lab import Race
from tests.web.widget_page import finished, load, move, note, press, summary, write_once

pytestmark = pytest.mark.web
SPOTS = """() => [...document.querySelectorAll(".bnlab-plots .bnlab-batches")]
  .map((dots) => dots.getAttribute("d").split("M").slice(1).map((spot) => parseFloat(spot)))"""


@pytest.fixture
def race(page, tmp_path, troubles):
    norms = ("none", "batch", "layer")
    return load(page, write_once(tmp_path, Race(norms=norms), "compiled/nets.js"))


def test_each_step_is_drawn_while_paused(race):
    for step in range(1, 8):
        press(race, "One step")
        expect(summary(race)).to_contain_text(f"Paused at step {step} of")
        spots = [places for places in race.evaluate(SPOTS) if places]
        assert [len(places) for places in spots] == [step] * 3, json.dumps(spots)
        assert all(a < b for places in spots for a, b in itertools.pairwise(places))
    labels = race.locator(".bnlab-plot").first.locator(".bnlab-label").all_text_contents()
    assert sorted(labels) == ["batch", "layer", "none"]
    press(race, "Continue")
    finished(race)
    assert not any(race.evaluate(SPOTS)), "single batches stay among the means"


def test_a_finished_race_is_thrown_away_only_when_asked_twice(race):
    press(race, "Train")
    finished(race)
    drawn = race.locator(".bnlab-plots .bnlab-curve").first.get_attribute("d")
    press(race, "One step")
    expect(note(race)).to_contain_text("This race is over.")
    assert race.locator(".bnlab-plots .bnlab-curve").first.get_attribute("d") == drawn
    press(race, "One step")
    expect(summary(race)).to_contain_text("Paused at step 1 of")
    expect(note(race)).to_be_empty()
    move(race, "learning rate", 2)  # another race: it may be over again
    finished(race)
    press(race, "One step")
    expect(note(race)).to_contain_text("This race is over.")
