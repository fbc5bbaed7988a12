"""The same on photographs: a small VGG on CIFAR-10, halved to 16 x 16 pixels, for one epoch.

``python -m bnlab.chapters.two_landscapes.cifar10`` measures it, in about seven minutes of a core,
and writes ``cifar10.json`` beside this module. Plain SGD at a constant rate, as in the paper.
``PREDICTED`` was written before any net was trained so, without trials.
"""

from __future__ import annotations

from pathlib import Path

from bnlab.chapters.two_landscapes.landscapes import SEEDS, measure
from bnlab.store import read_result, write_result
from bnlab.train import Run
from bnlab.verdicts.work import HERE, Work

FILE = Path(__file__).with_suffix(".json")
KEPT = Path(".cache/two_landscapes")
COMMAND = "python -m bnlab.chapters.two_landscapes.cifar10"
RATES = (0.01, 0.03, 0.1, 0.3)
EVERY = 32
PREDICTED = {"band_low": (0.7, 1.5), "band_high": (0.4, 1.2), "range_top": (0.02, 0.5)}
BASE = Run(
    data="cifar10",
    image_size=16,
    net="plain",
    net_options={"downsample": "max_pool"},
    depth=6,
    width=16,
    batch_size=64,
    steps=704,
)


def measured(work: Work = HERE) -> dict:
    """Both landscapes of both nets at four rates, with three seeds."""
    return measure(BASE, RATES, SEEDS, work, EVERY)


def stored() -> dict:
    """What was measured beforehand."""
    return read_result(FILE, COMMAND)


def main() -> None:
    """Measure, and write the file; interrupted, it goes on when called again."""
    work = Work(KEPT, progress=True)
    write_result(FILE, measured(work))
    work.forget()


if __name__ == "__main__":
    main()
