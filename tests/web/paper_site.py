"""A small site to print: three pages in the book's look, with all that is hard to put on paper."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pydata_sphinx_theme
import sphinx_book_theme

from bnlab import claims, show
from bnlab.lab import GroupSizes
from tests.web.book_page import VIEW
from tests.web.widget_page import ASSETS
from tools.widget_states import once

STATIC = ("site.css", "site.js", "anywidget-host.js", "replay/first.js")
THEME = [
    Path(pydata_sphinx_theme.__file__).parent / "theme/pydata_sphinx_theme/static/styles/theme.css",
    Path(pydata_sphinx_theme.__file__).parent
    / "theme/pydata_sphinx_theme/static/styles/pydata-sphinx-theme.css",
    Path(sphinx_book_theme.__file__).parent
    / "theme/sphinx_book_theme/static/styles/sphinx-book-theme.css",
]
FIGURES = ("B1", "S1", "T1")
PAGE = """<!DOCTYPE html><html lang="en" data-content_root="../" data-theme="light"><head>
<meta charset="utf-8"><title>{title}</title><link rel="icon" href="data:,">{sheets}
<script src="../_static/anywidget-host.js"></script><script src="../_static/site.js"></script>
</head><body><nav class="bd-links"><ul><li><a class="internal" href="index.html">The book</a></li>
</ul><p class="caption">Claims</p><ul><li><a class="internal" href="01_wide.html">1</a></li>
<li><a class="internal" href="02_seen.html">2</a></li></ul></nav>
<div class="bd-main"><div class="bd-content"><div class="bd-article-container">
<article class="bd-article"><section id="{name}">
<h1>{title}<a class="headerlink" href="#">#</a></h1>
{body}</section></article></div></div></div>{states}</body></html>
"""
TEXT = "<p>A sentence about nets and what normalizes them, of some length.</p>" * 30
CELLS = "".join(f"<td>number_{i}_of_many</td>" for i in range(16))
WIDE = f"""<p>See <a href="02_seen.html#figures">the figures</a>, <a href="02_seen.html">all</a>,
<a href="../results/B1.json">the evidence</a> and <a href="https://example.org/x">a paper</a>.</p>
<div class="highlight"><pre>long = "{"word " * 60}"\nunbroken = "{"x" * 400}"</pre></div>
<div class="pst-scrollable-table-container"><table class="table"><thead><tr>{CELLS}</tr></thead>
<tbody>{f"<tr>{CELLS}</tr>" * 3}</tbody></table></div>
<details><summary>A hint</summary><p>What was folded away.</p></details>
<div class="cell"><details class="hide above-input"><summary>Code</summary>
<pre>drawn()</pre></details></div>{TEXT}<h2 id="late">The last section</h2>{TEXT}"""


def write_site(folder: Path) -> Path:
    """Write the site; the folder."""
    for name in STATIC:
        place = folder / "_static" / name
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ASSETS / name, place)
    for path in THEME:
        shutil.copy(path, folder / "_static")
    sheets = "".join(
        f'<link rel="stylesheet" href="../_static/{path.name}">'
        for path in [*THEME, ASSETS / "site.css"]
    )
    drawn = [show.plot(claims.load(name))._repr_mimebundle_()["text/html"] for name in FIGURES]
    figures = "<p>Between.</p>".join(f'<div class="cell_output">{one}</div>' for one in drawn)
    view, states = widget()
    pages = {
        "index": ("The book", "<p>Its first page.</p><!-- take --><!-- end take -->", ""),
        "01_wide": ("Wide things", WIDE, ""),
        "02_seen": ("Figures", f'<h2 id="figures">All of them</h2>{figures}{view}', states),
    }
    (folder / "book").mkdir()
    for name, (title, body, states) in pages.items():
        page = PAGE.format(title=title, name=name, body=body, states=states, sheets=sheets)
        (folder / "book" / f"{name}.html").write_text(page, encoding="utf-8")
    return folder


def widget() -> tuple[str, str]:
    """The place of a widget, and its state."""
    one = GroupSizes()
    traits = {"_esm": one._esm, "_css": one._css, "options": one.options, "state": dict(one.state)}
    one.close()
    model = {"model_module": "anywidget", "model_name": "AnyModel", "state": traits}
    states = once(json.dumps({"version_major": 2, "state": {"model0": model}}))
    kind = "application/vnd.jupyter.widget-state+json"
    view = VIEW.format(view=json.dumps({"model_id": "model0"}), text="")
    return view, f'<script type="{kind}">{states}</script>'
