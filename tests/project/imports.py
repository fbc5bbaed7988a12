"""Who imports whom, from the text of the sources: nothing is imported, so nothing is missed.

A graph is a dictionary: each file of a package, by its path in the package, and the files of the
package that it imports. It counts late imports, those for type checkers alone, and JavaScript.
"""

from __future__ import annotations

import ast
import posixpath
import re
from collections.abc import Iterator
from pathlib import Path

Graph = dict[str, set[str]]

ARROWS = re.compile(r"^(\w+) .*?(?:-> ([\w, ]+))?$", re.M)
SCRIPT = re.compile(r"\b(?:from|import)\s*\(?\s*[\"'](\.[^\"']+)[\"']")
MADE = "style.js"  # written into each bundle, from draw/style.json


def files(package: Path) -> dict[str, str]:
    """The text of each Python and JavaScript file of a package, by its path."""
    found = sorted([*package.rglob("*.py"), *package.rglob("*.js")])
    return {path.relative_to(package).as_posix(): path.read_text("utf-8") for path in found}


def imports(package: Path) -> Graph:
    """The graph of a package."""
    texts = files(package)
    return {
        path: {
            _file(target, texts)
            for target in (_scripts if path.endswith(".js") else _modules)(path, text, package.name)
        }
        - {path}
        for path, text in texts.items()
    }


def others(package: Path) -> dict[str, set[str]]:
    """Of each Python file, the first names of what it imports from other packages."""
    return {
        path: {name.split(".")[0] for name in _names(ast.parse(text), path, package.name)}
        for path, text in files(package).items()
        if path.endswith(".py")
    }


def top(path: str) -> str:
    """The folder or module of the package in which a file lies."""
    return path.split("/")[0].removesuffix(".py")


def folder(path: str) -> str:
    """The folder of the second storey in which a file lies, such as ``lab/kit``."""
    return "/".join(path.split("/")[:2])


def pairs(graph: Graph) -> list[tuple[str, str]]:
    """Each file with each file that it imports."""
    return [(path, target) for path, targets in graph.items() for target in sorted(targets)]


def circles(graph: Graph) -> list[list[str]]:
    """What imports each other in a circle that a folder is part of, at any depth."""
    folders = {parent for path in graph for parent in _parents(path)}
    found = []
    for each in sorted(folders):
        near = _among_children(graph, each)
        beyond = {child: _reach(near, child) for child in near}
        rings = {frozenset(b for b in beyond[a] if a in beyond[b]) for a in near}
        found += [sorted(ring) for ring in rings if ring & folders]
    return sorted(found)


def drawing(text: str) -> dict[str, set[str]]:
    """The folders of a drawing from top to bottom, with the arrows that are drawn.

    A line is a folder, what it is, and after ``->`` what it stands on.
    """
    block = text.split("## The house")[1].split("```")[1]
    return {
        name: set(re.findall(r"\w+", below or "")) for name, below in ARROWS.findall(block.strip())
    }


def against(graph: Graph, house: dict[str, set[str]]) -> list[str]:
    """The imports that no path of drawn arrows allows."""
    return sorted(
        f"{path} imports {target}"
        for path, target in pairs(graph)
        if len({"__init__", top(path), top(target)}) == 3
        and top(target) not in _reach(house, top(path))
    )


def _modules(path: str, text: str, package: str) -> Iterator[str]:
    """What a Python file imports of its package, as paths without an ending."""
    for name in _names(ast.parse(text), path, package):
        if name.split(".")[0] == package:
            yield "/".join(name.split(".")[1:])


def _names(tree: ast.Module, path: str, package: str) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            near = [package, *path.split("/")][: -node.level] if node.level else []
            base = ".".join([*near, *filter(None, [node.module])])
            yield from (f"{base}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call) and "import_module" in ast.unparse(node.func):
            yield from (a.value for a in node.args[:1] if isinstance(a, ast.Constant))


def _scripts(path: str, text: str, package: str) -> Iterator[str]:
    """What a JavaScript file imports, as paths."""
    for name in SCRIPT.findall(text):
        if posixpath.basename(name) != MADE:
            yield posixpath.normpath(posixpath.join(posixpath.dirname(path), name))


def _file(target: str, texts: dict[str, str]) -> str:
    """The file that is imported; of a name in a module, the module."""
    if target.endswith(".js"):
        return target
    while f"{target}.py" not in texts and f"{target}/__init__.py" not in texts and target:
        target = posixpath.dirname(target)
    return f"{target}.py" if f"{target}.py" in texts else posixpath.join(target, "__init__.py")


def _parents(path: str) -> list[str]:
    parts = path.split("/")[:-1]
    return ["/".join(parts[:count]) for count in range(len(parts) + 1)]


def _among_children(graph: Graph, folder: str) -> Graph:
    """The graph of what lies directly in a folder, each subfolder as one."""
    start = f"{folder}/" if folder else ""

    def child(path: str) -> str | None:
        return start + path[len(start) :].split("/")[0] if path.startswith(start) else None

    near: Graph = {}
    for path, targets in graph.items():
        if child(path):
            near.setdefault(child(path), set()).update(map(child, targets))
    return {a: {b for b in found if b not in (None, a)} for a, found in near.items()}


def _reach(graph: dict[str, set[str]], start: str) -> set[str]:
    """All that can be reached from here."""
    found: set[str] = set()
    todo = [start]
    while todo:
        new = graph.get(todo.pop(), set()) - found
        found |= new
        todo += new
    return found
