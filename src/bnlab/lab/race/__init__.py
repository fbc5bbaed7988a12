"""Race: nets that differ in their normalizer alone, trained side by side."""

from pathlib import Path

from bnlab.lab.race.race import SEEDS, Race
from bnlab.lab.race.stored import Grid

JOBS = dict.fromkeys(("nets", "units"), Path(__file__).parent / "page_all_seeds.js")
NOISY = Grid(("none", "batch", "noisy_batch"), batch_sizes=(64,), seeds=SEEDS["S2"][:3])
STORED = {"race": Grid(), "noisy_race": NOISY}

__all__ = ["JOBS", "STORED", "Race"]
