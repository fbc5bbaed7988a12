"""What a name in the source of a package leads to, through imports and re-exports."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bnlab.verdicts.source_modules import Module, Origin, ProvenanceError, Unit, dotted, read

DRAWING = ("show", "draw")
"""Folders of the package that only draw."""

FIGURES = ("figure", "figures")
"""A module whose last word is one of these only draws, too."""

CARRYING = ("verdicts.work", "train.ways", "arguments")
"""These modules do the parts that they are given, or choose what does them where a measurement
does not say so, or refuse arguments, and add nothing to their numbers."""

CONTEXTS = ("contextmanager", "asynccontextmanager")


@dataclass(frozen=True)
class Drawing:
    """A name that only draws, or only carries results: it is not followed."""

    name: str


Found = Module | Drawing | tuple["Unit | Module | Drawing | str", ...] | str
"""What a name is; a tuple holds all that it may be, such as its definitions."""


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
            Units, a module of the package, or a drawing; for all else its dotted name. What is
            imported from several places may be any of them.

        Raises:
            ProvenanceError: if the package has no such name.
        """
        return any_of([self._resolve(one) for one in origins])

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
        units = tuple(module.units.get(name, ()))
        below = f"{module.name}.{name}"
        origins = [o for o in module.imports.get(name, ()) if o != Origin(module.name, name)]
        if units or origins:
            return any_of([units, *map(self._resolve, origins)])
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

    def imported_for_effect(self, module: Module) -> Iterator[Module]:
        """Modules that a module imports and does not use: they may register something.

        What a folder's ``__init__`` imports for others to use is no effect.
        """
        used = module.mentions | module.exported
        for name, origins in module.imports.items():
            for one in origins:
                yield from self.loaded(one, name in used, module.is_package)

    def loaded(self, origin: Origin, used: bool, passes_on: bool = False) -> Iterator[Module]:
        """Modules of which an import counts for what they do when they are imported.

        Args:
            origin: of the name that is imported.
            used: whether the name is; then only ``import a.b`` counts, which names its module.
            passes_on: whether a name that is not used may be for others, unless it is a module.
        """
        found: list[Found | None] = []
        if not used:
            found.append(self.resolve([origin]))
        for name in (origin.loads, "" if used or passes_on else origin.module):
            if self.has(name) and not is_drawing(name):
                found.append(self.module(name))
        yield from (one for one in found if isinstance(one, Module))

    def above(self, module: Module) -> list[Module]:
        """The packages that hold a module: they are imported before it."""
        parts = module.name.split(".")
        found = (self.module(".".join(parts[:end])) for end in range(1, len(parts)))
        return [one for one in found if one]

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
        below[0] in DRAWING or below[-1].split("_")[-1] in FIGURES or ".".join(below) in CARRYING
    )


def any_of(found: Sequence[Found]) -> Found:
    """All that a name may be, each of it once."""
    several = [part for one in found for part in (one if isinstance(one, tuple) else (one,))]
    parts = tuple(dict.fromkeys(several))
    if parts and all(isinstance(one, str) for one in parts):
        return "|".join(parts)  # as torch's versions have it here or there
    return parts if len(parts) > 1 or isinstance(parts[0], Unit) else parts[0]


def _is_context(one: Unit | Module | Drawing | str) -> bool:
    decorators = getattr(getattr(one, "node", None), "decorator_list", ())
    return any(dotted(one)[-1:] in ([name] for name in CONTEXTS) for one in decorators)
