"""A printed book, read from the bytes of its PDF."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from functools import cached_property

from pypdf import PdfReader
from pypdf.generic import ArrayObject, DictionaryObject

MARGINS = (51, 54, 544, 786)  # points: left, bottom, right and top of what is printed on an A4 page
CONTENTS_LINE = re.compile(r"^(.+?)\s*(\d+)$", re.MULTILINE)


class Book:
    """The PDF, with what a test asks of it."""

    def __init__(self, content: bytes) -> None:
        self.reader = PdfReader(io.BytesIO(content))
        self.pages = self.reader.pages
        numbered = enumerate(self.pages, 1)
        self.numbers = {page.indirect_reference.idnum: number for number, page in numbered}

    def text(self, number: int) -> str:
        """What stands on a page, with single spaces."""
        return " ".join(self.pages[number - 1].extract_text().split())

    @cached_property
    def bookmarks(self) -> list[tuple[int, str, int]]:
        """Depth, title and page of all bookmarks."""

        def walk(entries: list, depth: int) -> Iterator[tuple[int, str, int]]:
            for entry in entries:
                if isinstance(entry, list):
                    yield from walk(entry, depth + 1)
                else:
                    yield depth, entry.title.strip(), self.numbers[entry.page.idnum]

        return list(walk(self.reader.outline, 0))

    def low_headings(self, least: float = 85) -> list[str]:
        """Headings so low on a page that nothing of their section stands below them."""

        def walk(entries: list) -> Iterator[str]:
            for entry in entries:
                if isinstance(entry, list):
                    yield from walk(entry)
                elif entry.top < least:
                    yield entry.title

        return list(walk(self.reader.outline))

    @cached_property
    def contents(self) -> list[tuple[str, int]]:
        """Titles and page numbers as the contents print them."""
        first = next(page for _, title, page in self.bookmarks if title == "Contents")
        last = next(page for _, _, page in self.bookmarks if page > first)
        lines = "\n".join(self.pages[i - 1].extract_text() for i in range(first, last))
        found = [(title.strip(), int(number)) for title, number in CONTENTS_LINE.findall(lines)]
        return [entry for entry in found if not re.fullmatch(r"[\d\s]*", entry[0])]

    def links(self) -> Iterator[tuple[int, str | int]]:
        """Each link: the page where it stands, and an address or the page that it leads to."""
        places = self.reader.named_destinations
        for number, page in enumerate(self.pages, 1):
            for one in page.get("/Annots") or ():
                one = one.get_object()
                action = one.get("/A", {})
                if "/URI" in action:
                    yield number, str(action["/URI"])
                    continue
                place = one.get("/Dest", action.get("/D"))
                page_of = place[0] if isinstance(place, ArrayObject) else places[str(place)].page
                yield number, self.numbers[page_of.idnum]

    def loose_fonts(self) -> set[str]:
        """Fonts that are not in the file."""
        return {str(font["/BaseFont"]) for font in self._fonts() if not _is_inside(font)}

    def _fonts(self) -> Iterator[DictionaryObject]:
        seen = set()

        def walk(holder: DictionaryObject) -> Iterator[DictionaryObject]:
            resources = _at(holder, "/Resources")
            fonts, forms = _at(resources, "/Font"), _at(resources, "/XObject")
            yield from (font.get_object() for font in fonts.values())
            for form in forms.values():
                if form.idnum not in seen:
                    seen.add(form.idnum)
                    yield from walk(form.get_object())

        for page in self.pages:
            yield from walk(page)

    def outside(self) -> list[tuple[int, str]]:
        """Texts that begin beside what is printed of a page, but for its head and number."""
        found = []
        left, bottom, right, top = MARGINS
        for number, page in enumerate(self.pages, 1):

            def see(text: str, cm: list, tm: list, *_: object, number: int = number) -> None:
                x = tm[4] * cm[0] + tm[5] * cm[2] + cm[4]
                y = tm[4] * cm[1] + tm[5] * cm[3] + cm[5]
                in_margin = y < bottom or y > top
                bar = abs(cm[0]) > 3 * abs(cm[3])  # a sign that MathJax has drawn out
                if text.strip() and not (in_margin or bar) and not left - 2 <= x <= right + 2:
                    found.append((number, text))

            page.extract_text(visitor_text=see)
        return found

    def figures(self) -> list[tuple[str, set[int]]]:
        """The words of each figure and the pages on which its parts are."""
        found = []

        def walk(part: object, page: int | None) -> set[int]:
            part = part.get_object()
            if isinstance(part, ArrayObject):
                return set().union(*(walk(one, page) for one in part))
            if not isinstance(part, DictionaryObject):
                return {page} if page else set()
            if "/Pg" in part:
                page = self.numbers[part.raw_get("/Pg").idnum]
            kids = part.get("/K")
            pages = walk(kids, page) if kids is not None else set()
            if part.get("/S") == "/Figure" and part.get("/Alt"):
                found.append((str(part["/Alt"]), pages))
            return pages

        walk(self.reader.trailer["/Root"]["/StructTreeRoot"]["/K"], None)
        return found


def _at(holder: DictionaryObject, name: str) -> dict:
    """What a dictionary of the file has there, itself and not a reference."""
    return holder.get(name, DictionaryObject()).get_object()


def _is_inside(font: DictionaryObject) -> bool:
    """Whether the shapes of a font are in the file."""
    if font["/Subtype"] == "/Type3":
        return True
    if "/DescendantFonts" in font:
        font = font["/DescendantFonts"][0].get_object()
    described = _at(font, "/FontDescriptor")
    return any(name in described for name in ("/FontFile", "/FontFile2", "/FontFile3"))
