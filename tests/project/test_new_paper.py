"""The worked example of CONTRIBUTING, run as it stands there."""

import importlib
import re
import sys

import pytest

from bnlab import chapters
from bnlab.verdicts import evidence
from tests.project.repository_files import ROOT

TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
FILE = r"`src/bnlab/chapters/example/(\w+\.py)`(?:(?!`src/).)*?```python\n(.*?)```"
FILES = re.findall(FILE, TEXT, re.DOTALL)


@pytest.fixture
def claim(tmp_path, monkeypatch):
    """The claim of the example, from a folder that holds its two files."""
    folder = tmp_path / "example"
    folder.mkdir()
    for name, text in FILES:
        (folder / name).write_text(text, encoding="utf-8")
    (folder / "__init__.py").write_text("", encoding="utf-8")
    monkeypatch.setattr(chapters, "__path__", [*chapters.__path__, str(tmp_path)])
    yield importlib.import_module("bnlab.chapters.example.claims").CLAIMS[0]
    for name in [name for name in sys.modules if name.startswith("bnlab.chapters.example")]:
        del sys.modules[name]


def test_the_example_has_a_claim_and_its_measurement():
    assert [name for name, _ in FILES] == ["claims.py", "e1_neighbours.py"]


def test_the_example_is_measured_and_has_a_verdict(claim, tmp_path, monkeypatch):
    for name in ("code_meaning", "definition"):
        monkeypatch.setattr(evidence, name, lambda what: "of the example")
    found = evidence.measure(claim)
    assert found.verdict.word == "shown"
    assert found.facts["batch"] > 10 and found.facts["layer"] == pytest.approx(0, abs=1e-4)
    path = found.save(tmp_path)
    again = evidence.load(claim, tmp_path)
    assert path.name == "E1.json" and again.data["rows"] == found.data["rows"]


def test_the_four_shared_places_are_the_ones_that_are_named():
    for name in ("src/bnlab/chapters/__init__.py", "src/bnlab/lab/__init__.py", "_toc.yml"):
        assert f"`{name}`" in TEXT and (ROOT / name).is_file()
    assert (ROOT / "book" / "references.bib").is_file()
