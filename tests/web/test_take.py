"""What a reader takes along: the zip of the site opens from a disk, the figures are whole."""

import io
import re
import shutil
import xml.etree.ElementTree as ET
import zipfile

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page

from bnlab import show
from tests.project.repository_files import ROOT, load_tool

pytestmark = pytest.mark.web

TOOL = load_tool("take")
NAMES = ("B1", "S1", "T1")
FRONT = """<!DOCTYPE html><html lang="en"><head><title>b</title><link rel="icon" href="data:,">
<link rel="stylesheet" href="../_static/site.css"></head><body><h1>The book</h1>
<!-- take --><!-- end take --></body></html>"""
INK = "() => [...document.querySelectorAll('svg text')].map((one) => one.getBBox()).length"
OUTSIDE = """() => {
  const frame = document.querySelector("svg").getBoundingClientRect();
  return [...document.querySelectorAll("svg text")].filter((one) => {
    const box = one.getBoundingClientRect();
    return box.left < frame.left - 1 || box.right > frame.right + 1
      || box.top < frame.top - 1 || box.bottom > frame.bottom + 1;
  }).map((one) => one.textContent);
}"""


@pytest.fixture(scope="module")
def figures(browser: Browser):
    """The files of three claims' figures."""
    return dict(TOOL.figure_files(NAMES, browser))


@pytest.fixture
def site(tmp_path):
    """A small site."""
    for folder in ("book", "_static", "take"):
        (tmp_path / "site" / folder).mkdir(parents=True)
    (tmp_path / "site" / "book" / "index.html").write_text(FRONT, encoding="utf-8")
    shutil.copy(ROOT / "assets" / "site.css", tmp_path / "site" / "_static")
    (tmp_path / "site" / "take" / "old.zip").write_bytes(b"an older one")
    return tmp_path / "site"


def packed(site):
    TOOL.pack(site / "take" / TOOL.BOOK, TOOL.site_files(site))
    return site / "take" / TOOL.BOOK


def test_the_zip_holds_the_site_and_nothing_that_was_added_to_it(site):
    with zipfile.ZipFile(packed(site)) as archive:
        assert archive.testzip() is None
        names = {f"normalization-lab/{name}" for name in ("book/index.html", "_static/site.css")}
        assert set(archive.namelist()) == names
    assert not list((site / "take").glob("*.part"))


def test_it_opens_from_a_disk(site, tmp_path, page: Page, troubles):
    shutil.unpack_archive(packed(site), tmp_path / "there")
    page.goto((tmp_path / "there/normalization-lab/book/index.html").as_uri())
    assert page.locator("h1").inner_text() == "The book"
    assert page.evaluate("document.styleSheets[0].href").endswith("_static/site.css")


def test_a_second_time_gives_the_same_bytes_and_one_line_of_links(site):
    front, first = site / "book" / "index.html", packed(site).read_bytes()
    (site / "take" / TOOL.FIGURES).write_bytes(b"figures")
    for _ in range(2):
        html = front.read_text(encoding="utf-8")
        front.write_text(TOOL.with_links(html, TOOL.links(site)), encoding="utf-8")
        assert packed(site).read_bytes() == first
    found = re.findall(r'href="\.\./(take/[^"]+)"', front.read_text(encoding="utf-8"))
    assert found == [f"take/{TOOL.BOOK}", f"take/{TOOL.FIGURES}"]
    assert all((site / name).is_file() for name in found)


def test_only_what_is_there_is_linked_with_its_size(site):
    for name, size in ((TOOL.FIGURES, 2_400_000), (TOOL.PDF, 7_600_000)):
        (site / "take" / name).write_bytes(bytes(size))
    line = TOOL.links(site)
    assert re.findall(r'take/([^"]+)"', line) == [TOOL.PDF, TOOL.FIGURES]
    assert "(8\u00a0MB) and" in line and "(2\u00a0MB)." in line
    assert load_tool("pdf").NAME == TOOL.PDF


def test_a_zip_that_cannot_be_written_is_not_there_in_part(site):
    def broken():
        yield "one", b"1"
        raise OSError(28, "No space left on device")

    with pytest.raises(SystemExit, match="free disk space"):
        TOOL.pack(site / "take" / TOOL.BOOK, broken())
    assert [path.name for path in (site / "take").iterdir()] == ["old.zip"]


def test_the_first_page_has_the_place_for_the_links():
    text = (ROOT / "book" / "index.md").read_text(encoding="utf-8")
    assert len(TOOL.PLACE.findall(text)) == 1


def test_without_a_place_or_a_site_a_sentence_says_what_to_do(tmp_path):
    with pytest.raises(SystemExit, match="make book"):
        TOOL.with_links("<p>An old page</p>", "")
    with pytest.raises(SystemExit, match="make book"):
        TOOL.main([str(tmp_path)])


def test_each_panel_is_there_twice_and_said_in_words(figures):
    stems = [stem for drawn, _ in TOOL.panels(NAMES) for stem, _ in drawn]
    wanted = {f"figures/{stem}.{kind}" for stem in stems for kind in ("svg", "png")}
    assert set(figures) == wanted | {"figures/figures.txt"} and len(stems) > len(NAMES)
    said = figures["figures/figures.txt"].decode()
    assert all(re.search(rf"^{name}: ", said, re.M) for name in NAMES) and "CC BY" in said
    assert set(NAMES) <= set(show.FIGURES)


def test_an_svg_needs_no_page_around_it_and_no_text_is_cut_off(figures, page: Page):
    for name, content in figures.items():
        if name.endswith(".svg"):
            text = content.decode()
            ET.fromstring(text)
            assert "var(" not in text and "currentColor" not in text
            page.set_content(text)
            assert page.evaluate(INK) > 4
            assert page.evaluate(OUTSIDE) == [], name


def test_a_png_has_its_size_and_shows_something(figures):
    for name, content in figures.items():
        if name.endswith(".png"):
            svg = figures[name.replace(".png", ".svg")].decode()
            width = float(re.search(r'width="([\d.]+)pt"', svg)[1]) * 96 / 72
            image = Image.open(io.BytesIO(content)).convert("L")
            assert abs(image.width - TOOL.SCALE * width) <= 2 * TOOL.SCALE
            low, high = image.getextrema()
            assert low < 60 and high == 255
