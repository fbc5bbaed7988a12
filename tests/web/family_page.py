"""A page with one Family on it, for tests without the whole site."""

from __future__ import annotations

from pathlib import Path

from race_page import write_page

from bnlab.lab.family.family import Family


def write_family(folder: Path, host: str | None = "static", **arguments: object) -> Path:
    """Write ``index.html`` with the widget that these arguments of ``Family`` make."""
    return write_page(folder, Family(**arguments), host)
