"""Imports go one way, as CONTRIBUTING draws them; no exceptions."""

import pytest

from bnlab.chapters import ALL
from tests.project.imports import (
    against,
    circles,
    drawing,
    files,
    folder,
    imports,
    others,
    pairs,
    top,
)
from tests.project.repository_files import ROOT

PACKAGE = ROOT / "src" / "bnlab"
GROUND = {"arguments", "errors", "random", "digest", "store"}
LONGEST = 300  # lines
NOTEBOOKS = {"IPython", "ipywidgets", "anywidget"}


@pytest.fixture(scope="module")
def graph():
    return imports(PACKAGE)


@pytest.fixture(scope="module")
def house():
    return drawing((ROOT / "CONTRIBUTING.md").read_text("utf-8"))


def test_every_folder_is_drawn_once_and_no_other(graph, house):
    assert set(house) == {top(path) for path in graph} - {"__init__"}


def test_every_arrow_points_down(house):
    lines = list(house)
    for name, below in house.items():
        assert all(lines.index(name) < lines.index(other) for other in below), name


def test_every_import_follows_the_arrows(graph, house):
    on_ground = {name: below | (GROUND - {name}) for name, below in house.items()}
    on_ground |= {name: house[name] for name in GROUND}
    assert against(graph, on_ground) == []


def test_every_arrow_is_an_import(graph, house):
    real = {(top(path), top(target)) for path, target in pairs(graph)}
    assert [(a, b) for a, below in house.items() for b in below if (a, b) not in real] == []


def test_the_package_itself_imports_nothing(graph):
    assert graph["__init__.py"] == set()


def test_no_circle_between_folders_at_any_depth(graph):
    assert circles(graph) == []


def test_a_chapter_imports_only_from_chapters_before_it(graph):
    order = [*ALL, *sorted({path.split("/")[1] for path in graph if "chapters/" in path} - {*ALL})]
    places = {f"chapters/{name}": number for number, name in enumerate(order)}
    found = [
        f"{path} imports {target}"
        for path, target in pairs(graph)
        if {folder(path), folder(target)} <= set(places)
        and places[folder(path)] < places[folder(target)]
    ]
    assert found == []


def test_a_kit_imports_nothing_beside_it(graph):
    found = [
        f"{path} imports {target}"
        for path, target in pairs(graph)
        if folder(path) == f"{top(path)}/kit" and top(target) == top(path)
        if folder(target) != folder(path)
    ]
    assert found == []


def test_every_script_that_is_imported_is_there(graph):
    assert {target for _, target in pairs(graph)} <= set(graph)


def test_no_module_is_too_long():
    lines = {path: text.count("\n") for path, text in files(PACKAGE).items()}
    assert {path: count for path, count in lines.items() if count > LONGEST} == {}


def test_who_knows_notebooks_and_who_downloads():
    found = others(PACKAGE)
    assert {top(path) for path, names in found.items() if names & NOTEBOOKS} <= {
        "lab",
        "draw",
        "show",
    }
    assert {top(path) for path, names in found.items() if "pooch" in names} == {"data"}
