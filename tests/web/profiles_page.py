"""A page with one Profiles on it, for tests without the whole site."""

from __future__ import annotations

import shutil
from pathlib import Path

from bnlab.lab import Profiles
from bnlab.verdicts.evidence import results_folder
from tests.web.race_page import Carried, write_page

STORED = results_folder().parent / "assets" / "replay" / "profiles.js"


def write_profiles(folder: Path, host: str | None = "static", **arguments: object) -> Path:
    """Write ``index.html`` with the widget that these arguments make, and the stored profiles."""
    place = folder / "_static" / "replay"
    place.mkdir(parents=True, exist_ok=True)
    shutil.copy(STORED, place)
    return write_page(folder, Profiles(**arguments), host)


class KernelProfiles(Carried, Profiles):
    """A Profiles whose messages a test carries between Python and the page."""
