"""The code that makes the numbers of a claim, found in the source, and a name for what it does.

It starts at the function that measures, and takes in each definition that this one refers to, and
so on. A *unit* is a statement at the top of a module: a function, a class with all its methods, an
assignment. The digest covers the meaning of all units that are reached, not where they are: it
stays the same when a function moves, a module is renamed or imported by another name, and when
docstrings, comments, annotations of functions or layout change.

What else counts: once a module is reached, the statements in it, and in the packages that hold it,
that run on import and define nothing (loops, calls), definitions that a decorator of the package
registers, and modules that are imported for that alone; and the files that a module names in
``READS = ("artefacts/*/manifest.json",)``, patterns relative to its folder.
What does not: drawing, what carries results from process to process, what refuses arguments
(``DRAWING``, ``FIGURES`` and ``CARRYING`` in ``source_graph``), everything outside of the package
(evidence names the versions of torch and numpy itself), and ``__version__``.

``bnlab.digest`` names the bytes of code, for results that can be computed anew at once. Evidence
takes long, and is kept over years.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import bnlab
from bnlab.verdicts.source_form import Refers, Writer
from bnlab.verdicts.source_graph import Package
from bnlab.verdicts.source_modules import Module, ProvenanceError, Unit

ROOT = Path(bnlab.__file__).parent
PLAIN = (str, int, float, bool, type(None))

ROUNDS = 8
"""How far the name of a unit looks: it tells apart what differs so many references away."""

Start = Callable | tuple[str, str]


@dataclass(frozen=True)
class Closure:
    """All code that a function can reach.

    Attributes:
        units: the names of what counts, by the dotted name of the module that holds it.
        files: the files that these modules read.
        digest: sixteen hexadecimal digits that name what all of it does.
    """

    units: dict[str, tuple[str, ...]]
    files: tuple[Path, ...]
    digest: str

    def __str__(self) -> str:
        count, rows = sum(map(len, self.units.values())), []
        for module, names in self.units.items():
            rows.append(f"  {module} ({len(names)}): {', '.join(names)}")
        rows += [f"  reads {path.parent.name}/{path.name}" for path in self.files]
        return "\n".join([f"{count} definitions in {len(self.units)} modules", *rows])

    @property
    def folders(self) -> tuple[str, ...]:
        """The first part of each module's name, below the package: ``nets``, ``random``."""
        return tuple(sorted({name.split(".")[1] for name in self.units if "." in name}))


def code_meaning(start: Start, root: Path = ROOT, package: str = "bnlab") -> str:
    """Sixteen hexadecimal digits that name what a function, and all that it can reach, does.

    The arguments and errors are those of ``closure``.
    """
    return closure(start, root, package).digest


def closure(start: Start, root: Path = ROOT, package: str = "bnlab") -> Closure:
    """All code that a function can reach.

    Args:
        start: a function at the top of a module, ``functools.partial`` of one (its arguments count
            too), or the names of the module and of the function.
        root: the package's folder.
        package: its name.

    Raises:
        ProvenanceError: for another function, such as a lambda; for a name that the package does
            not have, and for code that imports modules by names that it computes.
        FileNotFoundError: for a pattern in ``READS`` that fits no file.
    """
    module, name, given = _named(start)
    return _closure(_package(root, package, _stamp(root)), module, name, given)


def forms(start: Start, within: tuple[str, ...]) -> set[str]:
    """Digests of the definitions, in modules whose names start so, that a function can reach.

    Each says what the definition says, with names in place of what it refers to. ``partial``
    arguments count. The errors are those of ``closure``.
    """
    module, name, given = _named(start)
    package = _package(ROOT, "bnlab", _stamp(ROOT))
    units, _ = _reached(package, _start(package, module, name))
    found = {_form(package, u)[0] for u in units if u.module.name.startswith(within)}
    return found | ({_digest(f"{name}{given}")} if given else set())


def _named(start: Start) -> tuple[str, str, str]:
    """The module, the name, and the arguments that are fixed beforehand."""
    if isinstance(start, tuple):
        return (*start, "")
    if isinstance(start, functools.partial):
        module, name, given = _named(start.func)
        fixed = (*start.args, *start.keywords.values())
        if not all(map(_is_plain, fixed)):
            raise ProvenanceError(f"fix only numbers, words and tuples of {name}, not {fixed}.")
        return module, name, f"{given}{start.args}{sorted(start.keywords.items())}"
    module, name = getattr(start, "__module__", ""), getattr(start, "__qualname__", "")
    if not name.isidentifier():
        raise ProvenanceError(
            f"{name or start} is no function at the top of a module: define one that measures."
        )
    return module, name, ""


def _is_plain(value: object) -> bool:
    return all(map(_is_plain, value)) if isinstance(value, tuple) else isinstance(value, PLAIN)


def _stamp(root: Path) -> tuple:
    """Names, times and sizes of the Python files: another tuple once one of them has changed."""
    found = ((path, path.stat()) for path in root.rglob("*.py"))
    return tuple(sorted((str(path), stat.st_mtime_ns, stat.st_size) for path, stat in found))


@functools.lru_cache(maxsize=4)
def _package(root: Path, name: str, _stamp: tuple) -> Package:
    return Package(root, name)


def _closure(package: Package, module: str, name: str, given: str) -> Closure:
    first = _start(package, module, name)
    units, modules = _reached(package, first)
    files = sorted({path for one in modules for path in _files(one)})
    forms = {_refined(package, unit) for unit in units}
    forms.add(f"{name} {given} {[_refined(package, unit) for unit in first]}")
    contents = {hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
    digest = hashlib.sha256("\n".join([*sorted(forms), "", *sorted(contents)]).encode())
    by_module: dict[str, list[str]] = {}
    for unit in units:
        by_module.setdefault(unit.module.name, []).append(unit.name)
    named = {name: tuple(sorted(found)) for name, found in sorted(by_module.items())}
    return Closure(named, tuple(files), digest.hexdigest()[:16])


def _start(package: Package, module: str, name: str) -> list[Unit]:
    """The definitions of a name in a module."""
    place = package.module(module) if package.has(module) else None
    if place is None or name not in place.units:
        raise ProvenanceError(f"{package.name} has no function {name!r} in {module!r}.")
    return place.units[name]


def _reached(package: Package, first: list[Unit]) -> tuple[list[Unit], list[Module]]:
    units, modules, todo = dict[Unit, None](), dict[Module, None](), [*first]
    while todo:
        one = todo.pop()
        if one in units or one in modules:
            continue
        if isinstance(one, Unit):
            units[one] = None
            _, references, loaded = _form(package, one)
            whole = (ref.all_units for ref in references if isinstance(ref, Module))
            todo += [*references, *(unit for units_ in whole for unit in units_), *loaded]
            todo.append(one.module)
        else:
            modules[one] = None
            todo += [*package.on_import(one), *package.imported_for_effect(one)]
            todo += package.above(one)
    return [*units], [*modules]


@functools.lru_cache(maxsize=2**15)
def _form(package: Package, unit: Unit) -> tuple[str, tuple[Refers, ...], tuple[Module, ...]]:
    """A digest of the unit's canonical form, what it refers to, and modules that it loads."""
    writer = Writer(package, unit)
    form = repr(writer.form(unit.node))
    return _digest(form), tuple(writer.references), tuple(writer.loaded)


@functools.lru_cache(maxsize=2**18)
def _refined(package: Package, unit: Unit, rounds: int = ROUNDS) -> str:
    """Names what a unit says, what the units say to which it refers, and so on."""
    form, references, _ = _form(package, unit)
    names = [form]
    for one in references if rounds else ():
        units = one.all_units if isinstance(one, Module) else [one]
        names.append(" ".join(sorted(_refined(package, each, rounds - 1) for each in units)))
    return _digest("\n".join(names))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _files(module: Module) -> Iterator[Path]:
    for pattern in module.reads:
        found = sorted(module.path.parent.glob(pattern))
        if not found:
            raise FileNotFoundError(f"{module.name} reads {pattern!r}, and there is no such file.")
        yield from found
