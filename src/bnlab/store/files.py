"""Results on disk: written whole or not at all, and noticed when damaged."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from pathlib import Path

from bnlab.arguments import checked


class DamagedFileError(ValueError):
    """A results file that is truncated, edited by hand, or not one at all."""


@checked
def write_text(path: Path, text: str, sync: bool = True) -> None:
    """Write a file in one step: who reads it finds the old text or the new one, never a part.

    The text goes to a temporary file in the same folder, which then takes the place of ``path``.

    Args:
        path: where.
        text: all of it.
        sync: wait until it is on the disk itself. Without, it survives the end of this process,
            however that ends, but not a power failure within the next seconds.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            if sync:
                os.fsync(file.fileno())
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _canonical(payload: dict) -> str:
    return json.dumps(payload, sort_keys=True, separators=(",", ":"), allow_nan=False)


def _checksum(payload: dict) -> str:
    return hashlib.sha256(_canonical(payload).encode()).hexdigest()


@checked
def write_result(path: Path, payload: dict, sync: bool = True) -> None:
    """Write a JSON object with its SHA-256; one line a key, so that changes can be read.

    See ``write_text`` for ``sync``.

    Raises:
        ValueError: if the payload holds NaN or infinity, which JSON does not have.
    """
    fields = {"sha256": _checksum(payload), **payload}
    lines = [f"{json.dumps(key)}: {_lines(value)}" for key, value in fields.items()]
    write_text(path, "{\n" + ",\n".join(lines) + "\n}\n", sync)


def _lines(value: object) -> str:
    """JSON with one line a row for a list of lists."""
    if isinstance(value, list) and value and isinstance(value[0], list):
        return "[\n" + ",\n".join(json.dumps(row, allow_nan=False) for row in value) + "\n]"
    return json.dumps(value, allow_nan=False)


@checked
def read_object(path: Path) -> dict:
    """The payload of a file that ``write_result`` made.

    Raises:
        FileNotFoundError: if it is not there.
        DamagedFileError: if it is truncated, something else, or its checksum differs.
    """
    path = Path(path)
    try:
        payload = json.loads(path.read_text(encoding="utf-8"))
        stored, actual = payload.pop("sha256"), _checksum(payload)
    except IsADirectoryError as error:
        raise DamagedFileError(f"{path.name} is a folder, not a results file.") from error
    except (ValueError, KeyError, AttributeError, TypeError, RecursionError) as error:
        raise DamagedFileError(
            f"{path.name} is damaged: it is not a whole results file."
        ) from error
    if stored != actual:
        raise DamagedFileError(f"{path.name} is damaged: its checksum differs.")
    return payload


@checked
def read_result(path: Path, renew: str) -> dict:
    """Read the payload of a file of the repository: errors say how to get it back.

    Args:
        path: where it lies.
        renew: the command that makes it anew, for the error message.

    Raises:
        FileNotFoundError: if it is not there.
        DamagedFileError: if it is truncated or its checksum differs.
    """
    path = Path(path)
    try:
        return read_object(path)
    except FileNotFoundError as error:
        raise FileNotFoundError(f"{path.name} is not there. Make it with '{renew}'.") from error
    except DamagedFileError as error:
        raise DamagedFileError(
            f"{error} Restore it with 'git checkout {path.name}' in its folder, or renew it "
            f"with '{renew}'."
        ) from error
