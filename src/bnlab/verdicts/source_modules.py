"""The modules of a package as text: what each defines, imports, and runs when it is imported.

Nothing is imported: all of it is read from the syntax trees of the files.
"""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


class ProvenanceError(ValueError):
    """What a name leads to cannot be read from the source; the message says where, and why."""


@dataclass(frozen=True)
class Origin:
    """What an import binds: a module, or an attribute of one."""

    module: str
    attribute: str = ""


@dataclass(frozen=True, eq=False)
class Unit:
    """A statement at the top of a module."""

    module: Module
    name: str
    node: ast.stmt


@dataclass(eq=False)
class Module:
    """A file of the package.

    Attributes:
        name: dotted.
        path: of the file.
        units: the statements that bind a name.
        effects: statements that run on import and are no definition: loops, calls, and the like.
        imports: what each name that an import binds at the top comes from.
        reads: the patterns in ``READS``.
        mentions: all names that the code uses.
    """

    name: str
    path: Path
    units: dict[str, list[Unit]] = field(default_factory=dict)
    effects: list[Unit] = field(default_factory=list)
    imports: dict[str, list[Origin]] = field(default_factory=dict)
    reads: tuple[str, ...] = ()
    mentions: frozenset[str] = frozenset()

    @property
    def is_package(self) -> bool:
        """Whether the file is that of a folder."""
        return self.path.name == "__init__.py"

    @property
    def all_units(self) -> list[Unit]:
        """All units of the module, each of them once."""
        return [*dict.fromkeys(one for units in self.units.values() for one in units)]


def dotted(node: ast.AST) -> list[str]:
    """The names of ``a.b.c``; none for another expression."""
    if isinstance(node, ast.Name):
        return [node.id]
    if isinstance(node, ast.Attribute):
        before = dotted(node.value)
        return [*before, node.attr] if before else []
    return []


def imported(node: ast.Import | ast.ImportFrom, module: Module) -> Iterator[tuple[str, Origin]]:
    """The names that an import binds."""
    for alias in node.names:
        if isinstance(node, ast.Import):
            name, full = alias.name.partition(".")[0], alias.name
            yield (alias.asname, Origin(full)) if alias.asname else (name, Origin(name))
            continue
        if alias.name == "*":
            raise ProvenanceError(f"{module.name} imports *: name what it needs.")
        base = module.name.split(".")
        base = base[: len(base) - node.level + module.is_package] if node.level else []
        source = ".".join([*base, *([node.module] if node.module else [])])
        yield alias.asname or alias.name, Origin(source, alias.name)


@functools.lru_cache(maxsize=1024)
def _parsed(content: bytes) -> ast.Module:
    return ast.parse(content)


def read(name: str, path: Path) -> Module:
    """The module of this dotted name, from its file."""
    module = Module(name, path)
    tree = _parsed(path.read_bytes())
    for node in tree.body:
        _add(module, node)
    used = (node.id for node in ast.walk(tree) if isinstance(node, ast.Name))
    module.mentions = frozenset(used)
    return module


def _add(module: Module, node: ast.stmt) -> None:
    """Put a statement at the top of a module where it belongs."""
    if isinstance(node, ast.Import | ast.ImportFrom):
        for name, origin in imported(node, module):
            module.imports.setdefault(name, []).append(origin)
        return
    if passed_over(node):
        if _is_for_types(node):
            _inside(module, node)  # fields of classes may name what it imports
        return
    names = _names(node)
    if names == ["READS"]:
        module.reads = tuple(ast.literal_eval(node.value))
        return
    unit = Unit(module, " ".join(names or [type(node).__name__]), node)
    if not names:
        module.effects.append(unit)
        names = _inside(module, node)
    for name in names:
        module.units.setdefault(name, []).append(unit)


def _inside(module: Module, node: ast.stmt) -> list[str]:
    """The names that a loop, a condition and the like bind; its imports become the module's."""
    names = []
    for one in ast.walk(node):
        if isinstance(one, ast.Import | ast.ImportFrom):
            _add(module, one)
        elif isinstance(one, DEFINITIONS):
            names.append(one.name)
        elif isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store):
            names.append(one.id)
    return [*dict.fromkeys(names)]


def _names(node: ast.stmt) -> list[str]:
    """The names that a definition or a plain assignment binds; none for another statement."""
    if isinstance(node, DEFINITIONS):
        return [node.name]
    if isinstance(node, ast.AnnAssign):
        targets = [node.target]
    elif isinstance(node, ast.Assign):
        targets = node.targets
    else:
        return []
    parts = [part for target in targets for part in getattr(target, "elts", [target])]
    plain = all(isinstance(part, ast.Name) for part in parts)
    return [part.id for part in parts] if plain else []


def passed_over(node: ast.AST) -> bool:
    """Imports, docstrings, ``pass``, and what is for checkers of types or the command line."""
    if isinstance(node, ast.Import | ast.ImportFrom | ast.Pass):
        return True
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
    if isinstance(node, ast.If):
        main = isinstance(node.test, ast.Compare) and dotted(node.test.left) == ["__name__"]
        return main or _is_for_types(node)
    return False


def _is_for_types(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and dotted(node.test)[-1:] == ["TYPE_CHECKING"]
