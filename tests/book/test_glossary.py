"""The glossary is in order, its links lead somewhere, and its words are words of the book."""

import json
import re
from pathlib import Path

import pytest

BOOK = Path(__file__).parents[2] / "book"
TEXT = (BOOK / "glossary.md").read_text(encoding="utf-8")
BODY = re.search(r"^```\{glossary\}\n(.*?)^```$", TEXT, re.M | re.S)[1]
ENTRIES = [entry.strip().split("\n", 1) for entry in BODY.split("\n\n")]
TERMS = [term for term, _ in ENTRIES]


def prose(path):
    """The text of a page as one line, in lower case."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".ipynb":
        text = " ".join("".join(cell["source"]) for cell in json.loads(text)["cells"])
    return " ".join(re.sub("[*`]", "", text).split()).lower()


@pytest.fixture(scope="module")
def pages():
    """Every page but this one and the solutions, by its name."""
    found = [*BOOK.glob("*.md"), *BOOK.glob("*.ipynb")]
    return {path.name: prose(path) for path in found if path.name != "glossary.md"}


def headings(name):
    """The anchors of a page's headings, as links name them."""
    text = (BOOK / name).read_text(encoding="utf-8")
    if name.endswith(".ipynb"):
        text = "\n".join("".join(cell["source"]) for cell in json.loads(text)["cells"])
    found = re.findall(r"^#+ (.*)$", text, re.M)
    return {re.sub(r"[^\w -]", "", one).strip().lower().replace(" ", "-") for one in found}


def test_it_is_alphabetical_and_names_each_term_once():
    assert sorted(TERMS, key=str.lower) == TERMS and len(set(TERMS)) == len(TERMS)
    assert 30 <= len(TERMS) <= 45


@pytest.mark.parametrize(("term", "text"), ENTRIES, ids=TERMS)
def test_an_entry_is_short_and_leads_to_a_page(term, text):
    links = re.findall(r"\]\(([^)#]+)#?([^)]*)\)", text)
    assert len(links) == 1
    name, anchor = links[0]
    assert (BOOK / name).is_file()
    assert not anchor or anchor in headings(name)
    assert text.startswith("  ") and len(re.findall(r"[.?](?= |$)", text.replace("e.g.", ""))) <= 4
    assert len(text.split()) <= 50


@pytest.mark.parametrize("term", TERMS)
def test_a_term_occurs_in_the_book(pages, term):
    assert any(re.search(rf"\b{re.escape(term.lower())}", text) for text in pages.values())
