"""One ES module out of several: what anywidget wants in ``_esm``.

The sources of a widget are proper ES modules that import each other by relative paths. A browser
cannot resolve such imports in a module that arrives as text, so this file writes them into one
module: every shared module without its ``import`` lines and ``export`` keywords, then the
widget's own module with its ``export default``. All modules then share one scope, so their
top-level names must differ. ``kit/js/style.js`` is no file: it is made from ``draw/style.json``,
the table of labels, colours and dashes that Python uses too.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[2]
FOLDER = PACKAGE / "lab" / "kit" / "js"
STYLE = FOLDER / "style.js"
STYLE_FILE = PACKAGE / "draw" / "style.json"

_IMPORT = re.compile(
    r"^import\s+(?P<what>[^;\"']*?)\s*from\s*[\"'](?P<source>[^\"']+)[\"'];?[ ]*(?://.*)?\n",
    re.M,
)
_EXPORT = re.compile(r"^export\s+(?=(?:async\s+)?(?:function|class|const|let)\b)", re.M)
_DEFAULT = re.compile(r"^export\s+default\b", re.M)
_DECLARED = re.compile(
    r"^(?P<export>export\s+)?(?:async\s+)?(?:function\*?|class|const|let)\s+(?P<name>[\w$]+)"
    r"(?P<rest>(?:\"[^\"\n]*\"|[^\n;({\[\"'`])*)",
    re.M,
)
_FURTHER = re.compile(r",\s*([\w$]+)\s*=")  # B in: const A = 1, B = 2;
_RELATIVE = re.compile(r"\.\.?/(?:[\w.-]+/)*[\w-]+\.js")


class BundleError(ValueError):
    """The JavaScript sources cannot be made into one module; the message says why."""


def bundle(widget: Path) -> str:
    """Join a widget's ES module and all that it imports to the text of one module.

    Args:
        widget: the module with the default export.

    Raises:
        BundleError: if an import leads nowhere or in a circle, is not of the form
            ``import { a, b } from "./NAME.js"``, or if two modules declare the same name.
    """
    widget = Path(widget).resolve()
    sources = _with_imports(widget, (), {})
    _check(sources, widget)
    return "\n".join(_strip(text) for text in sources.values())


def script(modules: Iterable[Path]) -> str:
    """Join modules and all that they import to one classic script: for a web worker.

    Raises:
        BundleError: as ``bundle``, and for a default export.
    """
    sources: dict[Path, str] = {}
    for module in modules:
        _with_imports(Path(module).resolve(), (), sources)
    _check(sources, None)
    return "\n".join(['"use strict";', *map(_strip, sources.values())])


def stylesheet(*own: Path) -> str:
    """The style sheet of a widget: what all widgets share, then its own files."""
    shared = (FOLDER / "kit.css", FOLDER / "plots.css")
    return "\n".join(path.read_text(encoding="utf-8") for path in (*shared, *own))


def style_table() -> dict[str, dict]:
    """Label, colours, dash and marker of each normalizer."""
    return json.loads(STYLE_FILE.read_text(encoding="utf-8"))


def _with_imports(path: Path, above: tuple[Path, ...], done: dict) -> dict[Path, str]:
    """Add the texts of a module and of all that it imports to ``done``, the imported ones first."""
    if path in above:
        circle = " -> ".join(map(_name, (*above, path)))
        raise BundleError(f"{circle}: modules import each other in a circle")
    if path in done:
        return done
    text = _read(path, above)
    for match in _IMPORT.finditer(text):
        if not _RELATIVE.fullmatch(match["source"]):
            raise BundleError(
                f"{_name(path)} imports {match['source']!r}: only a relative path, such as "
                "./NAME.js or ../kit/js/NAME.js, can be bundled"
            )
        source = (path.parent / match["source"]).resolve()
        _with_imports(source, (*above, path), done)
        _check_imported(_name(path), match, done[source])
    done[path] = text
    return done


def _name(path: Path) -> str:
    """What an error calls a module: its path in the package."""
    return path.relative_to(PACKAGE).as_posix() if path.is_relative_to(PACKAGE) else str(path)


def _read(path: Path, above: tuple[Path, ...]) -> str:
    if path == STYLE:
        return f"export const STYLE = {json.dumps(style_table(), separators=(',', ':'))};\n"
    if not path.is_file():
        by = f" (imported by {_name(above[-1])})" if above else ""
        there = ", ".join(sorted(p.name for p in path.parent.glob("*.js"))) or "nothing"
        raise BundleError(f"no module {_name(path)}{by}; beside it there is {there}")
    return path.read_text(encoding="utf-8")


def _check_imported(name: str, imported: re.Match, text: str) -> None:
    """Make sure that only names are imported, and each of them is exported."""
    what, source = imported["what"], imported["source"]
    names = re.fullmatch(r"\{([\w$,\s]*)\}", what.strip())
    if names is None or " as " in what:
        raise BundleError(f'{name}: write import {{ a, b }} from "{source}", not import {what}')
    exported = {name for name, is_exported in _declared(text) if is_exported}
    for wanted in filter(None, (part.strip() for part in names[1].split(","))):
        if wanted not in exported:
            raise BundleError(f"{name} imports {wanted}, which {source} does not export")


def _check(sources: dict[Path, str], widget: Path | None) -> None:
    """Make sure of one default export, in the widget's module, and of no name declared twice."""
    for path, text in sources.items():
        defaults = len(_DEFAULT.findall(text))
        if defaults != (path == widget):
            wanted = "exactly one" if path == widget else "no"
            raise BundleError(f"{_name(path)} has {defaults} default exports; it needs {wanted}")
    owner: dict[str, Path] = {}
    for path, text in sources.items():
        for name, _ in _declared(text):
            if name in owner:
                raise BundleError(
                    f"{name} is declared in {_name(owner[name])} and in {_name(path)}: "
                    "rename one, as the modules of a widget are joined to one"
                )
            owner[name] = path


def _declared(text: str) -> Iterator[tuple[str, bool]]:
    """Each name that a module declares at its top level, and whether it is exported."""
    for match in _DECLARED.finditer(text):
        for name in (match["name"], *_FURTHER.findall(match["rest"])):
            yield name, bool(match["export"])


def _strip(text: str) -> str:
    """Remove imports and export keywords; anything else exported is an error."""
    text = _EXPORT.sub("", _IMPORT.sub("", text))
    left = re.search(r"^(?:import\b.*|export\b(?!\s+default\b).*)", text, re.M)
    if left:
        raise BundleError(f"cannot bundle this line: {left[0]}")
    return text
