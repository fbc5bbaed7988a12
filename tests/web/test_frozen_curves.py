"""Freeze keeps the curves of a training, pale, to compare the next one with."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from bnlab.lab import GroupSizes, Landscape, Race, SmallBatches
from tests.web.widget_page import finished, load, move, press, settle, write_once

pytestmark = pytest.mark.web
WIDGETS = {
    "race": (Race, "compiled/nets.js", "learning rate"),
    "small": (SmallBatches, "compiled/nets.js", "learning rate"),
    "landscape": (Landscape, "compiled/nets.js", "train to step"),
    "groups": (GroupSizes, "compiled/groups.js", "learning rate"),
}


def lines(page: Page, ghosts: bool = False) -> list[str]:
    """The curves of the plots, or those from before, as paths."""
    kind = ".bnlab-ghost" if ghosts else ":not(.bnlab-ghost)"
    found = page.locator(f".bnlab-stage .bnlab-plot .bnlab-curve{kind}")
    return found.evaluate_all("all => all.map((line) => line.getAttribute('d'))")


def end(page: Page, name: str) -> None:
    """Until the nets are trained."""
    if name == "landscape":
        settle(page)
        page.wait_for_function(
            "document.querySelector('.bnlab-summary').textContent.startsWith('Finished')"
        )
    else:
        finished(page)


@pytest.mark.parametrize("name", WIDGETS)
def test_frozen_curves_stay_behind_those_of_another_setting(page, tmp_path, troubles, name):
    kind, stored, control = WIDGETS[name]
    load(page, write_once(tmp_path, kind(), stored))
    freeze = page.get_by_role("button", name="Freeze", exact=True)
    expect(freeze).to_have_attribute("aria-disabled", "true")
    press(page, "Train")
    end(page, name)
    before = lines(page)
    press(page, "Freeze")
    assert lines(page, ghosts=True) == [], "a curve lies behind itself"
    move(page, control, 1)
    end(page, name)
    now = lines(page)
    assert now != before
    if name != "landscape":  # its heights follow what is drawn
        assert lines(page, ghosts=True) == before
    assert len(lines(page, ghosts=True)) == len(before)
    press(page, "Unfreeze")
    assert lines(page) == now or name == "landscape"
    assert lines(page, ghosts=True) == []
    expect(freeze).to_have_attribute("aria-disabled", "false")


def test_ghosts_say_so_and_follow_the_legend(page, tmp_path, troubles):
    load(page, write_once(tmp_path, Race(norms=("none", "batch")), "compiled/nets.js"))
    press(page, "Train")
    finished(page)
    press(page, "Freeze")
    move(page, "learning rate", 3)
    finished(page)
    plot = page.locator(".bnlab-plot").first
    assert "the curves that were frozen before" in plot.get_attribute("aria-label")
    labels = plot.locator(".bnlab-label.bnlab-ghost")
    assert labels.all_text_contents() == ["before", "before"]
    page.locator(".bnlab-key[data-norm=none]").click()
    assert labels.count() == 1
