"""The race of chapter 04, trained in the page: noisy BatchNorm, and the runs that S2 counts."""

import re
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from bnlab import claims
from bnlab.chapters.covariate_shift import s2_noisy_race
from bnlab.lab import Race
from bnlab.lab.kit.points import Points
from bnlab.lab.race.run import race_run
from bnlab.lab.race.units import with_units
from bnlab.train import make_trainer, train
from tests.web.trained_page import LISTEN, newest
from tests.web.widget_page import (
    finished,
    group,
    load,
    note,
    press,
    put,
    summary_text,
    write_once,
    write_page,
)

pytestmark = pytest.mark.web

COUNTS = "The evidence for S2 counts these very runs."


NO_WORKER = "globalThis.Worker = undefined;"
NO_SIMD = """const Real = globalThis.Blob;  // what the worker is made of
globalThis.Blob = class extends Real {
  constructor([code], type) {
    super(["WebAssembly.validate = () => false;", code], type);
  }
};"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    race = Race(norms=s2_noisy_race.NORMS, offer=s2_noisy_race.NORMS, claim="S2", layers=True)
    return write_once(tmp_path_factory.mktemp("noisy"), race, "compiled/units.js")


def opened(page: Page, folder: Path, query: str) -> Page:
    load(page, folder, query)
    press(page)
    finished(page)
    return page


@pytest.mark.parametrize("lr", [0.03, 0.3])
def test_the_page_trains_what_the_evidence_counts(page, folder, troubles, lr):
    query = f"#race?lr={lr:g}&batch_size=64&depth=6&seed=267&noise=1&norms=none,batch,noisy_batch"
    text = summary_text(opened(page, folder, query))
    assert COUNTS in text and "noisy batch norm" in text
    at = claims.load("S2").data["columns"].index("val_accuracy")
    for norm in s2_noisy_race.NORMS:
        rows = claims.load("S2").data["rows"]
        stored = next(row for row in rows if row[:5] == ["race", 6, norm, lr, 267])
        history = train(race_run(norm, lr=lr, depth=6, seed=267, batch_size=64), "compiled")
        assert stored[at] == round(float(history.val_accuracy[-1]), 4)
        assert f"{stored[at]:.2f}" in text


def test_other_settings_are_not_said_to_be_counted(page, folder, troubles):
    query = "#race?lr=0.1&batch_size=32&depth=3&seed=264&norms=none,noisy_batch"
    text = summary_text(opened(page, folder, query))
    assert "noisy batch norm" in text and COUNTS not in text


def test_the_choice_is_that_of_the_chapter(page, folder, troubles):
    boxes = group(load(page, folder), "normalizers").locator("button, input")
    assert boxes.count() == 3


@pytest.mark.parametrize("noise", [0.25, 4.0])
def test_noise_of_any_strength_is_that_of_python(page, folder, troubles, noise):
    page.add_init_script(LISTEN)
    query = f"#race?lr=0.1&batch_size=64&depth=2&seed=265&noise={noise:g}&norms=batch,noisy_batch"
    text = summary_text(opened(page, folder, query))
    assert COUNTS not in text
    points = Points()
    run = race_run("noisy_batch", noise=noise, lr=0.1, depth=2, seed=265, batch_size=64)
    for record in make_trainer(run, "compiled").steps():
        points.add(record)
    mine, theirs = points.take(), newest(page)["noisy_batch"]
    assert theirs["loss"] == mine["loss"] and theirs["accuracy"] == mine["accuracy"]


def test_the_layers_move_as_in_python(page, folder, troubles):
    page.add_init_script(LISTEN)
    opened(page, folder, "#race?lr=0.03&batch_size=64&depth=3&seed=264&norms=none,noisy_batch")
    for norm, net in newest(page).items():
        run = race_run(norm, lr=0.03, depth=3, seed=264, batch_size=64, steps=20)
        rows = {r.step: some for r, some in with_units(make_trainer(run), 5) if some}
        assert [step for step, _ in net["layers"]] == list(range(5, 301, 5))
        for step, theirs in net["layers"][:4]:  # later, rounding has grown
            assert np.allclose(theirs, rows[step], rtol=1e-3, atol=1e-4), (norm, step)


def test_the_view_of_the_layers_follows(page, folder, troubles):
    pictures = opened(page, folder, "").locator(".bnlab-layer-plot")
    assert pictures.count() == 3
    for number in range(3):
        label = pictures.nth(number).get_attribute("aria-label")
        words = r"at step 300, .* in 5 steps a mean moves by [\d.]+ % of its spread"
        assert re.search(words, label)
    page.get_by_role("button", name="none", exact=True).click()
    expect(pictures).to_have_count(2)
    noise = page.get_by_role("slider", name=re.compile("noise"))
    moved = {}
    for strength in (0, 5):
        noise.fill(str(strength))
        finished(page)
        label = page.locator(".bnlab-layer-plot[data-norm=noisy_batch]").get_attribute("aria-label")
        moved[strength] = float(re.search(r"moves by ([\d.]+) %", label)[1])
    assert moved[5] > 3 * moved[0]


@pytest.mark.parametrize("without", [NO_WORKER, NO_SIMD], ids=["no worker", "no SIMD"])
def test_where_nothing_trains_the_stored_runs_of_these_seeds_are_shown(page, tmp_path, without):
    """And the sentence says why, whatever else is missing."""
    race = Race(norms=s2_noisy_race.NORMS, offer=s2_noisy_race.NORMS, claim="S2", layers=True)
    for name in ("compiled/units.js", "replay/noisy_race.js"):
        put(tmp_path, name)
    write_page(tmp_path, race)
    page.add_init_script(without)
    page.emulate_media(reduced_motion="reduce")
    why = re.compile("This page cannot train these nets, so stored runs are (shown|looked up)")
    for seed, lr, depth in ((264, 1.0, 6), (265, 0.03, 12), (266, 0.3, 2)):
        load(page, tmp_path, f"#race?lr={lr:g}&depth={depth}&seed={seed}")
        text = finished(page)
        for norm in race.options["counted"]["norms"]:
            history = train(race_run(norm, lr=lr, depth=depth, seed=seed), "compiled")
            if history.diverged_at is None:
                assert f"accuracy {history.val_accuracy[-1]:.2f}"[:13] in text
        expect(note(page)).to_contain_text(why)
    expect(page.locator(".bnlab-seen")).to_be_hidden()
    for query, sentence in (
        ("seed=270", "No stored run has seed 270; there is 264, 265, 266."),
        ("seed=264&depth=5", "No stored run has depth 5; there is 2, 6, 12."),
        ("seed=264&noise=4", "No stored run has noise 4; there is 1."),
        ("seed=264&batch_size=2", "No stored run has batch size 2; there is 64."),
    ):
        load(page, tmp_path, f"#race?{query}")
        expect(note(page)).to_contain_text(sentence)
        expect(note(page)).to_contain_text(why)
    race.close()
