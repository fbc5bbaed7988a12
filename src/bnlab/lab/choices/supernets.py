"""The supernets that the widget shows, in the chapter's space, and their scales step by step."""

from __future__ import annotations

import functools
from collections.abc import Iterator

from torch import nn

from bnlab.chapters.bn_nas.space import BASE, supernet
from bnlab.chapters.bn_nas.trainings import RATES, STEPS, Search, trainer_of
from bnlab.data import load
from bnlab.nets.architecture import indicator_table, macs, macs_table
from bnlab.nets.supernet import Path, Supernet
from bnlab.train import Run

SEEDS = tuple(range(1204, 1212))
TRUTH_SEEDS = tuple(range(1212, 1220))
"""Of the nets that are trained alone."""

EVERY = 10
SHOWN = tuple(range(0, STEPS + 1, EVERY))
"""Steps whose scales are shown."""

UNIT = 1000
"""Scales travel as whole thousandths: their sums are the same on every machine."""

Scales = list[int]
"""One number an operation, block after block."""


@functools.lru_cache(maxsize=1)
def space() -> Supernet:
    """An untrained supernet, for what is known of all."""
    return supernet()


def costs() -> dict[str, dict]:
    """Multiply-accumulates and parameters: a table of the operations, and what all paths have."""
    net, image = space(), load(BASE.data).image_shape
    table = macs_table(net, image)
    fixed = macs(net, (0,) * len(table), image) - sum(row[0] for row in table)
    counts = [[_parameters(op) for op in choice] for choice in net.choices]
    return {
        "macs": {"table": table, "fixed": fixed},
        "parameters": {"table": counts, "fixed": _parameters(net.stem) + _parameters(net.head)},
    }


def _parameters(part: nn.Module) -> int:
    return sum(parameter.numel() for parameter in part.parameters())


def alone_run(path: Path, seed: int) -> Run:
    """The Run that trains one architecture alone, as ``trainings.alone`` does."""
    return BASE.replace(net_options={**BASE.net_options, "path": list(path)}, seed=seed)


def scales(net: Supernet) -> Scales:
    """Mean |gamma| of each operation's last BatchNorm in thousandths; 0 for the identity."""
    return [round(UNIT * scale) for row in indicator_table(net) for scale in row]


def growing(trained: str, seed: int, steps: int = STEPS) -> Iterator[tuple[int, Scales | None]]:
    """Train a supernet, each step another path: the step, and the scales at those of ``SHOWN``.

    Args:
        trained: what is trained, of ``TRAINED``.
        seed: of its first weights, its batches and its paths.
        steps: how many.

    Raises:
        RuntimeError: if it diverges.
    """
    trainer = trainer_of(BASE, Search(trained, RATES[trained], steps), seed)
    for record in trainer.steps(looks=False):
        if record.diverged:
            raise RuntimeError(f"the supernet diverged at step {record.step}.")
        yield record.step, scales(trainer.net) if record.step % EVERY == 0 else None
