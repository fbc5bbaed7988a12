"""Instruments and figures: imports that wait or that are only for types count too."""

import ast
import graphlib
from pathlib import Path

import bnlab

ROOT = Path(bnlab.__file__).parent.parent
FILES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts): path
    for path in ROOT.glob("bnlab/measure/**/*.py")
}


def imports(path: Path) -> set[str]:
    """The files of ``bnlab.measure`` that one of them imports anywhere."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return found & set(FILES)


def test_no_instrument_and_its_figure_import_each_other() -> None:
    graph = {name: imports(path) for name, path in FILES.items()}
    assert "bnlab.measure.landscape.figures" in graph["bnlab.measure.landscape.landscape"]
    graphlib.TopologicalSorter(graph).prepare()  # raises a CycleError that names the circle
