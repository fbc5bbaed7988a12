"""Sphinx extension: code and style that several widgets of a page share are written once.

MyST-NB writes the state of each widget into the page, with the whole text of its module: eight
widgets of one kind would bring it eight times. Here the later ones name the first that has the
same text, {"same": MODEL}; assets/anywidget-host.js looks there.
"""

import json
import re

STATES = re.compile(
    r'(<script type="application/vnd\.jupyter\.widget-state\+json">)(.*?)(</script>)', re.DOTALL
)
SHARED = ("_esm", "_css")


def once(found):
    """Return the element with the states of a page, each shared text written once."""
    head, text, tail = found.groups()
    page = json.loads(text)
    owners = {}
    for model, entry in page["state"].items():
        for key in SHARED:
            value = entry["state"].get(key)
            if isinstance(value, str) and owners.setdefault((key, value), model) != model:
                entry["state"][key] = {"same": owners[key, value]}
    # As Jupyter writes it: no text in it can end the element.
    return head + json.dumps(page).replace("</", "<\\/") + tail


def write_once(app, pagename, templatename, context, doctree):
    """Rewrite the states of a page."""
    if "body" in context:
        context["body"] = STATES.sub(once, context["body"])


def setup(app):
    """Connect to Sphinx."""
    app.connect("html-page-context", write_once)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
