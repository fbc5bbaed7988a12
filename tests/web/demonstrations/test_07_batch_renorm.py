"""Chapter 07: the guess and the things to try show what it says."""

import html
import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from bnlab.lab import SmallBatches
from tests.web.widget_page import finished, load, pick, press, write_once

pytestmark = pytest.mark.web

PAGE = Path(__file__).parents[3] / "book" / "07_batch_renorm.ipynb"
CELLS = json.loads(PAGE.read_text(encoding="utf-8"))["cells"]
PROSE = "\n".join("".join(cell["source"]) for cell in CELLS if cell["cell_type"] == "markdown")
CODE = "\n".join("".join(cell["source"]) for cell in CELLS if cell["cell_type"] == "code")
COLUMNS = ("train", "batch", "running", "recomputed")


def links(section: str) -> list[str]:
    """States of the widget that a part of the page links to, in order."""
    part = PROSE.split(section)[1].split("\n## ")[0]
    return [html.unescape(one) for one in re.findall(r'href="(#small\?[^"]*)"', part)]


TRY_BELIEVE, TRY_CLASSES = links("## Things to try")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A page with the widget as the chapter makes it."""
    made = re.search(r"\b(SmallBatches\(.*\))$", CODE, re.M).group(1)
    widget = eval(made, {"SmallBatches": SmallBatches})
    return write_once(tmp_path_factory.mktemp("chapter"), widget, "compiled/nets.js")


def table(page: Page) -> dict[str, dict[str, float]]:
    """The accuracies of each net at the end, by its short name."""
    found = {}
    for row in page.locator(".bnlab-ends tbody tr").all():
        numbers = map(float, row.locator("td").all_inner_texts())
        name = row.locator("th").inner_text().strip()
        found[name] = dict(zip(COLUMNS, numbers, strict=True))
    return found


def opened(page: Page, folder: Path, link: str = "") -> dict[str, dict[str, float]]:
    load(page, folder, link)
    finished(page)
    return table(page)


def test_the_guess_hides_the_outcome_and_reveals_it(page, folder, troubles):
    load(page, folder)  # "## Guess first", as the page shows the widget
    expect(page.locator(".bnlab-plots")).to_be_hidden()
    page.get_by_role("radio", name="batch renorm").check(force=True)
    press(page, "Reveal")
    finished(page)
    expect(page.locator(".bnlab-verdict")).to_contain_text("Right: batch renorm ended highest")
    ends = table(page)
    batch, renorm = ends["batch"], ends["renorm"]  # "Would better running statistics help?"
    assert batch["running"] + 0.05 < batch["recomputed"] < renorm["running"] - 0.05  # "In part"


def test_which_accuracy_one_believes_and_how_it_breaks(page, folder, troubles):
    ends = opened(page, folder, TRY_BELIEVE)
    apart = {name: abs(one["batch"] - one["running"]) for name, one in ends.items()}
    assert apart["batch"] > 0.1 > 0.05 > max(apart["renorm"], apart["group"])
    for name in ("r at most", "d at most"):  # "put both limits to the smallest value"
        page.get_by_role("slider", name=re.compile(f"^{name}")).fill("0")
        finished(page)
    broken = table(page)
    assert broken["batch"] == ends["batch"]
    assert broken["renorm"]["running"] < ends["renorm"]["running"] - 0.2
    for part in ("train", "batch", "running"):  # "It falls as far as BatchNorm"
        assert broken["renorm"][part] < broken["batch"][part] + 0.05


def test_two_classes_and_one(page, folder, troubles):
    ends = opened(page, folder, TRY_CLASSES)
    batch = ends["batch"]
    assert batch["train"] < 0.5  # "less often than a coin that knows the two"
    assert batch["running"] > batch["train"] + 0.3  # "which curve tells the truth?"
    assert ends["renorm"]["train"] > 0.95
    pick(page, "images of a batch", "one class")
    finished(page)
    assert table(page)["batch"]["running"] < 0.2  # "what is left of it?": guessing
