"""Prints the built site as one PDF: all its pages, in the order of its contents.

.venv/bin/python tools/pdf.py [SITE]     `make pdf` builds the site before

Each page is opened as a reader opens it, but nothing is trained: widgets show their stored first
state. Its article is taken as paper/leaf.js says; all of them become one document, so that links,
bookmarks and page numbers are Chromium's own. It is printed until the numbers stay: the first time
tells on which page each chapter begins, the next one has that in its contents.
"""

import html
import io
import json
import logging
import mimetypes
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urldefrag, urlsplit

import browser
from playwright.sync_api import Error as PlaywrightError
from pypdf import PdfReader, PdfWriter
from set_repository import PLACEHOLDER, current, pages_host

logging.getLogger("pypdf").setLevel(logging.ERROR)  # Chromium counts its objects otherwise
PAPER = Path(__file__).resolve().parent / "paper"
NAME = "normalization-lab.pdf"
TITLE = "The Normalization Lab"
ADDRESS = "http://book.site/"  # answered from the site's folder: nothing is asked of a network
PRINTED = "book/printed.html"  # the whole, which has no file
SCALE = 0.8  # of a screen's size: text of 16 px becomes 9.6 points
MILLIMETRE = 96 / 25.4 / SCALE  # in px of the document
WIDTH, HEIGHT = round(174 * MILLIMETRE), round(256 * MILLIMETRE)  # A4 without its margins
PATIENCE = 600_000  # ms: a busy machine is not a fault
NO_TRAINING = "delete globalThis.Worker;"
# Whatever waits to be seen is seen at once: there is no scrolling on paper.
ALL_SEEN = """globalThis.IntersectionObserver = class {
  constructor(hear) { this.hear = hear; }
  observe(target) {
    const seen = { target, isIntersecting: true, intersectionRatio: 1 };
    setTimeout(() => this.hear([seen], this));
  }
  unobserve() {}
  disconnect() {}
};"""
CONTENTS = """() => [...document.querySelectorAll("nav.bd-links a.internal")].map((link) => [
  link.closest("ul")?.previousElementSibling?.textContent.trim() ?? "", link.href,
])"""


@dataclass
class Leaf:
    """A page of the site: its place, the part of the book that it is in, and what it becomes."""

    path: str
    part: str
    own: str  # begins all its names
    title: str = ""
    html: str = ""


# ------------------------------------------------------------------------------ reading the site


def answer_from(site, page, made=None):
    """Let a page find the site at ADDRESS, at PRINTED what was made, and nothing else."""

    def answer(route):
        path = unquote(urlsplit(route.request.url).path).lstrip("/")
        if path == PRINTED and made:
            return route.fulfill(body=made, content_type="text/html; charset=utf-8")
        file = site / path
        if not route.request.url.startswith(ADDRESS) or not file.is_file():
            return route.abort()
        kind = mimetypes.guess_type(path)[0] or "application/octet-stream"
        return route.fulfill(body=file.read_bytes(), content_type=kind)

    page.route(re.compile("^https?:"), answer)
    page.set_default_timeout(PATIENCE)


def order(page):
    """The pages of the book in the order of the site's contents, the first page before them."""
    page.goto(ADDRESS + browser.FRONT)
    found, seen = [Leaf(browser.FRONT, "", "p0")], {browser.FRONT}
    for part, link in page.evaluate(CONTENTS):
        path = urlsplit(urldefrag(link).url).path.lstrip("/")
        if link.startswith(ADDRESS) and path not in seen:
            seen.add(path)
            found.append(Leaf(path, part, f"p{len(found)}"))
    return found


def take(page, leaf):
    """Fill a leaf from its page; return the styles that belong to it."""
    page.goto(ADDRESS + leaf.path)
    page.wait_for_load_state("load")
    try:
        got = page.evaluate("own => bnlabLeaf(own)", leaf.own)
    except PlaywrightError as error:
        sys.exit(
            f"{leaf.path} cannot be printed: {error.message} Build the site anew: 'make book'."
        )
    leaf.title, leaf.html = got["title"], got["html"]
    return got["styles"]


def read(chrome, site, say):
    """Return the leaves of a site and all styles of theirs, each once."""
    page = chrome.new_page(viewport={"width": WIDTH, "height": 1000}, color_scheme="light")
    answer_from(site, page)
    for script in (NO_TRAINING, ALL_SEEN, (PAPER / "leaf.js").read_text(encoding="utf-8")):
        page.add_init_script(script)
    leaves, styles = order(page), {}
    for number, leaf in enumerate(leaves, 1):
        say(f"  {number} of {len(leaves)}: {leaf.path}")
        styles.update(dict.fromkeys(take(page, leaf)))
    sheets = page.locator('link[rel="stylesheet"]').evaluate_all("all => all.map((l) => l.href)")
    page.close()
    return leaves, list(styles), sheets


# ------------------------------------------------------------------------------- the one document


def sheets_in_front(leaves, numbers, home):
    """The cover and the contents; numbers are known after the first printing."""
    parts, part = [], None
    for leaf in leaves:
        if leaf.part != part:
            part = leaf.part
            parts.append(f'</ol><p class="part">{html.escape(part)}</p><ol>')
        number = numbers.get(leaf.own, "")
        parts.append(
            f'<li><a href="#{leaf.own}">{html.escape(leaf.title)}</a><span class="dots"></span>'
            f'<span class="number">{number}</span></li>'
        )
    words = (PAPER / "front.html").read_text(encoding="utf-8")
    where = f'<a href="{home}">{home}</a>' if home else "its first page, <code>index.html</code>"
    return words.replace("{{site}}", where).replace("{{contents}}", f"<ol>{''.join(parts)}</ol>")


def whole(leaves, styles, sheets, numbers, home):
    """All leaves as one page of HTML."""
    heads = "".join(
        f"@page {leaf.own} {{ @top-right {{ content: {json.dumps(leaf.title, ensure_ascii=False)};"
        ' font: 8pt "Liberation Sans", Arial, sans-serif; color: #444; } }\n'
        for leaf in leaves
    )
    links = "".join(f'<link rel="stylesheet" href="{sheet}">' for sheet in sheets)
    own = (PAPER / "paper.css").read_text(encoding="utf-8")
    texts = "\n".join([*styles, own, heads])
    articles = "".join(
        f'<article class="bd-article leaf" id="{leaf.own}" style="page: {leaf.own}">'
        f"{leaf.html}</article>"
        for leaf in leaves
    )
    return (
        f'<!DOCTYPE html><html lang="en" data-theme="light" data-mode="light"><head>'
        f'<meta charset="utf-8"><title>{TITLE}</title>{links}<style>{texts}</style></head>'
        f'<body><div class="bd-main"><div class="bd-content"><div class="bd-article-container">'
        f"{sheets_in_front(leaves, numbers, home)}{articles}</div></div></div></body></html>"
    )


# --------------------------------------------------------------------------------------- printing


def lay_out(page, site, text, leaves, home):
    """Put the document before Chromium as it will be on paper; return what became too small."""
    answer_from(site, page, text)
    for name in ("bind.js", "fit.js"):
        page.add_init_script((PAPER / name).read_text(encoding="utf-8"))
    page.emulate_media(media="print", color_scheme="light")
    page.goto(ADDRESS + PRINTED)
    places = {leaf.path: leaf.own for leaf in leaves}
    book = {"origin": ADDRESS, "leaves": places, "home": home}
    page.evaluate("book => bnlabBind(book)", book)
    page.evaluate("document.fonts.ready.then(() => true)")
    return page.evaluate("size => bnlabFit(size)", {"width": WIDTH, "height": HEIGHT})


def begins(content, leaves):
    """The number of the page on which each leaf begins."""
    reader = PdfReader(io.BytesIO(content))
    places = reader.named_destinations
    pages = {page.indirect_reference.idnum: number for number, page in enumerate(reader.pages, 1)}
    return {leaf.own: pages[places[f"/{leaf.own}"].page.idnum] for leaf in leaves}


def print_book(chrome, site, taken, home=None, say=print):
    """Return what was read as the bytes of a PDF."""
    leaves, numbers = taken[0], {}
    for _ in range(3):
        page = chrome.new_page(viewport={"width": WIDTH, "height": HEIGHT})
        text = whole(*taken, numbers, home)
        for words in lay_out(page, site, text, leaves, home):
            say(f"  Small: {words}")
        options = {"outline": True, "tagged": True, "print_background": True}
        content = page.pdf(scale=SCALE, prefer_css_page_size=True, **options)
        page.close()
        before, numbers = numbers, begins(content, leaves)
        if numbers == before:
            return finished(content)
    sys.exit("The contents do not settle: their length changes the numbers of the pages.")


def finished(content):
    """Add what a reader program shows: title, author, the bookmarks."""
    writer = PdfWriter(clone_from=io.BytesIO(content))
    writer.add_metadata({"/Title": TITLE, "/Author": f"{TITLE} authors"})
    writer.page_mode = "/UseOutlines"
    file = io.BytesIO()
    writer.write(file)
    return file.getvalue()


def published():
    """The address of the published site, None where none is set."""
    address = current()
    return None if address == PLACEHOLDER else f"https://{pages_host(address)}/"


def main(arguments):
    """Write the PDF into the site, whole or not at all."""
    site = browser.find_site(arguments)
    print("Printing the book (a few minutes).", flush=True)
    with browser.chromium() as chrome:
        taken = read(chrome, site, print)
        content = print_book(chrome, site, taken, published())
    place = site / browser.FOLDER / NAME
    browser.write_whole(place, lambda part: part.write_bytes(content))
    print(f"Wrote {len(taken[0])} pages of the site into {place}.")


if __name__ == "__main__":
    main(sys.argv[1:])
