"""What several widgets of a page share is written once."""

import json

from tools.widget_states import STATES, once

LONG = "export default {}; // </script>"


def element(states):
    text = json.dumps({"version_major": 2, "state": states}).replace("</", "<\\/")
    return f'<script type="application/vnd.jupyter.widget-state+json">\n{text}\n</script>'


def test_the_first_widget_has_the_text_and_the_others_name_it():
    states = {
        "a": {"state": {"_esm": LONG, "_css": "b{}", "options": {"_esm": LONG}}},
        "b": {"state": {"_esm": LONG, "_css": "i{}"}},
        "c": {"state": {"_esm": LONG, "_css": "b{}"}},
        "layout": {"state": {}},
    }
    page = f"<p>before</p>{element(states)}<p>behind</p>"
    new = STATES.sub(once, page)
    assert new.startswith("<p>before</p><script") and new.endswith("</script><p>behind</p>")
    assert new.count("</script>") == 1
    found = json.loads(STATES.search(new)[2])
    assert found["version_major"] == 2
    assert found["state"] == {
        "a": states["a"],
        "b": {"state": {"_esm": {"same": "a"}, "_css": "i{}"}},
        "c": {"state": {"_esm": {"same": "a"}, "_css": {"same": "a"}}},
        "layout": {"state": {}},
    }


def test_a_page_whose_widgets_share_nothing_says_the_same():
    states = {"a": {"state": {"_esm": "1"}}, "b": {"state": {"_esm": "2"}}}
    new = STATES.sub(once, element(states))
    assert json.loads(STATES.search(new)[2])["state"] == states
