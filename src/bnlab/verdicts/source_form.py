"""What a definition says, without how it is written: its canonical form."""

from __future__ import annotations

import ast
import functools
import hashlib
from collections.abc import Iterator

from bnlab.verdicts.source_graph import Drawing, Found, Package
from bnlab.verdicts.source_modules import (
    DEFINITIONS,
    Module,
    Origin,
    ProvenanceError,
    Unit,
    imported,
    passed_over,
)

SKIPPED = ("ctx", "kind", "type_comment", "type_ignores", "type_params", "returns")
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
DYNAMIC = ("__import__", "importlib.__import__", "importlib.import_module", "exec", "eval")
"""Calls that run code which the source does not name."""

Scope = dict[str, Origin | None]


@functools.lru_cache(maxsize=2**15)
def shallow(package: Package, unit: Unit) -> str:
    """Names what a unit says itself, whatever the definitions say to which it refers."""
    form = Writer(package, unit, deep=False).form(unit.node)
    return hashlib.sha256(repr(form).encode()).hexdigest()


class Writer:
    """Writes a unit as nested tuples: no docstrings, imports, annotations, or places in the text.

    A name that leads out of the package becomes its dotted origin, so that ``np.sum`` and a
    ``sum`` imported from numpy are the same. One that leads to a definition of the package becomes
    the name and the ``shallow`` form of that definition, wherever it is and however it is called
    here. Annotations count in the body of a class alone, and are not followed: they make fields.

    Args:
        package: where names lead to.
        unit: what is written.
        deep: False leaves out the definitions that are referred to.

    Attributes:
        reached: the units that it refers to, as far as they are written.
    """

    def __init__(self, package: Package, unit: Unit, deep: bool = True) -> None:
        self.package, self.module, self.deep = package, unit.module, deep
        self.scopes: list[Scope] = []
        self.in_class, self.reached = False, dict[Unit, None]()

    def form(self, node: object) -> object:
        """A node, or a list of them, or a constant."""
        if isinstance(node, list):
            return tuple(self.form(one) for one in node if not passed_over(one))
        if not isinstance(node, ast.AST):
            return repr(node)
        if isinstance(node, ast.Name | ast.Attribute):
            return self._reference(node)
        if isinstance(node, COMPREHENSIONS):
            return self._comprehension(node)
        if isinstance(node, FUNCTIONS):
            return self._function(node)
        if isinstance(node, ast.ClassDef):
            return self._class(node)
        return self._fields(node)

    def _fields(self, node: ast.AST, *without: str) -> tuple:
        left_out = (*SKIPPED, *without)
        if isinstance(node, ast.arg) or (isinstance(node, ast.AnnAssign) and not self.in_class):
            left_out += ("annotation",)
        if isinstance(node, ast.AnnAssign) and "annotation" not in left_out:
            quiet = Writer(self.package, Unit(self.module, "", node), deep=False)
            return (*self._fields(node, "annotation"), quiet.form(node.annotation))
        fields = ((k, v) for k, v in ast.iter_fields(node) if k not in left_out)
        kept = ((name, self.form(value)) for name, value in fields if value not in (None, []))
        return (type(node).__name__, *kept)

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> tuple:
        outside = self.form([*node.args.defaults, *(one for one in node.args.kw_defaults if one)])
        outside = (outside, self.form(getattr(node, "decorator_list", [])))
        required = tuple(one is None for one in node.args.kw_defaults)
        body = node.body if isinstance(node.body, list) else [node.body]
        scope: Scope = {one.arg: None for one in _arguments(node.args)} | dict(
            _bound(body, self.module)
        )
        with_arguments = self._fields(node.args, "defaults", "kw_defaults")
        inside = self._within(scope, False, body)
        name = getattr(node, "name", "")
        return (type(node).__name__, name, with_arguments, required, outside, inside)

    def _class(self, node: ast.ClassDef) -> tuple:
        outside = self.form([*node.decorator_list, *node.bases]), self.form(node.keywords)
        return ("ClassDef", node.name, outside, self._within({}, True, node.body))

    def _comprehension(self, node: ast.AST) -> tuple:
        first = self.form(node.generators[0].iter)  # it is outside of the comprehension's scope
        targets = [part for one in node.generators for part in ast.walk(one.target)]
        scope: Scope = {one.id: None for one in targets if isinstance(one, ast.Name)}
        return (type(node).__name__, first, self._within(scope, self.in_class, node))

    def _within(self, scope: Scope, in_class: bool, node: object) -> object:
        before, self.in_class = self.in_class, in_class
        self.scopes.append(scope)
        form = self._fields(node) if isinstance(node, ast.AST) else self.form(node)
        self.scopes.pop()
        self.in_class = before
        return form

    def _reference(self, node: ast.Name | ast.Attribute) -> object:
        """The longest part of ``a.b.c`` that the source explains, then the other attributes."""
        if isinstance(node, ast.Attribute):
            found = self._find(node)
            if found is None:
                return ("Attribute", self.form(node.value), node.attr)
            return self._written(found, node.attr)
        if isinstance(node.ctx, ast.Store | ast.Del):
            return ("Name", node.id)
        found = self._find(node)
        return ("Name", node.id) if found is None else self._written(found, node.id)

    def _find(self, node: ast.AST) -> Found | None:
        """What ``a.b.c`` as a whole is; None if it is local, or an attribute of an object."""
        if isinstance(node, ast.Name):
            return self._find_name(node.id)
        if not isinstance(node, ast.Attribute):
            return None
        before = self._find(node.value)
        if isinstance(before, Module):
            return self.package.member(before, node.attr)
        if isinstance(before, Drawing):
            return Drawing(node.attr)
        if isinstance(before, str):
            return f"{before}.{node.attr}"
        return None

    def _find_name(self, name: str) -> Found | None:
        for scope in reversed(self.scopes):
            if name in scope:
                return None if scope[name] is None else self.package.resolve([scope[name]])
        if name in self.module.units or name in self.module.imports:
            return self.package.member(self.module, name)
        if name in DYNAMIC:
            return self._written(name, name)[1]
        return None

    def _written(self, found: Found, name: str) -> tuple:
        if isinstance(found, Drawing):
            return ("drawing",) if self.deep else ("Name", found.name)
        if isinstance(found, str):
            if found in DYNAMIC:
                raise ProvenanceError(
                    f"{self.module.name} calls {found}: which code that runs cannot be read from "
                    "the source. Import what it needs by name."
                )
            return ("Name", found)
        is_module = isinstance(found, Module)
        units = found.all_units if is_module else found
        if not self.deep:
            return ("module",) if is_module else ("Name", units[0].name)
        self.reached |= dict.fromkeys(units)
        hashes = sorted(shallow(self.package, unit) for unit in units)
        return ("module", *hashes) if is_module else ("reference", units[0].name, *hashes)


def _arguments(node: ast.arguments) -> list[ast.arg]:
    several = [*node.posonlyargs, *node.args, *node.kwonlyargs, node.vararg, node.kwarg]
    return [one for one in several if one is not None]


def _bound(nodes: list, module: Module) -> Iterator[tuple[str, Origin | None]]:
    """The names that statements bind in their own scope: with their origin, or as local ones."""
    outer = {n for one in nodes for part in ast.walk(one) for n in _declared_outside(part)}
    todo = list(nodes)
    while todo:
        node = todo.pop()
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield from imported(node, module)
        elif isinstance(node, DEFINITIONS):
            yield node.name, None
        elif isinstance(node, COMPREHENSIONS):
            inner = (one for one in ast.walk(node) if isinstance(one, ast.NamedExpr))
            yield from ((one.target.id, None) for one in inner)
        elif not isinstance(node, ast.Lambda):
            yield from ((name, None) for name in _stored(node) if name not in outer)
            todo.extend(ast.iter_child_nodes(node))


def _declared_outside(node: ast.AST) -> list[str]:
    return node.names if isinstance(node, ast.Global | ast.Nonlocal) else []


def _stored(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Name):
        if not isinstance(node.ctx, ast.Load):
            yield node.id
    elif isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar) and node.name:
        yield node.name
    elif isinstance(node, ast.MatchMapping) and node.rest:
        yield node.rest
