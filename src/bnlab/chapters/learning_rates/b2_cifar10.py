"""B2 of Bjorck 2018 on CIFAR-10: ``b2_explosion`` with a residual net of 18 blocks.

Momentum and weight decay are the paper's. Settings and margins were fixed before the seeds of
``SEEDS`` were run. The rates of the longer training are guesses: momentum makes a step up to ten
times as long as on digits, so they are lower.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bnlab.chapters.learning_rates.b2_explosion import (
    explosion,
    facts_of_explosion,
    trained_lrs,
    usable_rate,
)
from bnlab.train import Run
from bnlab.verdicts.work import HERE, Work

SEEDS = tuple(range(1332, 1340))
BASE = Run(
    data="cifar10",
    image_size=16,
    net="resnet",
    depth=18,
    width=8,
    lr=0.01,
    batch_size=64,
    optimizer_options={"momentum": 0.9, "weight_decay": 5e-4},
    steps=10,
)
TRAINED = 150  # steps after which a net has learned something, if the rate is usable
TRAINED_LRS = {"scaled": (0.001, 0.003, 0.01, 0.03), "batch": (0.03, 0.1, 0.3, 1.0)}


def measure(seeds: Sequence[int] = SEEDS, work: Work = HERE, image_size: int | None = None) -> dict:
    """``explosion`` on CIFAR-10, with images of ``image_size``, by default that of the base."""
    base = BASE if image_size is None else BASE.replace(image_size=image_size)
    return explosion(base, seeds, work, TRAINED, TRAINED_LRS)


def repeat(data: dict, seeds: Sequence[int]) -> dict:
    """The same nets for some seeds."""
    return measure(seeds, image_size=data["base"]["image_size"])


def facts(data: dict) -> dict[str, object]:
    """Numbers for sentences about B2 on CIFAR-10, see ``facts_of_explosion``.

    ``edge_``: for how many seeds the largest rate that was trained is usable.
    """
    found = facts_of_explosion(data) | {"trained": TRAINED}
    for net, rates in trained_lrs(data).items():
        found[f"edge_{net}"] = int(np.sum(usable_rate(data, net) == rates[-1]))
    return found
