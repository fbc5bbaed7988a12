"""Sphinx extension: code and style that several widgets of a page share are written once.

MyST-NB writes the state of each widget into the page, with the whole text of its module: eight
widgets of one kind would bring it eight times. Here the later ones name the first that has the
same text, {"same": MODEL}; assets/anywidget-host.js looks there.
"""

import json

STATES = "application/vnd.jupyter.widget-state+json"
SHARED = ("_esm", "_css")


def once(text):
    """Return the states of a page's widgets, each shared text written once."""
    page = json.loads(text)
    owners = {}
    for model, entry in page["state"].items():
        for key in SHARED:
            value = entry["state"].get(key)
            if isinstance(value, str) and owners.setdefault((key, value), model) != model:
                entry["state"][key] = {"same": owners[key, value]}
    # As MyST-NB writes it: no text in it can end the element.
    return json.dumps(page).replace("</", "<\\/")


def write_once(app, pagename, templatename, context, doctree):
    """Rewrite the states of a page, which MyST-NB has put among its scripts."""
    for script in context.get("script_files", ()):
        attributes = getattr(script, "attributes", {})
        if attributes.get("type") == STATES:
            attributes["body"] = once(attributes["body"])


def setup(app):
    """Connect to Sphinx, behind MyST-NB."""
    app.connect("html-page-context", write_once, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
