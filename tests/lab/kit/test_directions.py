"""Imports inside lab go one way: the widgets import the kit, which knows none of them.

One stands on two others: what it trains again is what they train.
"""

import ast
import re
from pathlib import Path

import pytest

from bnlab.lab import site

LAB = Path(site.__file__).parent
WIDGETS = {widget.__name__.rpartition(".")[2] for widget in site.ALL}
STANDS_ON = {"repeat": {"clinic", "lawn"}}
FOLDERS = {path.name for path in LAB.iterdir() if path.is_dir() and path.name != "__pycache__"}


def python_imports(path):
    """Names of modules that a Python file imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name} has a relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def folders_used(folder):
    """Folders of lab that the files of this one import, Python and JavaScript."""
    used = {}
    for path in (LAB / folder).rglob("*.py"):
        for name in python_imports(path):
            if name.startswith("bnlab.lab"):
                used.setdefault((*name.split("."), "")[2] or "lab", set()).add(path.name)
    for path in (LAB / folder).rglob("*.js"):
        for source in re.findall(r"^(?:import|\}).* from \"([^\"]+)\"", path.read_text(), re.M):
            place = (path.parent / source).resolve()
            if place.is_relative_to(LAB):
                used.setdefault(place.relative_to(LAB).parts[0], set()).add(path.name)
    return used


def test_every_folder_is_the_kit_or_a_widget_that_the_site_knows():
    assert FOLDERS - {"js"} == WIDGETS | {"kit"}


def test_the_kit_imports_no_widget():
    assert set(folders_used("kit")) == {"kit"}


@pytest.mark.parametrize("widget", sorted(WIDGETS))
def test_a_widget_imports_the_kit_and_itself(widget):
    used = folders_used(widget)
    assert "kit" in used, "the test sees imports"
    assert set(used) <= {"kit", widget} | STANDS_ON.get(widget, set()), used


@pytest.mark.parametrize("widget", sorted(STANDS_ON))
def test_what_a_widget_stands_on_knows_nothing_of_it(widget):
    assert STANDS_ON[widget] < WIDGETS - set(STANDS_ON)
    assert STANDS_ON[widget] <= set(folders_used(widget)), "stands on what it does not use"
