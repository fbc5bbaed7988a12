"""Names for the code that computes: a result belongs to the code that made it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePath

import torch

ROOT = Path(__file__).parent
SUFFIXES = (".py", ".c", ".json")  # of data, the manifest that names the compiled kernels


class CodeChangedError(RuntimeError):
    """The files of bnlab are no longer those that this process runs."""


IMPORT = re.compile(
    r"^[ \t]*(?:from|import)\s+([\w.]+)(?:\s+import\s+(\([^)]*\)|.*))?", re.MULTILINE
)
BY_NAME = ("chapters",)  # folders whose modules are imported by names that are put together


def _read() -> dict[str, str]:
    """Digest of each source file of bnlab, by its path in the package."""
    paths = sorted(path for path in ROOT.rglob("*") if path.suffix in SUFFIXES)
    contents = {path.relative_to(ROOT): path.read_bytes() for path in paths}
    return {path.as_posix(): hashlib.sha256(contents[path]).hexdigest() for path in _used(contents)}


def _used(contents: Mapping[PurePath, bytes]) -> Iterator[PurePath]:
    """The files that make the package: modules that one imports, and data that one names.

    What else lies there (a copy of a module, a notebook's checkpoint, a scratch file) is no code.
    """
    code = {p: b.decode("utf-8", "replace") for p, b in contents.items() if p.suffix == ".py"}
    everything = "\n".join(code.values())
    named = {*_imported(everything), *re.findall(r"\bbnlab(?:\.\w+)+", everything)}
    for path in contents:
        parts = path.with_suffix("").parts
        if path in code:
            whole = path.stem in ("__init__", "__main__") or path.parts[0] in BY_NAME
            known = whole or ".".join(("bnlab", *parts)) in named
            is_used = known and all(part.isidentifier() for part in parts)
        else:
            is_used = path.with_suffix(".py") in code or path.stem in everything
        if is_used:
            yield path


def _imported(text: str) -> Iterator[str]:
    """The dotted names that a text imports."""
    for base, names in IMPORT.findall(text):
        yield base
        yield from (f"{base}.{name}" for name in re.findall(r"\w+", names))


# Read when this module is imported: the process goes on with the code that it has loaded, whatever
# happens to the files.
_LOADED = _read()


def _select(files: dict[str, str], parts: Sequence[str]) -> dict[str, str]:
    folders = tuple(f"{part}/" for part in parts)
    chosen = {n: d for n, d in files.items() if n in parts or n.startswith(folders)}
    for part in parts:
        if part not in chosen and not any(name.startswith(f"{part}/") for name in chosen):
            raise ValueError(f"bnlab has no part {part!r}.")
    return chosen


def code_digest(parts: Sequence[str]) -> str:
    """Sixteen hexadecimal digits for the content of parts of bnlab and the version of torch.

    Args:
        parts: folders and files of the package, such as ``norms`` and ``random.py``.

    Raises:
        ValueError: for a part that does not exist.
    """
    digest = hashlib.sha256(torch.__version__.encode())
    for name, content in sorted(_select(_LOADED, parts).items()):
        digest.update(f"\n{name} {content}".encode())
    return digest.hexdigest()[:16]


def check_unchanged(parts: Sequence[str]) -> None:
    """Make sure that the files are still those that were loaded.

    Raises:
        CodeChangedError: if one was changed, added or removed since. This process may run the old
            code or, with autoreload, the new one: its results could not be named.
    """
    before, now = _select(_LOADED, parts), _select(_read(), parts)
    changed = sorted(
        name for name in before.keys() | now.keys() if before.get(name) != now.get(name)
    )
    if changed:
        raise CodeChangedError(
            f"bnlab's code changed since it was imported ({', '.join(changed)}): "
            "start Python (the kernel) anew."
        )
