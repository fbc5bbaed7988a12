import json

import pytest
import yaml

from tests.project.repository_files import ROOT, load_tool

ADDRESS = load_tool("set_repository").current(ROOT)
INSTALL = f"""\
import sys
if "google.colab" in sys.modules:
    %pip install -q "bnlab @ git+https://github.com/{ADDRESS}\""""
PAGES = [
    path.relative_to(ROOT).as_posix()
    for path in sorted((ROOT / "book").rglob("*"))
    if path.suffix in (".ipynb", ".md") and ".ipynb_checkpoints" not in path.parts
]
NOTEBOOKS = [page for page in PAGES if page.endswith(".ipynb")]


def cells(notebook):
    return json.loads((ROOT / notebook).read_text(encoding="utf-8"))["cells"]


def code(notebook):
    return [cell for cell in cells(notebook) if cell["cell_type"] == "code"]


@pytest.mark.parametrize("notebook", NOTEBOOKS)
def test_the_first_cell_installs_the_package_in_colab(notebook):
    first = cells(notebook)[0]
    assert first["cell_type"] == "code"
    assert "".join(first["source"]) == INSTALL
    assert "remove-cell" in first["metadata"].get("tags", [])


@pytest.mark.parametrize("notebook", NOTEBOOKS)
def test_it_is_committed_without_outputs(notebook):
    assert [c["outputs"] for c in code(notebook) if c["outputs"]] == []
    assert {c["execution_count"] for c in code(notebook)} == {None}
    metadata = json.loads((ROOT / notebook).read_text(encoding="utf-8"))["metadata"]
    assert "widgets" not in metadata


@pytest.mark.parametrize("notebook", NOTEBOOKS)
def test_it_runs_on_any_python_3_kernel(notebook):
    metadata = json.loads((ROOT / notebook).read_text(encoding="utf-8"))["metadata"]
    assert metadata["kernelspec"]["name"] == "python3"


def listed(entry):
    """The files that a table of contents names, at any depth."""
    if isinstance(entry, list):
        return [file for item in entry for file in listed(item)]
    own = [entry[key] for key in ("root", "file") if key in entry]
    return own + [
        f for key in ("parts", "chapters", "sections") for f in listed(entry.get(key, []))
    ]


def test_the_contents_list_every_page_once_and_nothing_else():
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    assert sorted(listed(toc)) == sorted(page.rsplit(".", 1)[0] for page in PAGES)
