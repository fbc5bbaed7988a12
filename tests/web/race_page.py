"""What a Race on a page of its own replays, and a Race with a kernel."""

from __future__ import annotations

from pathlib import Path

from bnlab.lab import Race
from bnlab.lab.kit.replay import make
from bnlab.lab.race.stored import Grid
from tests.web.widget_page import Carried

SMALL = Grid(
    norms=("none", "batch", "layer"), batch_sizes=(16, 64), depths=(2, 6), seeds=(100,), steps=60
)


def write_replay(folder: Path, grid: Grid = SMALL, processes: int = 1) -> Path:
    """Compute a small grid of real runs and put it where the page looks for it."""
    path = folder / "_static" / "replay" / "race.js"
    make("race", grid, path, folder / "kept", processes)
    return path


def offered(grid: Grid = SMALL) -> dict[str, object]:
    """The options of a widget that offers what the grid holds, and that replays it."""
    norms = [
        {"name": norm, "enabled": norm in grid.norms, "reason": "" if norm in grid.norms else why}
        for norm, why in {
            "none": "",
            "batch": "",
            "layer": "",
            "group": "is not stored here",
            "instance": "needs images",
        }.items()
    ]
    return {
        "norms": norms,
        "lrs": list(grid.lrs),
        "batch_sizes": list(grid.batch_sizes),
        "depths": list(grid.depths),
        "seeds": list(grid.seeds),
        "lengths": [grid.steps, 300],
        "compiled": None,
    }


class Kernel(Carried, Race):
    """A Race with a kernel."""
