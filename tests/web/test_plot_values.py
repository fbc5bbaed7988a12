"""Values of a plot by pointer and by keyboard, the line at chance, and files of what is shown."""

from __future__ import annotations

import csv
import re
import struct
from pathlib import Path
from xml.etree import ElementTree

import pytest
from playwright.sync_api import Page, expect

from bnlab.lab import GroupSizes, Lawn, Race, SmallBatches
from tests.web.accessibility import violations
from tests.web.widget_page import finished, full_screen, load, move, note, pick, press, write_once

pytestmark = pytest.mark.web
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """A page for each widget, made once."""
    made: dict[type, Path] = {}

    def find(kind: type, stored: str = "compiled/nets.js") -> Path:
        if kind not in made:
            made[kind] = write_once(tmp_path_factory.mktemp(kind.__name__), kind(), stored)
        return made[kind]

    return find


def cursors(page: Page):
    return page.get_by_role("slider", name=re.compile("^values of "))


def said(page: Page, number: int) -> str:
    return cursors(page).nth(number).get_attribute("aria-valuetext")


# ---- values ------------------------------------------------------------------------------------


def test_arrow_keys_tell_each_value(page, folders, troubles):
    load(page, folders(Race), "#race?norms=none,batch,layer&lr=0.3")
    finished(page)
    losses = page.locator(".bnlab-plots .bnlab-frame").nth(0)
    before = losses.locator(".bnlab-cursor-line")
    expect(before).to_be_hidden()
    cursors(page).nth(0).press("Home")
    assert re.fullmatch(r"step 5: none [\d.]+; batch [\d.]+; layer [\d.]+", said(page, 0))
    for key, step in (("ArrowRight", 10), ("ArrowUp", 15), ("ArrowLeft", 10), ("End", 300)):
        page.keyboard.press(key)
        assert said(page, 0).startswith(f"step {step}: ")
        expect(before).to_be_visible()
    page.keyboard.press("ArrowRight")
    assert said(page, 0).startswith("step 300: "), "there is nothing beyond the end"
    shown = losses.locator(".bnlab-cursor-values").inner_text()
    assert [float(text) for text in re.findall(r"[\d.]+$", shown, re.M)][1:] == [
        float(text) for text in re.findall(r" (\d[\d.]*)(?:;|$)", said(page, 0))
    ]
    cursors(page).nth(1).focus()
    expect(before).to_be_hidden()
    page.keyboard.press("End")
    ends = re.findall(r"accuracy ([\d.]+)", page.locator(".bnlab-summary").inner_text())
    assert re.findall(r" (\d\.\d\d)", said(page, 1)) == ends


def test_the_pointer_shows_values_within_the_plot_at_every_place(page, folders, troubles):
    load(page, folders(Race), "#race?norms=none,batch,layer,group&lr=10")
    finished(page)
    press(page, "Freeze")
    move(page, "learning rate", 6)
    finished(page)
    for number in (0, 1):
        frame = page.locator(".bnlab-plots .bnlab-frame").nth(number)
        frame.scroll_into_view_if_needed()
        box = frame.bounding_box()
        steps = []
        for share in (0.02, 0.3, 0.5, 0.7, 0.98):
            page.mouse.move(box["x"] + share * box["width"], box["y"] + box["height"] / 2)
            words = frame.locator(".bnlab-cursor-values")
            text, place = words.inner_text(), words.bounding_box()
            steps.append(int(re.match(r"step (\d+)", text)[1]))
            assert place["x"] >= box["x"] - 1
            assert place["x"] + place["width"] <= box["x"] + box["width"] + 1
            assert len(text.splitlines()) == 5 and "before" in text
        assert steps == sorted(set(steps)) or steps[-1] == steps[-2]
        assert "diverged" in text
        page.mouse.move(5, 5)
        expect(words).to_be_hidden()


def test_untrained_plots_say_that_there_is_nothing(page, folders, troubles):
    load(page, folders(Lawn, "compiled/lawn.js"))
    assert {said(page, k) for k in range(cursors(page).count())} == {"no values yet"}
    cursors(page).nth(0).press("ArrowLeft")
    expect(page.locator(".bnlab-cursor-line").first).to_be_hidden()


@pytest.mark.parametrize("kind", [Race, SmallBatches])
def test_accuracies_have_a_line_at_chance_and_losses_none(page, folders, troubles, kind):
    load(page, folders(kind))
    for plot in page.locator(".bnlab-plots .bnlab-plot").all():
        is_loss = "loss" in plot.get_attribute("aria-label")
        assert plot.locator(".bnlab-chance").count() == (0 if is_loss else 1)
        words = plot.locator(".bnlab-chance-text").all_text_contents()
        assert words == ([] if is_loss else ["chance"])


# ---- files -------------------------------------------------------------------------------------


def save(page: Page, kind: str, folder: Path) -> Path:
    press(page, "Download")
    with page.expect_download() as found:
        press(page, kind)
    assert found.value.suggested_filename.endswith(f".{kind.lower()}")
    path = folder / found.value.suggested_filename
    found.value.save_as(path)
    return path


def test_csv_has_every_value_that_is_drawn(page, folders, troubles, tmp_path):
    load(page, folders(SmallBatches), "#small?norms=batch,group&lr=0.3")
    finished(page)
    press(page, "Freeze")
    move(page, "learning rate", 8)
    finished(page)
    text = save(page, "CSV", tmp_path).read_text(encoding="utf-8-sig")
    head, *rows = csv.reader(text.splitlines())
    assert head[:5] == ["plot", "curve", "setting", "step, layer or length", "value"]
    drawn = page.locator(".bnlab-plots .bnlab-curve").evaluate_all(
        "all => all.reduce((sum, line) => sum + Number(line.dataset.points), 0)"
    )
    diverged = sum(row[4] == "diverged" for row in rows)
    assert len(rows) - diverged == drawn > 0
    assert {row[1] for row in rows} == {"group norm", "batch norm"}
    assert len({row[2] for row in rows}) == 2, "what was frozen has its own setting"
    ends = {(row[0], row[2], row[1]): row[4] for row in rows if row[4] != "diverged"}
    written = {f"{float(value):.2f}" for value in ends.values()}
    assert set(page.locator(".bnlab-ends td").all_inner_texts()[:3]) <= written


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_svg_stands_alone_and_png_is_twice_as_large(page, folders, troubles, tmp_path, theme):
    load(page, folders(GroupSizes, "compiled/groups.js"), theme=theme)
    press(page, "Train")
    finished(page)
    path = save(page, "SVG", tmp_path)
    text = path.read_text(encoding="utf-8")
    root = ElementTree.fromstring(text)
    assert "var(" not in text and "light-dark" not in text and "class=" not in text
    assert len(root.findall(f"{SVG}svg")) == page.locator(".bnlab-plot:visible").count()
    ground = root.find(f"{SVG}rect").get("fill")
    assert ground == {"light": "rgb(255, 255, 255)", "dark": "rgb(20, 24, 30)"}[theme]
    size = (int(root.get("width")), int(root.get("height")))
    png = save(page, "PNG", tmp_path).read_bytes()
    assert struct.unpack(">II", png[16:24]) == (2 * size[0], 2 * size[1])
    words = " ".join(root.itertext())
    for caption in page.locator("figcaption:visible").all_inner_texts():
        assert caption in words
    alone = page.context.new_page()
    alone.goto(f"file://{path}")
    boxes = alone.locator("text").evaluate_all(
        "all => all.map((text) => text.getBoundingClientRect().toJSON())"
    )
    assert all(box["left"] >= 0 and box["right"] <= size[0] + 1 for box in boxes)
    alone.close()


def test_what_a_guess_hides_is_not_saved(page, folders, troubles):
    load(page, folders(Race), "#race?predict=1")
    for kind in ("SVG", "PNG", "CSV"):
        press(page, "Download")
        press(page, kind)
        expect(note(page)).to_contain_text("Nothing is shown yet")
    pick(page, "Which one ends", "batch norm")


def test_the_menu_opens_and_closes_by_keys_and_leaves_full_screen_alone(page, folders, troubles):
    load(page, folders(Race))
    full_screen(page)
    opener = page.get_by_role("button", name="Download")
    expect(opener).to_be_hidden()
    page.keyboard.press("c")
    opener.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="CSV")).to_be_focused()
    expect(opener).to_have_attribute("aria-expanded", "true")
    page.keyboard.press("Escape")
    expect(opener).to_be_focused()
    expect(page.get_by_role("button", name="CSV")).to_be_hidden()
    expect(page.locator(".bnlab")).to_have_class(re.compile("bnlab-large"))


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_with_ghosts_values_and_an_open_menu(page, folders, troubles, theme):
    load(page, folders(Race), "#race?norms=none,batch,layer", theme=theme)
    finished(page)
    press(page, "Freeze")
    move(page, "learning rate", 3)
    finished(page)
    cursors(page).nth(0).press("Home")
    assert violations(page) == []
    press(page, "Download")
    assert violations(page) == []
