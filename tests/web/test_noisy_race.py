"""The race of chapter 04, trained in the page: noisy BatchNorm, and the runs that S2 counts."""

import shutil
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from race_page import write_page

from bnlab import claims
from bnlab.claims import noisy_race
from bnlab.lab import Race
from bnlab.lab.points import race_run
from bnlab.train import train

pytestmark = pytest.mark.web

NETS = Path(__file__).parents[2] / "assets" / "compiled" / "nets.js"
COUNTS = "The evidence for S2 counts these very runs."


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("noisy")
    place = folder / "_static" / "compiled"
    place.mkdir(parents=True)
    shutil.copy(NETS, place)
    race = Race(norms=noisy_race.NORMS, offer=noisy_race.NORMS, claim="S2")
    write_page(folder, race)
    race.close()
    return folder


@pytest.fixture
def troubles(page: Page):
    found = []
    page.on("console", lambda m: m.type in ("error", "warning") and found.append(m.text))
    page.on("pageerror", lambda error: found.append(str(error)))
    yield found
    assert found == []


def opened(page: Page, folder: Path, query: str) -> Page:
    page.goto("about:blank")
    page.goto(f"file://{folder}/index.html{query}")
    page.wait_for_function("globalThis.ready")
    page.get_by_role("button", name="Train", exact=True).click()
    expect(page.locator(".bnlab-summary")).to_contain_text("Finished", timeout=20_000)
    return page


@pytest.mark.parametrize("lr", [0.03, 0.3])
def test_the_page_trains_what_the_evidence_counts(page, folder, troubles, lr):
    query = f"#race?lr={lr:g}&batch_size=64&depth=6&seed=523&norms=none,batch,noisy_batch"
    text = opened(page, folder, query).locator(".bnlab-summary").inner_text()
    assert COUNTS in text and "noisy batch norm" in text
    at = claims.load("S2").data["columns"].index("val_accuracy")
    for norm in noisy_race.NORMS:
        rows = claims.load("S2").data["rows"]
        stored = next(row for row in rows if row[:5] == ["race", 6, norm, lr, 523])
        history = train(race_run(norm, lr=lr, depth=6, seed=523, batch_size=64), "compiled")
        assert stored[at] == round(float(history.val_accuracy[-1]), 4)
        assert f"{stored[at]:.2f}" in text


def test_other_settings_are_not_said_to_be_counted(page, folder, troubles):
    query = "#race?lr=0.1&batch_size=32&depth=3&seed=520&norms=none,noisy_batch"
    text = opened(page, folder, query).locator(".bnlab-summary").inner_text()
    assert "noisy batch norm" in text and COUNTS not in text


def test_the_choice_is_that_of_the_chapter(page, folder, troubles):
    page.goto(f"file://{folder}/index.html")
    page.wait_for_function("globalThis.ready")
    boxes = page.get_by_role("group", name="normalizers").locator("button, input")
    assert boxes.count() == 3
