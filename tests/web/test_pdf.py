"""The book as a PDF: all of it is there, whole, where the contents and the links say."""

import errno
import json
import re
from pathlib import Path

import pytest
import yaml
from playwright.sync_api import Browser

from bnlab import claims, show
from tests.project.repository_files import ROOT, load_tool
from tests.web.paper_site import FIGURES, write_site
from tests.web.printed_book import Book
from tests.web.site_server import SITE

pytestmark = pytest.mark.web

TOOL = load_tool("pdf")
HOME = "https://someone.github.io/book/"
WHOLE = SITE / "take" / TOOL.NAME
# Texts that are seen and lie beyond the column, and boxes that would cut or scroll what they hold.
CUT = """(width) => {
  const found = [], texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const unseen = "mjx-assistive-mml, .visually-hidden, .sr-only, style";
  for (let one = texts.nextNode(); one; one = texts.nextNode()) {
    if (!one.data.trim() || one.parentElement.closest(unseen)) continue;
    const range = document.createRange();
    range.selectNodeContents(one);
    if (!one.parentElement.checkVisibility({ visibilityProperty: true })) continue;
    const boxes = [...range.getClientRects()];
    if (boxes.some((box) => box.left < -2 || box.right > width + 2)) found.push(one.data.trim());
  }
  for (const box of document.querySelectorAll(".leaf *")) {
    const { overflowX } = getComputedStyle(box);
    const hides = overflowX !== "visible" && box.scrollWidth > box.clientWidth + 2;
    const seen = box.clientWidth > 30 && !box.closest(unseen);
    if (hides && seen) found.push(box.outerHTML.slice(0, 200));
  }
  return found;
}"""
LIGHT = """() => [...document.querySelectorAll("body, .leaf, .leaf *")].filter((one) => {
  const color = getComputedStyle(one).backgroundColor.match(/[\\d.]+/g).map(Number);
  const [red, green, blue, alpha = 1] = color;
  return alpha > 0.5 && red + green + blue < 300 && one.getBoundingClientRect().height > 60;
}).map((one) => one.outerHTML.slice(0, 100))"""


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    return write_site(tmp_path_factory.mktemp("site"))


@pytest.fixture(scope="module")
def taken(browser: Browser, site):
    """The leaves of the small site, and their styles."""
    return TOOL.read(browser, site, lambda _: None)


@pytest.fixture(scope="module")
def printed(browser: Browser, site, taken):
    """The small site, printed: the PDF and its leaves."""
    return Book(TOOL.print_book(browser, site, taken, HOME, say=lambda _: None)), taken[0]


@pytest.fixture(scope="module")
def whole():
    if not WHOLE.is_file():
        pytest.skip("the whole book is not printed here: make pdf")
    return Book(WHOLE.read_bytes())


def is_where_the_contents_say(book: Book) -> None:
    """Each entry names the page that has its title, and that is numbered so."""
    chapters = [(title, page) for depth, title, page in book.bookmarks if depth == 0]
    tight = [("".join(title.split()), page) for title, page in book.contents]
    assert tight == [("".join(title.split()), page) for title, page in chapters[2:]]
    for title, number in book.contents:
        text = book.text(number)
        assert "".join(title.split()) in "".join(text.split()), title
    for number in range(2, len(book.pages) + 1):
        assert re.search(rf"(^|\D){number}(\D|$)", book.text(number)), number
    begins = [page for _, page in book.contents]
    assert begins == sorted(set(begins)) and begins[-1] <= len(book.pages)


def is_whole(book: Book) -> None:
    """Fonts are inside, nothing begins beside the column, no figure lies on two pages."""
    assert book.loose_fonts() == set()
    assert book.outside() == []
    assert [(words, pages) for words, pages in book.figures() if len(pages) != 1] == []
    assert [n for n in range(1, len(book.pages) + 1) if len(book.text(n)) < 20] == []
    assert book.low_headings() == []


def leads_somewhere(book: Book) -> None:
    """Links lead to pages of the file or to public addresses."""
    for number, target in book.links():
        if isinstance(target, str):
            assert re.match(r"https?://|mailto:", target), (number, target)
            assert TOOL.ADDRESS not in target and "localhost" not in target, (number, target)
        else:
            assert 1 <= target <= len(book.pages)


def test_the_contents_name_the_pages(printed):
    book, leaves = printed
    is_where_the_contents_say(book)
    assert [title for title, _ in book.contents] == [leaf.title for leaf in leaves]
    assert [leaf.part for leaf in leaves] == ["", "Claims", "Claims"]
    titles = [title for _, title, _ in book.bookmarks]
    assert {"The last section", "All of them"} <= set(titles)


def test_nothing_is_cut_and_every_font_is_inside(printed):
    book, _ = printed
    is_whole(book)
    words = " ".join(words for words, _ in book.figures())
    for name in FIGURES:
        assert show.plot(claims.load(name)).alt[:40] in words
    assert str(book.reader.metadata.title) == TOOL.TITLE


def test_what_is_folded_is_open_and_code_that_draws_is_left_out(printed):
    book, _ = printed
    text = " ".join(book.text(number) for number in range(1, len(book.pages) + 1))
    assert "What was folded away." in text and "drawn()" not in text
    tight = "".join(text.split())
    assert "x" * 400 in tight and tight.count("number_15_of_many") == 4


def test_links_stay_in_the_book_or_lead_to_the_site(printed):
    book, leaves = printed
    leads_somewhere(book)
    begins = dict(book.contents)
    wide = [target for number, target in book.links() if number == begins["Wide things"]]
    evidence = f"{HOME}results/B1.json"
    assert wide == [begins["Figures"], begins["Figures"], evidence, "https://example.org/x"]
    assert f"{HOME}{leaves[2].path}#groups" in [target for _, target in book.links()]


def test_a_widget_shows_its_first_state_and_where_it_is_live(printed):
    book, leaves = printed
    text = book.text(len(book.pages))
    assert f"Live on the site: {HOME}{leaves[2].path}#groups" in text
    assert "cannot train" not in text and "Finished: step" in text
    assert len([1 for _, pages in book.figures() if pages == {len(book.pages)}]) >= 4


def test_without_an_address_the_place_is_said_in_words(browser: Browser, site, taken):
    book = Book(TOOL.print_book(browser, site, taken, say=lambda _: None))
    leads_somewhere(book)
    assert "Live on the site: book/02_seen.html#groups" in book.text(len(book.pages))
    addresses = [target for _, target in book.links() if isinstance(target, str)]
    assert addresses == ["https://example.org/x"]


def test_no_text_is_wider_than_the_column(browser: Browser, site, taken):
    size = {"width": TOOL.WIDTH, "height": TOOL.HEIGHT}
    page = browser.new_page(viewport=size)
    text = TOOL.whole(*taken, {}, HOME)
    assert TOOL.lay_out(page, site, text, taken[0], HOME) == []
    assert page.evaluate(CUT, TOOL.WIDTH) == []
    assert page.evaluate(LIGHT) == []
    page.evaluate("document.querySelector('.leaf pre').style.whiteSpace = 'pre'")
    assert len(page.evaluate(CUT, TOOL.WIDTH)) >= 1
    page.close()


def test_without_a_site_or_chromium_or_room_a_sentence_says_what_to_do(tmp_path, site, monkeypatch):
    with pytest.raises(SystemExit, match="make book"):
        TOOL.main([str(tmp_path)])
    monkeypatch.setattr(TOOL.browser.shutil, "which", lambda _: None)
    with pytest.raises(SystemExit, match="No Chromium"):
        TOOL.main([str(site)])

    def full(path: Path) -> None:
        path.write_bytes(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(SystemExit, match="free disk space"):
        TOOL.browser.write_whole(tmp_path / "take" / TOOL.NAME, full)
    assert list((tmp_path / "take").iterdir()) == []
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(SystemExit, match="could not be written"):
        TOOL.browser.write_whole(tmp_path / "file" / TOOL.NAME, full)


def test_the_whole_book_is_there_in_its_order(whole):
    is_where_the_contents_say(whole)
    files = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    names = [files["root"]] + [one["file"] for part in files["parts"] for one in part["chapters"]]
    found = ["".join(title.split()) for title, _ in whole.contents]
    assert found == ["".join(title_of(name).split()) for name in names]


def title_of(name: str) -> str:
    """The title of a page, from its source."""
    path = ROOT / name
    if path.with_suffix(".md").exists():
        text = path.with_suffix(".md").read_text(encoding="utf-8")
    else:
        cells = json.loads(path.with_suffix(".ipynb").read_text(encoding="utf-8"))["cells"]
        text = "\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "markdown")
    return re.search(r"^# (.+)$", text, re.MULTILINE)[1].strip()


def test_the_whole_book_is_whole_and_its_links_lead_somewhere(whole):
    is_whole(whole)
    leads_somewhere(whole)
    inside = [target for _, target in whole.links() if isinstance(target, int)]
    assert len(inside) > 100
