"""The stored profiles: which settings, and how their numbers become a small text.

Of every setting and layer there are the median, the smallest and the largest value over the seeds,
each in two bytes q (little-endian): cosine = (q - 1) / 65533; the other two, from ``low`` to
``high`` in powers of ten, 10 ** (low + (high - low) * (q - 1) / 65533), or exactly 0 for q = 0.
q = 65535 says that there is no finite value.
"""

from __future__ import annotations

import base64
import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bnlab.lab.kit.images import IMAGES
from bnlab.lab.profiles.profile import NETS, QUANTITIES, SEEDS, Setting, Spread, profiles

NORMS = ("none", "batch", "layer", "group", "instance", "rms", "scaled_weight_standardization")
DEPTHS = (4, 8, 12, 18)
WIDTHS = (16, 32, 64)
GROUP_SIZES = (1, 2, 4, 8, 16)

STEPS = 65533
NO_VALUE = 65535
PRECISION = 1e-3
"""Relative error that a stored number may have; for the cosine, half a step of 1 / 65533."""


@dataclass(frozen=True)
class ProfileGrid:
    """The settings whose profiles are stored, for ``bnlab.lab.kit.replay``."""

    nets: tuple[str, ...] = tuple(NETS)
    norms: tuple[str, ...] = NORMS
    depths: tuple[int, ...] = DEPTHS
    widths: tuple[int, ...] = WIDTHS
    group_sizes: tuple[int, ...] = GROUP_SIZES

    computes = (
        *("norms", "nets", "data", "measure", "random.py"),
        *("lab/kit/images.py", "lab/profiles/profile.py"),
    )

    @property
    def variants(self) -> list[tuple[str, int | None]]:
        """Normalizers; group norm once for each group size."""
        sizes = {"group": self.group_sizes}
        return [(norm, size) for norm in self.norms for size in sizes.get(norm, (None,))]

    def runs(self) -> list[Setting]:
        """All settings in the order of the arrays."""
        return [
            Setting(net, norm, depth, width, size)
            for depth, net, width, (norm, size) in itertools.product(
                self.depths, self.nets, self.widths, self.variants
            )
        ]

    @staticmethod
    def work(setting: Setting) -> Spread:
        """What is kept of one setting."""
        return profiles(setting)

    def pack(self, results: Sequence[Spread]) -> dict[str, object]:
        """The content of the file.

        Arrays lie in the order of ``axes``, slowest first; of a setting there are the medians of
        all layers, then the smallest, then the largest values.
        """
        content: dict[str, object] = {
            "version": 1,
            "axes": {
                "depth": list(self.depths),
                "net": list(self.nets),
                "width": list(self.widths),
                "variant": [
                    norm if size is None else f"{norm}-{size}" for norm, size in self.variants
                ],
            },
            "seeds": len(SEEDS),
            "images": IMAGES,
            "ranges": {},
        }
        for name in QUANTITIES:
            values = np.concatenate([_table(result[name]).ravel() for result in results])
            codes = unit_codes(values)
            if name != "cosine":
                content["ranges"][name] = low, high = decades(values)
                codes = log_codes(values, low, high)
            content[name] = base64.b64encode(codes.astype("<u2").tobytes()).decode("ascii")
        return content


def _table(rows: list[list[float] | None]) -> np.ndarray:
    """(3, layers): median, smallest, largest; NaN for None."""
    return np.array([[math.nan] * 3 if row is None else row for row in rows]).T


def decades(values: np.ndarray) -> list[int]:
    """The whole powers of ten between which all positive finite values lie.

    Raises:
        ValueError: if they are too far apart to be stored with the stated precision.
    """
    positive = values[np.isfinite(values) & (values > 0)]
    low, high = math.floor(np.log10(positive.min())), math.ceil(np.log10(positive.max()))
    if 10 ** ((high - low) / STEPS / 2) - 1 > PRECISION:
        raise ValueError(f"values from 1e{low} to 1e{high} do not fit: two bytes are too coarse.")
    return [low, high]


def log_codes(values: np.ndarray, low: float, high: float) -> np.ndarray:
    """Two bytes for values of 0 or more."""
    with np.errstate(divide="ignore", invalid="ignore"):
        share = (np.log10(values) - low) / (high - low)
    codes = np.where(values == 0, 0, 1 + np.rint(STEPS * np.clip(share, 0, 1)))
    return np.where(np.isfinite(values), codes, NO_VALUE).astype(np.uint16)


def unit_codes(values: np.ndarray) -> np.ndarray:
    """Two bytes for values from 0 to 1; what is beyond by rounding alone is put on the edge."""
    codes = 1 + np.rint(STEPS * np.clip(values, 0, 1))
    return np.where(np.isfinite(values), codes, NO_VALUE).astype(np.uint16)
