"""Which module of the compiled engine stands on which: the compiler knows no training step."""

import ast
from graphlib import TopologicalSorter
from pathlib import Path

import bnlab.engines.compiled as compiled

ROOT, NAME = Path(compiled.__file__).parent, compiled.__name__


def imported(path: Path) -> set[str]:
    """Modules of the compiled engine that one of them imports, below ``NAME``."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith(NAME):
            below = node.module[len(NAME) + 1 :].replace(".", "/")
            parts = [Path(below, alias.name) for alias in node.names]
            modules = [p for p in parts if (ROOT / p).with_suffix(".py").exists()]
            found |= {str(p) for p in modules} or {below}
    return found - {""}


def modules() -> dict[str, set[str]]:
    paths = [*ROOT.glob("*.py"), *(ROOT / "compiler").glob("*.py")]
    return {str(p.relative_to(ROOT).with_suffix("")): imported(p) for p in paths}


def test_there_is_no_circle():
    order = list(TopologicalSorter(modules()).static_order())
    assert order.index("compiler/graph") < order.index("program") < order.index("engine")


def test_the_compiler_imports_nothing_of_what_is_above_it():
    inside = {name: used for name, used in modules().items() if name.startswith("compiler/")}
    assert len(inside) > 10
    assert not {name: used for name, used in inside.items() if any("/" not in u for u in used)}
