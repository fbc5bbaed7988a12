"""The modules of a package as text: what each defines, imports, and runs when it is imported.

Nothing is imported: all of it is read from the syntax trees of the files.
"""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


class ProvenanceError(ValueError):
    """What a name leads to cannot be read from the source; the message says where, and why."""


@dataclass(frozen=True)
class Origin:
    """What an import binds: a module, or an attribute of one.

    Attributes:
        module: dotted; of ``import a.b`` it is ``a``.
        attribute: of the module, which ``from`` imports.
        loads: the module that ``import a.b`` runs, ``a.b``.
    """

    module: str
    attribute: str = ""
    loads: str = field(default="", compare=False)


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

    @property
    def exported(self) -> set[str]:
        """The names in ``__all__``."""
        nodes = [part for unit in self.units.get("__all__", ()) for part in ast.walk(unit.node)]
        return {part.value for part in nodes if isinstance(part, ast.Constant)}


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
            name, source = (alias.asname, full) if alias.asname else (name, name)
            yield name, Origin(source, loads=full)
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
            for one in node.body:
                _inside(module, one)  # fields of classes may name what it imports
        for one in getattr(node, "orelse", ()):
            _add(module, one)
        return
    names = _names(node)
    if names == ["READS"]:
        module.reads = tuple(ast.literal_eval(node.value))
        return
    unit = Unit(module, " ".join(names or [type(node).__name__]), node)
    if not names:
        module.effects.append(unit)
    for name in dict.fromkeys([*names, *_inside(module, node)]):
        module.units.setdefault(name, []).append(unit)


def _inside(module: Module, node: ast.stmt) -> list[str]:
    """The names that a loop, a condition and the like bind; its imports become the module's."""
    names = []
    for name, origin in bound([node], module):
        if origin is None:
            names.append(name)
        else:
            module.imports.setdefault(name, []).append(origin)
    return names


def bound(nodes: Iterable[ast.AST], module: Module) -> Iterator[tuple[str, Origin | None]]:
    """The names that statements bind in their own scope: with their origin, or as local ones."""
    own = [*_own_scope(nodes)]
    outer = {n for one in own if isinstance(one, ast.Global | ast.Nonlocal) for n in one.names}
    for node in own:
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield from imported(node, module)
        elif isinstance(node, DEFINITIONS):
            yield node.name, None
        elif isinstance(node, COMPREHENSIONS):
            inner = (one for one in ast.walk(node) if isinstance(one, ast.NamedExpr))
            yield from ((one.target.id, None) for one in inner)
        else:
            yield from ((name, None) for name in _stored(node) if name not in outer)


def _own_scope(nodes: Iterable[ast.AST]) -> Iterator[ast.AST]:
    """All nodes in the order of the text, without the insides of what has a scope of its own."""
    for node in nodes:
        yield node
        if not isinstance(node, (*DEFINITIONS, *COMPREHENSIONS, ast.Lambda)):
            yield from _own_scope(ast.iter_child_nodes(node))


def _stored(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Name):
        if not isinstance(node.ctx, ast.Load):
            yield node.id
    elif isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar) and node.name:
        yield node.name
    elif isinstance(node, ast.MatchMapping) and node.rest:
        yield node.rest


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


def kept(nodes: list) -> Iterator:
    """What is not passed over; of a condition for types or the command line, its ``else``."""
    for node in nodes:
        if not passed_over(node):
            yield node
        elif isinstance(node, ast.If):
            yield from kept(node.orelse)


def passed_over(node: ast.AST) -> bool:
    """Docstrings, ``pass``, and what is for checkers of types or the command line."""
    if isinstance(node, ast.Pass):
        return True
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
    return isinstance(node, ast.If) and (_is_for_types(node) or _is_main(node.test))


def _is_main(test: ast.expr) -> bool:
    compares = isinstance(test, ast.Compare) and dotted(test.left) == ["__name__"]
    return compares and isinstance(test.ops[0], ast.Eq)


def _is_for_types(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and dotted(node.test)[-1:] == ["TYPE_CHECKING"]
