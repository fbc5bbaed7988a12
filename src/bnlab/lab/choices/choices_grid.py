"""The stored trainings of the supernets, for ``bnlab.lab.kit.replay``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bnlab.chapters.bn_nas.trainings import TRAINED
from bnlab.lab.choices.supernets import SEEDS, SHOWN, Scales, growing
from bnlab.train import threads


@dataclass(frozen=True)
class Setting:
    """One training: what of it is trained, and its seed."""

    trained: str
    seed: int

    def key(self) -> str:
        """Its name among the results that are kept."""
        return f"{self.trained}-{self.seed}"


@dataclass(frozen=True)
class ChoicesGrid:
    """Which trainings are stored.

    Attributes:
        computes: the parts of bnlab on which the numbers depend.
    """

    trained: tuple[str, ...] = TRAINED
    seeds: tuple[int, ...] = SEEDS

    computes = (
        *("norms", "nets", "optim", "data", "runs", "train", "engines/eager.py", "random.py"),
        *("chapters/bn_nas/space.py", "chapters/bn_nas/trainings.py", "lab/choices/supernets.py"),
    )

    def runs(self) -> list[Setting]:
        """All trainings in the order of the file."""
        return [Setting(trained, seed) for trained in self.trained for seed in self.seeds]

    @staticmethod
    @threads(1)
    def work(setting: Setting) -> dict[str, list[Scales]]:
        """The scales of one supernet at each of ``SHOWN``."""
        found = [table for _, table in growing(setting.trained, setting.seed) if table]
        return {"scales": found}

    def pack(self, results: Sequence[dict]) -> dict[str, object]:
        """The content of the file: of each training, of each step, all scales in thousandths."""
        return {
            "version": 1,
            "axes": {"trained": list(self.trained), "seed": list(self.seeds)},
            "steps": list(SHOWN),
            "scales": [result["scales"] for result in results],
        }
