"""What "Repeat this verdict" loads is written into the site when it is built."""

import json
from types import SimpleNamespace

from bnlab import chapters
from bnlab.lab import Repeat
from tests.project.repository_files import ROOT
from tools.repeat_states import FOLDER, SHARED, write_states


def built(folder, builder="html", error=None):
    """The names and contents of what a finished build has written."""
    app = SimpleNamespace(outdir=folder, builder=SimpleNamespace(format=builder))
    write_states(app, error)
    found = {path.stem: path.read_text("utf-8") for path in (folder / FOLDER).glob("*.js")}
    return {name: json.loads(text.split(" = ", 1)[1].rstrip(";\n")) for name, text in found.items()}


def test_each_claim_that_can_be_repeated_has_its_file(tmp_path):
    found = built(tmp_path)
    assert found.keys() == {SHARED, *chapters.repeats()}
    assert found[SHARED] == {"_esm": Repeat._esm, "_css": Repeat._css}
    for name in chapters.repeats():
        assert found[name]["options"]["claim"]["id"] == name
        assert found[name]["state"] == {"start": None, "margins": {}}


def test_a_build_that_failed_or_makes_no_pages_writes_nothing(tmp_path):
    assert built(tmp_path, error=ValueError()) == {}
    assert built(tmp_path, builder="latex") == {}


def test_the_site_uses_it():
    config = (ROOT / "_config.yml").read_text("utf-8")
    assert "repeat_states: tools" in config and "repeat_here.js" in config
