"""What a name in the source of a package leads to, through imports and re-exports."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bnlab.verdicts.source_modules import Module, Origin, ProvenanceError, Unit, dotted, read

DRAWING = ("show", "draw")
"""Folders of the package that only draw."""

FIGURES = ("figure", "figures")
"""A module whose name ends so only draws, too."""

CARRYING = ("work",)
"""A module with this name does the parts that it is given, and adds nothing to their numbers."""

CONTEXTS = ("contextmanager", "asynccontextmanager")


@dataclass(frozen=True)
class Drawing:
    """A name that only draws, or only carries results: it is not followed."""

    name: str


Found = Module | Drawing | tuple[Unit, ...] | str


class Package:
    """All modules of a package, each of them read when it is asked for.

    Args:
        root: the package's folder.
        name: by which its modules import each other.
    """

    def __init__(self, root: Path, name: str) -> None:
        self.root, self.name = root, name
        self._modules: dict[str, Module | None] = {}

    def module(self, name: str) -> Module | None:
        """The module of this dotted name, if the package has it."""
        if name not in self._modules:
            place = self.root.joinpath(*name.split(".")[1:])
            paths = (place / "__init__.py", place.parent / f"{place.name}.py")
            path = next((one for one in paths if one.is_file()), None)
            self._modules[name] = path and read(name, path)
        return self._modules[name]

    def has(self, name: str) -> bool:
        """Whether a dotted name begins with the package's."""
        return name.partition(".")[0] == self.name

    def resolve(self, origins: Sequence[Origin]) -> Found:
        """What an imported name is.

        Returns:
            Units, a module of the package, or a drawing; for all else its dotted name.

        Raises:
            ProvenanceError: if the package has no such name, or the name may be several things.
        """
        found = [self._resolve(one) for one in origins]
        if len(found) == 1:
            return found[0]
        if not all(isinstance(one, str) for one in found):
            raise ProvenanceError(f"one name may be any of {origins}: import it from one place.")
        return "|".join(found)  # as torch's versions have it here or there

    def _resolve(self, origin: Origin) -> Found:
        if not self.has(origin.module):
            return f"{origin.module}.{origin.attribute}".rstrip(".")
        if is_drawing(origin.module):
            return Drawing(origin.attribute or origin.module.rpartition(".")[2])
        module = self.module(origin.module)
        if module is None:
            raise ProvenanceError(f"there is no module {origin.module}.")
        return self.member(module, origin.attribute) if origin.attribute else module

    def member(self, module: Module, name: str) -> Found:
        """What an attribute of a module is; see ``resolve``."""
        if name.startswith("__") and name.endswith("__"):
            return name  # __file__, __version__: they make no numbers
        if name in module.units:
            return tuple(module.units[name])
        below = f"{module.name}.{name}"
        origins = [o for o in module.imports.get(name, ()) if o != Origin(module.name, name)]
        if origins:
            return self.resolve(origins)
        if is_drawing(below):
            return Drawing(name)
        inner = self.module(below)
        if inner is None:
            raise ProvenanceError(f"{module.name} does not define {name}.")
        return inner

    def on_import(self, module: Module) -> list[Unit]:
        """What runs when a module is imported: its effects, and definitions that register.

        A decorator of the package may keep what it decorates in a table. (A context manager, used
        as a decorator, keeps nothing.)
        """
        return [*module.effects, *(one for one in module.all_units if self._registers(one))]

    def imported_for_effect(self, module: Module) -> list[Module]:
        """Modules that a module imports and does not use: they may register something."""
        unused = [o for n, o in module.imports.items() if n not in module.mentions]
        found = [] if module.is_package else [self.resolve(origins) for origins in unused]
        return [one for one in found if isinstance(one, Module)]

    def _registers(self, unit: Unit) -> bool:
        for one in getattr(unit.node, "decorator_list", ()):
            called = one.func if isinstance(one, ast.Call) else one
            found = self.lookup(unit.module, dotted(called)) if dotted(called) else ""
            if isinstance(found, tuple) and not all(map(_is_context, found)):
                return True
        return False

    def lookup(self, module: Module, names: Sequence[str]) -> Found:
        """What ``a.b.c``, as written in a module, is: the last of them that is known."""
        first, *others = names
        bound = first in module.units or first in module.imports
        found: Found = self.member(module, first) if bound else first
        for name in others:
            if isinstance(found, Module):
                found = self.member(found, name)
        return found


def is_drawing(module: str) -> bool:
    """Whether a module, by its dotted name, only draws, or only carries results."""
    _, *below = module.split(".")
    return bool(below) and (
        below[0] in DRAWING or below[-1].endswith(FIGURES) or below[-1] in CARRYING
    )


def _is_context(unit: Unit) -> bool:
    decorators = getattr(unit.node, "decorator_list", ())
    return any(dotted(one)[-1:] in ([name] for name in CONTEXTS) for one in decorators)
