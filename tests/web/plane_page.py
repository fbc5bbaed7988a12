"""A page with one Plane on it, for tests without the whole site."""

from __future__ import annotations

import shutil
from pathlib import Path

from bnlab.lab import Plane
from bnlab.verdicts.evidence import results_folder
from tests.web.race_page import Carried, write_page

NETS = results_folder().parent / "assets" / "compiled" / "squares.js"


def write_plane(folder: Path, host: str | None = "static", **arguments: object) -> Path:
    """Write ``index.html`` with the widget that these arguments make, and the compiled nets."""
    place = folder / "_static" / "compiled"
    place.mkdir(parents=True, exist_ok=True)
    shutil.copy(NETS, place)
    plane = Plane(**arguments)
    try:
        return write_page(folder, plane, host)
    finally:
        plane.close()


class KernelPlane(Carried, Plane):
    """A Plane whose messages a test carries between Python and the page."""
