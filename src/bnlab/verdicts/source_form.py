"""What a definition says, without how it is written: its canonical form."""

from __future__ import annotations

import ast

from bnlab.verdicts.source_graph import Drawing, Found, Package, any_of
from bnlab.verdicts.source_modules import (
    COMPREHENSIONS,
    Module,
    Origin,
    ProvenanceError,
    Unit,
    bound,
    imported,
    kept,
)

SKIPPED = ("ctx", "kind", "type_comment", "type_ignores", "type_params", "returns")
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
DYNAMIC = ("__import__", "importlib.__import__", "importlib.import_module", "exec", "eval")
"""Calls that run code which the source does not name."""

Refers = Unit | Module
Scope = dict[str, list[Origin | None]]
"""Where each name comes from, in the order of the text; None is for what is bound right here."""


class Writer:
    """Writes a unit as nested tuples: no docstrings, imports, annotations, or places in the text.

    A name that leads out of the package becomes its dotted origin, so that ``np.sum`` and a
    ``sum`` imported from numpy are the same. One that leads to a definition of the package becomes
    its name, wherever it is and however it is called here; ``references`` has what it leads to.
    Imports are written where they count by their place: in the body of a class, and where a name
    has several origins. Annotations count in the body of a class alone, and are not followed: they
    make fields.

    Args:
        package: where names lead to.
        unit: what is written.
        deep: False leaves out the definitions that are referred to.

    Attributes:
        references: what it refers to, in the order of the form; a module counts whole.
        loaded: modules that functions import for what these do when they are imported.
    """

    def __init__(self, package: Package, unit: Unit, deep: bool = True) -> None:
        self.package, self.module, self.deep = package, unit.module, deep
        self.scopes: list[tuple[Scope, bool]] = []
        self.in_class = False
        self.references: list[Refers] = []
        self.loaded = dict[Module, None]()

    def form(self, node: object) -> object:
        """A node, or a list of them, or a constant."""
        if isinstance(node, list):
            counts = (one for one in kept(node) if not self._adds_nothing(one))
            return tuple(form for one in counts if (form := self.form(one)) != ())
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
        if isinstance(node, ast.Import | ast.ImportFrom):
            return self._import(node)
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
        outside = (outside, self.form(self._decorators(node)))
        required = tuple(one is None for one in node.args.kw_defaults)
        body = node.body if isinstance(node.body, list) else [node.body]
        scope: Scope = {one.arg: [None] for one in _arguments(node.args)}
        used = {one.id for part in body for one in ast.walk(part) if isinstance(one, ast.Name)}
        for name, origin in bound(body, self.module):
            scope.setdefault(name, []).append(origin)
            if origin is not None:
                self.loaded |= dict.fromkeys(self.package.loaded(origin, name in used))
        with_arguments = self._fields(node.args, "defaults", "kw_defaults")
        inside = self._within(scope, False, body)
        name = getattr(node, "name", "")
        return (type(node).__name__, name, with_arguments, required, outside, inside)

    def _class(self, node: ast.ClassDef) -> tuple:
        outside = self.form([*self._decorators(node), *node.bases]), self.form(node.keywords)
        scope: Scope = {}
        for name, origin in bound(node.body, self.module):
            if origin is not None:
                scope.setdefault(name, []).append(origin)
                self.loaded |= dict.fromkeys(self.package.loaded(origin, used=True))
        return ("ClassDef", node.name, outside, self._within(scope, True, node.body))

    def _adds_nothing(self, node: ast.AST) -> bool:
        """Whether a statement only draws, or refuses an argument."""
        is_call = isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)
        return is_call and isinstance(self._find(node.value.func), Drawing)

    def _decorators(self, node: ast.AST) -> list[ast.expr]:
        """Those that can change what is computed: to refuse an argument changes nothing."""
        found = getattr(node, "decorator_list", [])
        return [one for one in found if not isinstance(self._find(one), Drawing)]

    def _import(self, node: ast.Import | ast.ImportFrom) -> tuple:
        """What an import means by its place; nothing where only the use of its names counts."""
        parts = []
        for name, origin in imported(node, self.module):
            if self.in_class or self._is_bound_again(name):
                parts.append((name, self._written(self.package.resolve([origin]), name)))
        return ("Import", *parts) if parts else ()

    def _is_bound_again(self, name: str) -> bool:
        if self.scopes:
            return len({*self.scopes[-1][0].get(name, ())}) > 1
        return len({*self.module.imports.get(name, ()), *self.module.units.get(name, ())}) > 1

    def _comprehension(self, node: ast.AST) -> tuple:
        first = self.form(node.generators[0].iter)  # it is outside of the comprehension's scope
        targets = [part for one in node.generators for part in ast.walk(one.target)]
        scope: Scope = {one.id: [None] for one in targets if isinstance(one, ast.Name)}
        return (type(node).__name__, first, self._within(scope, self.in_class, node))

    def _within(self, scope: Scope, in_class: bool, node: object) -> object:
        before, self.in_class = self.in_class, in_class
        self.scopes.append((scope, in_class and isinstance(node, list)))
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
        scopes = [*self.scopes]
        if scopes and scopes[-1][1]:  # methods do not see what the body of their class binds
            here, outside = scopes.pop()[0].get(name, []), self._find_outside(name, scopes)
            found = [self.package.resolve(here)] if here else []
            found += [outside] if outside is not None else []
            return any_of(found) if found else None
        return self._find_outside(name, scopes)

    def _find_outside(self, name: str, scopes: list[tuple[Scope, bool]]) -> Found | None:
        for scope, is_class in reversed(scopes):
            if name in scope and not is_class:
                origins = [one for one in scope[name] if one is not None]
                return self.package.resolve(origins) if origins else None
        if name in self.module.units or name in self.module.imports:
            return self.package.member(self.module, name)
        if name in DYNAMIC:
            return self._written(name, name)[1]
        return None

    def _written(self, found: Found | Unit, name: str) -> tuple:
        if isinstance(found, Drawing):
            return ("drawing",) if self.deep else ("Name", found.name)
        if isinstance(found, str):
            if found in DYNAMIC:
                raise ProvenanceError(
                    f"{self.module.name} calls {found}: which code that runs cannot be read from "
                    "the source. Import what it needs by name."
                )
            return ("Name", found)
        if isinstance(found, tuple):
            if not self.deep:
                return ("Name", getattr(found[0], "name", name))
            return ("reference", *(self._written(one, name) for one in found))
        if self.deep:
            self.references.append(found)
        return ("module",) if isinstance(found, Module) else ("unit", found.name)


def _arguments(node: ast.arguments) -> list[ast.arg]:
    several = [*node.posonlyargs, *node.args, *node.kwonlyargs, node.vararg, node.kwarg]
    return [one for one in several if one is not None]
