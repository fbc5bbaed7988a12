"""A browser that cannot train: the first state is drawn, with a sentence why, never empty axes."""

import functools
import itertools
import json
import re

import pytest
from playwright.sync_api import Page, expect

from bnlab.lab import (
    Bits,
    GroupSizes,
    Landscape,
    Lawn,
    Mimic,
    Plane,
    SmallBatches,
    site,
)
from bnlab.lab.kit.first import OUTPUT
from tests.web.accessibility import violations
from tests.web.widget_page import finished, load, note, pick, press, put, slider, write_page

pytestmark = pytest.mark.web

STORED = json.loads(OUTPUT.read_text("utf-8").partition(" = ")[2].removesuffix(";\n"))["widgets"]
WIDGETS = {
    "bits": functools.partial(Bits, ("batch", "signs", "none"), shortcuts="off", lr=0.01),
    "groups": GroupSizes,
    "landscape": Landscape,
    "lawn": Lawn,
    "mimic": Mimic,
    "plane": Plane,
    "small": SmallBatches,
}
NO_WORKER = "delete globalThis.Worker;"
NO_COMPILED = "delete globalThis.WebAssembly;"
IN_WORKERS_TOO = """{
  const Real = globalThis.Blob;
  globalThis.Blob = function (parts, options) { return new Real(["%s", ...parts], options); };
  %s
}"""
CURVES = ".bnlab-curve[data-points]:not([data-points='0'])"
STATE = "JSON.stringify(model.get('state'))"
SENTENCE = "This page cannot train these nets, so its first setting is shown, computed beforehand."


def opened(page: Page, folder, name: str, lack: str, **arguments) -> None:
    widget = WIDGETS[name](**arguments)
    for path in (f"compiled/{widget.options['compiled']}.js", "replay/first.js"):
        put(folder, path)
    write_page(folder, widget)
    widget.close()
    # A worker has its own scope: what it is made of is taken away there, too.
    page.add_init_script(lack if lack == NO_WORKER else IN_WORKERS_TOO % (lack, lack))
    load(page, folder)


@pytest.mark.parametrize(
    ("name", "lack"),
    list(itertools.product(WIDGETS, (NO_WORKER, NO_COMPILED))),
    ids=lambda one: (
        "no-worker" if one == NO_WORKER else "no-compiled" if one == NO_COMPILED else one
    ),
)
def test_the_first_state_is_there_without_a_press(page, tmp_path, troubles, name, lack):
    opened(page, tmp_path, name, lack)
    expect(note(page)).to_contain_text(SENTENCE)
    expect(note(page)).to_contain_text(re.compile("web workers|WebAssembly"))
    expect(page.locator(".bnlab-badge")).to_have_text("stored results of one setting")
    expect(page.locator(".bnlab-headline")).not_to_be_empty()
    expect(page.locator(CURVES)).not_to_have_count(0)
    assert "NaN" not in page.content()
    assert violations(page) == []


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("small", lambda page: pick(page, "batch size", "8")),
        ("landscape", lambda page: slider(page, "train to step").fill("3")),
        ("bits", lambda page: pick(page, "blocks", "4")),
        ("lawn", lambda page: slider(page, "wrong labels").fill("0")),
        ("mimic", lambda page: slider(page, "depth").fill("0")),
        ("groups", lambda page: slider(page, "group size").fill("0")),
        ("plane", lambda page: pick(page, "depth", "8")),
    ],
)
def test_what_is_not_stored_goes_back_to_what_is(page, tmp_path, troubles, name, change):
    opened(page, tmp_path, name, NO_WORKER)
    expect(note(page)).to_contain_text(SENTENCE)
    expect(page.locator(CURVES)).not_to_have_count(0)  # the stored file may come late
    plot = page.locator(".bnlab-plot").first
    before, state = plot.get_attribute("data-shown"), page.evaluate(STATE)
    change(page)
    page.wait_for_function(f"state => {STATE} === state", arg=state)
    expect(page.locator(CURVES)).not_to_have_count(0)
    expect(note(page)).to_contain_text(SENTENCE)
    expect(plot).to_have_attribute("data-shown", before)


def test_fewer_nets_than_are_stored(page, tmp_path, troubles):
    opened(page, tmp_path, "small", NO_WORKER)
    expect(note(page)).to_contain_text(SENTENCE)
    page.get_by_role("checkbox", name="renorm", exact=True).click()
    finished(page)
    assert page.locator(".bnlab-ends tbody tr").count() == 1


def test_a_guess_is_asked_for_first(page, tmp_path, troubles):
    opened(page, tmp_path, "small", NO_WORKER, predict=True)
    expect(page.locator(".bnlab-badge")).to_have_text("stored results of one setting")
    expect(page.locator(".bnlab-plots")).to_be_hidden()
    page.get_by_role("radio", name="batch renorm").check(force=True)
    press(page, "Reveal")
    finished(page)
    expect(page.locator(".bnlab-verdict")).to_contain_text("batch renorm ended highest")


def test_all_points_of_the_plane_are_stored(page, tmp_path, troubles):
    opened(page, tmp_path, "plane", NO_WORKER)
    expect(note(page)).to_contain_text(SENTENCE)
    press(page, "Train all")
    expect(page.locator(".bnlab-cell-trained, .bnlab-cell-lost")).to_have_count(78)
    expect(page.locator(".bnlab-headline")).to_have_text(
        re.compile(r" computed before training, is right at \d\d of 78 points\.$")
    )


def test_every_widget_with_the_option_has_its_first_state_in_the_file():
    assert set(STORED) >= set(WIDGETS)
    assert len(site.firsts()) == len(STORED)
    for name, kind in WIDGETS.items():
        widget = kind()
        assert widget.options["first"] and widget.options["name"] == name
        stored = STORED[name]["state"]
        for key, value in stored.items():
            if key == "norms":
                assert set(widget.state["norms"]) <= set(value)
            else:
                assert widget.state[key] == value, (name, key)
        widget.close()
