"""The zip of the whole site, unpacked elsewhere: its pages are whole, its widgets train."""

import re
import shutil
from html import unescape
from pathlib import Path
from urllib.parse import unquote

import pytest
from playwright.sync_api import Page, expect

from tests.project.repository_files import load_tool
from tests.web.read_page import Watch, settle
from tests.web.site_server import SITE

pytestmark = pytest.mark.web

TOOL = load_tool("take")
LINK = re.compile(r'\b(?:href|src)="([^"]+)"')


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    packed = SITE / "take" / TOOL.BOOK
    if not packed.is_file():
        pytest.skip("the whole site is not packed here: make take")
    there = tmp_path_factory.mktemp("taken")
    shutil.unpack_archive(packed, there)
    return there / "normalization-lab"


def test_its_front_leads_to_the_first_page(folder: Path, page: Page):
    page.goto((folder / "index.html").as_uri())
    page.wait_for_url("**/book/index.html")


def test_the_first_page_is_whole(folder: Path, page: Page):
    watch = Watch(page, "file://")
    page.goto((folder / "book" / "index.html").as_uri())
    settle(page)
    assert page.locator("h1").first.inner_text().startswith("The Normalization Lab")
    assert page.locator('a[href*="/take/"]').count() == 0
    assert [wrong for wrong in watch.wrong if "font" not in wrong.lower()] == []


def test_a_race_trains(folder: Path, page: Page):
    watch = Watch(page, "file://")
    page.goto((folder / "book" / "03_learning_rates.html").as_uri())
    settle(page)
    race = page.locator("section.bnlab-race").first
    race.get_by_label("Predict first").set_checked(False)
    race.locator(".bnlab-main").click()
    expect(race.locator(".bnlab-badge")).to_contain_text("in this page")
    expect(race.locator(".bnlab-summary")).to_contain_text("Finished: step")
    assert [wrong for wrong in watch.wrong if "font" not in wrong.lower()] == []


def test_no_link_is_dead(folder: Path):
    dead = []
    pages = [page for page in folder.rglob("*.html") if "_static" not in page.parts]  # no templates
    for page in pages:
        for link in LINK.findall(page.read_text(encoding="utf-8")):
            path = unquote(unescape(link)).split("#")[0].split("?")[0]
            if path and not re.match(r"[a-z]+:|//", path) and not (page.parent / path).exists():
                dead.append((page.name, link))
    assert dead == []
