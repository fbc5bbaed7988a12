"""One ES module out of several: what anywidget wants in ``_esm``.

The sources in ``js/`` are proper ES modules that import each other. A browser cannot
resolve such imports in a module that arrives as text, so this file writes them into one
module: every shared module without its ``import`` lines and ``export`` keywords, then the
widget's own module with its ``export default``. All modules then share one scope, so their
top-level names must differ. ``./style.js`` is no file: it is made from ``draw/style.json``,
the table of labels, colours and dashes that Python uses too.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path

FOLDER = Path(__file__).parent / "js"
STYLE_FILE = Path(__file__).parents[1] / "draw" / "style.json"

_IMPORT = re.compile(
    r"^import\s+(?P<what>[^;\"']*?)\s*from\s*[\"'](?P<source>[^\"']+)[\"'];?[ ]*(?://.*)?\n",
    re.M,
)
_EXPORT = re.compile(r"^export\s+(?=(?:async\s+)?(?:function|class|const|let)\b)", re.M)
_DEFAULT = re.compile(r"^export\s+default\b", re.M)
_NAME = re.compile(r"^(export\s+)?(?:async\s+)?(?:function\*?|class|const|let)\s+([\w$]+)", re.M)


class BundleError(ValueError):
    """The JavaScript sources cannot be made into one module; the message says why."""


def bundle(widget: str, folder: Path = FOLDER) -> str:
    """The text of the ES module of ``widget`` with all that it imports.

    Args:
        widget: name of the widget's module in ``folder``, without ``.js``.
        folder: where the modules lie.
    """
    sources = _with_imports(f"{widget}.js", Path(folder), (), {})
    _check(sources, f"{widget}.js")
    return "\n".join(_strip(text) for text in sources.values())


def script(sources: Iterable[Path]) -> str:
    """One classic script out of modules, each after what it imports: for a web worker.

    Raises:
        BundleError: for a default export, or a name that two of them declare.
    """
    texts = {Path(path).name: _read(Path(path), ()) for path in sources}
    _check(texts, "")
    return "\n".join(['"use strict";', *map(_strip, texts.values())])


def stylesheet(folder: Path = FOLDER) -> str:
    """The style sheet that all widgets share."""
    return (Path(folder) / "lab.css").read_text(encoding="utf-8")


def style_table() -> dict[str, dict]:
    """Label, colours, dash and marker of each normalizer."""
    return json.loads(STYLE_FILE.read_text(encoding="utf-8"))


def _with_imports(name: str, folder: Path, above: tuple[str, ...], done: dict) -> dict[str, str]:
    """Module texts by file name, each after what it imports."""
    if name in above:
        raise BundleError(f"{' -> '.join((*above, name))}: modules import each other in a circle")
    if name in done:
        return done
    text = _read(folder / name, above)
    for match in _IMPORT.finditer(text):
        source = match["source"]
        if not re.fullmatch(r"\./[\w-]+\.js", source):
            raise BundleError(f"{name} imports {source!r}: only ./NAME.js beside it can be bundled")
        _with_imports(source[2:], folder, (*above, name), done)
        _check_imported(name, match["what"], source[2:], done[source[2:]])
    done[name] = text
    return done


def _read(path: Path, above: tuple[str, ...]) -> str:
    if path.name == "style.js":
        return f"export const STYLE = {json.dumps(style_table(), separators=(',', ':'))};\n"
    if not path.is_file():
        by = f" (imported by {above[-1]})" if above else ""
        there = ", ".join(sorted(p.name for p in path.parent.glob("*.js"))) or "nothing"
        raise BundleError(f"no module {path.name}{by} in {path.parent.name}/; there is {there}")
    return path.read_text(encoding="utf-8")


def _check_imported(name: str, what: str, source: str, text: str) -> None:
    """Named imports only, and each of them exported."""
    names = re.fullmatch(r"\{([\w$,\s]*)\}", what.strip())
    if names is None or " as " in what:
        raise BundleError(f'{name}: write import {{ a, b }} from "./{source}", not import {what}')
    exported = {match[2] for match in _NAME.finditer(text) if match[1]}
    for wanted in filter(None, (part.strip() for part in names[1].split(","))):
        if wanted not in exported:
            raise BundleError(f"{name} imports {wanted}, which {source} does not export")


def _check(sources: dict[str, str], widget: str) -> None:
    """One default export, in the widget's module, and no name declared twice."""
    for name, text in sources.items():
        defaults = len(_DEFAULT.findall(text))
        if defaults != (name == widget):
            wanted = "exactly one" if name == widget else "no"
            raise BundleError(f"{name} has {defaults} default exports; it needs {wanted}")
    owner: dict[str, str] = {}
    for name, text in sources.items():
        for match in _NAME.finditer(text):
            if match[2] in owner:
                raise BundleError(f"{match[2]} is declared in {owner[match[2]]} and in {name}")
            owner[match[2]] = name


def _strip(text: str) -> str:
    """Without imports and export keywords; anything else exported is an error."""
    text = _EXPORT.sub("", _IMPORT.sub("", text))
    left = re.search(r"^(?:import\b.*|export\b(?!\s+default\b).*)", text, re.M)
    if left:
        raise BundleError(f"cannot bundle this line: {left[0]}")
    return text
