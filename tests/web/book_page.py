"""A page of a small book: the site's own host, style and script, a sidebar, text and widgets."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from anywidget import AnyWidget

from tests.web.widget_page import put
from tools.widget_states import once

PAGE = """<!DOCTYPE html>
<html lang="en" data-content_root="./">
<head><meta charset="utf-8"><title>A chapter</title><link rel="icon" href="data:,">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" href="_static/site.css">
<script src="_static/anywidget-host.js"></script><script src="_static/site.js"></script></head>
<body><a href="#main">Skip to main content</a><nav aria-label="book"><a href="#other">01</a></nav>
<main id="main" class="bd-article"><h1>A chapter</h1>{text}{views}</main>
<script type="application/vnd.jupyter.widget-state+json">{state}</script></body></html>
"""
TEXT = "<p>Some text about nets.</p>" * 40


VIEW = """<div class="cell_output">
<script type="application/vnd.jupyter.widget-view+json">{view}</script></div>{text}"""


def write_book(
    folder: Path, widget: AnyWidget, *stored: str, more: Iterable[AnyWidget] = ()
) -> Path:
    """Write ``index.html`` with this widget, and more below it, as the site has it; the folder."""
    for name in ("site.css", "site.js", "anywidget-host.js", "vendor/qr/lean-qr.js", *stored):
        put(folder, name)
    models, views = {}, ""
    for number, one in enumerate((widget, *more)):
        state = {
            **{"_esm": one._esm, "_css": one._css},
            **{"options": one.options, "state": dict(one.state)},
        }
        kind = {"model_module": "anywidget", "model_name": "AnyModel"}
        models[f"model{number}"] = {**kind, "state": state}
        views += VIEW.format(view=json.dumps({"model_id": f"model{number}"}), text=TEXT)
        one.close()
    states = once(json.dumps({"version_major": 2, "state": models}))
    page = PAGE.format(text=TEXT, views=views, state=states)
    (folder / "index.html").write_text(page, encoding="utf-8")
    return folder
