"""The code that the data of a claim depend on, and a name for what it does.

``bnlab.digest`` names the bytes of code, for results that can be computed anew at once. Evidence
takes long, and is kept over years: its name here changes with what the code does, and not with
comments, docstrings and layout, nor with the version of torch, which the evidence names itself.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import bnlab
from bnlab.engines.compiled.catalogue import SETS

ROOT = Path(bnlab.__file__).parent
NETS = ("random.py", "data", "nets", "norms")
TRAINING = (*NETS, "optim", "train")
MANIFESTS = tuple(f"engines/compiled/artefacts/{name}/manifest.json" for name in SETS)
COMPILED = (*TRAINING, "compiled", *MANIFESTS)  # a manifest names the kernels
LAYERS = tuple(f"measure/{name}.py" for name in ("checks", "layers", "passes", "untouched"))

SKIPPED = ("ctx", "kind", "type_comment", "type_ignores", "type_params")
DEFINITIONS = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def code_meaning(parts: Sequence[str], root: Path = ROOT) -> str:
    """Sixteen hexadecimal digits that name what parts of the package do.

    Args:
        parts: files (``"random.py"``) or folders (``"norms"``), below the package. Of a folder
            the Python files count; of a file in another language every byte.
        root: of the package.

    Raises:
        FileNotFoundError: for a part that does not exist or holds no code.
    """
    digest = hashlib.sha256()
    for path in sorted({path for part in parts for path in _files(root, part)}):
        digest.update(f"{path.relative_to(root).as_posix()} {_meaning(path)}\n".encode())
    return digest.hexdigest()[:16]


def _meaning(path: Path) -> object:
    content = path.read_bytes()
    return _canonical(ast.parse(content)) if path.suffix == ".py" else content


def _files(root: Path, part: str) -> Iterator[Path]:
    place = root / part
    found = [place] if place.is_file() else sorted(place.rglob("*.py"))
    if not found:
        raise FileNotFoundError(f"no code at {part!r} in {root.name}: name a file or a folder.")
    yield from found


def _canonical(node: object) -> object:
    """Nested tuples, without docstrings, empty fields and what versions of Python add."""
    if isinstance(node, list):
        return tuple(_canonical(one) for one in node)
    if not isinstance(node, ast.AST):
        return repr(node)
    fields = {name: value for name, value in ast.iter_fields(node) if name not in SKIPPED}
    if isinstance(node, DEFINITIONS) and ast.get_docstring(node, clean=False) is not None:
        fields["body"] = fields["body"][1:]
    kept = ((name, _canonical(value)) for name, value in fields.items() if value not in (None, []))
    return (type(node).__name__, *kept)
