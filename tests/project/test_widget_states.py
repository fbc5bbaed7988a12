"""What several widgets of a page share is written once."""

import json
import re

import nbformat
import pytest
from nbformat import v4
from sphinx.application import Sphinx

from tests.project.repository_files import ROOT
from tools.widget_states import STATES, once

LONG = "export default {}; // </script>"
WRITTEN = re.compile(rf'<script type="{re.escape(STATES)}">(.*?)</script>', re.DOTALL)
STATES_OF_FOUR = {
    "a": {"state": {"_esm": LONG, "_css": "b{}", "options": {"_esm": LONG}}},
    "b": {"state": {"_esm": LONG, "_css": "i{}"}},
    "c": {"state": {"_esm": LONG, "_css": "b{}"}},
    "layout": {"state": {}},
}
SHORTER = {
    "a": STATES_OF_FOUR["a"],
    "b": {"state": {"_esm": {"same": "a"}, "_css": "i{}"}},
    "c": {"state": {"_esm": {"same": "a"}, "_css": {"same": "a"}}},
    "layout": {"state": {}},
}


def whole(states):
    return {"version_major": 2, "state": states}


def test_the_first_widget_has_the_text_and_the_others_name_it():
    text = once(json.dumps(whole(STATES_OF_FOUR)))
    assert "</script>" not in text and json.loads(text) == whole(SHORTER)


def test_a_page_whose_widgets_share_nothing_says_the_same():
    states = {"a": {"state": {"_esm": "1"}}, "b": {"state": {"_esm": "2"}}}
    assert json.loads(once(json.dumps(whole(states)))) == whole(states)


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The pages that Sphinx and MyST-NB make of a notebook with widgets, and of one without."""
    folder = tmp_path_factory.mktemp("book")
    for name, metadata in (("index", {"widgets": {STATES: whole(STATES_OF_FOUR)}}), ("other", {})):
        cells = [v4.new_markdown_cell("# A page")]
        nbformat.write(v4.new_notebook(cells=cells, metadata=metadata), folder / f"{name}.ipynb")
    settings = {
        "extensions": ["myst_nb", "tools.widget_states"],
        "nb_execution_mode": "off",
        "nb_ipywidgets_js": {},
        "suppress_warnings": ["toc.not_included"],
    }
    page = folder / "html"
    Sphinx(folder, None, page, folder / "trees", "html", settings, status=None).build()
    return page


def test_so_it_stands_in_the_page_that_is_built(built):
    (text,) = WRITTEN.findall((built / "index.html").read_text("utf-8"))
    assert json.loads(text) == whole(SHORTER)
    assert not WRITTEN.search((built / "other.html").read_text("utf-8"))


def test_the_site_uses_it():
    assert "widget_states: tools" in (ROOT / "_config.yml").read_text("utf-8")
