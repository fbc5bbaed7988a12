"""Sphinx extension: what "Repeat this verdict" needs, in files that a page loads when it is opened.

`_static/repeat/shared.js` has the code and style of the widget; beside it each claim that can be
repeated has a file with its trainings; see assets/repeat_here.js.
"""

import json
from pathlib import Path

from bnlab import chapters
from bnlab.lab import Repeat

FOLDER = Path("_static") / "repeat"
SHARED = "shared"


def state_of(name):
    """Return the options and the state of a claim's widget."""
    widget = Repeat(name)
    found = {"options": widget.options, "state": dict(widget.state)}
    widget.close()
    return found


def script(name, content):
    """Return a script that puts an object where a page looks for it."""
    return f"(globalThis.bnlabRepeats ??= {{}}).{name} = {json.dumps(content)};\n"


def write_states(app, error):
    """Write the files into the built site."""
    if error is not None or app.builder.format != "html":
        return
    folder = Path(app.outdir) / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    contents = {SHARED: {"_esm": Repeat._esm, "_css": Repeat._css}}
    contents |= {name: state_of(name) for name in chapters.repeats()}
    for name, content in contents.items():
        (folder / f"{name}.js").write_text(script(name, content), encoding="utf-8")


def setup(app):
    """Connect to Sphinx."""
    app.connect("build-finished", write_states)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
