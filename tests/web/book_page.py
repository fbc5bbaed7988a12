"""A page of a small book: the site's own host, style and script, a sidebar, text and one widget."""

from __future__ import annotations

import json
from pathlib import Path

from anywidget import AnyWidget

from tests.web.widget_page import put

PAGE = """<!DOCTYPE html>
<html lang="en" data-content_root="./">
<head><meta charset="utf-8"><title>A chapter</title><link rel="icon" href="data:,">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" href="_static/site.css">
<script src="_static/anywidget-host.js"></script><script src="_static/site.js"></script></head>
<body><a href="#main">Skip to main content</a><nav aria-label="book"><a href="#other">01</a></nav>
<main id="main" class="bd-article"><h1>A chapter</h1>{text}<div class="cell_output">
<script type="application/vnd.jupyter.widget-view+json">{view}</script></div>{text}</main>
<script type="application/vnd.jupyter.widget-state+json">{state}</script></body></html>
"""
TEXT = "<p>Some text about nets.</p>" * 40


def write_book(folder: Path, widget: AnyWidget, *stored: str) -> Path:
    """Write ``index.html`` with this widget, as the site has it; the folder."""
    for name in ("site.css", "site.js", "anywidget-host.js", "vendor/qr/lean-qr.js", *stored):
        put(folder, name)
    state = {
        **{"_esm": widget._esm, "_css": widget._css},
        **{"options": widget.options, "state": dict(widget.state)},
    }
    models = {"one": {"model_module": "anywidget", "model_name": "AnyModel", "state": state}}
    page = PAGE.format(
        text=TEXT,
        view=json.dumps({"model_id": "one"}),
        state=json.dumps({"version_major": 2, "state": models}).replace("<", "\\u003c"),
    )
    (folder / "index.html").write_text(page, encoding="utf-8")
    widget.close()
    return folder
