"""The supernets that the widget shows: their search space, and their scales step by step."""

from __future__ import annotations

import functools
from collections.abc import Iterator

import numpy as np
import torch

from bnlab.nets.architecture import indicator_table, macs, macs_table, train_only_norms
from bnlab.nets.supernet import Path, Supernet
from bnlab.train import Run, Trainer, build

OPS = ("identity", "k3e3", "k3e6", "k5e3", "k5e6")
IMAGE = (1, 8, 8)
SUPERNET = Run(
    net="supernet",
    net_options={"ops": list(OPS)},
    depth=4,
    width=8,
    norm="batch",
    lr=0.05,
    optimizer_options={"momentum": 0.9},
    steps=400,
)
NORMS_LR = 0.1
"""Learning rate where only the last normalizers are trained."""

ALONE = SUPERNET.replace(steps=60, eval_every=60)
"""How a net is trained alone; its path is one of ``paths``."""

TRAINED = ("all", "last")
"""All weights; or weight and bias of each operation's last BatchNorm alone, as in BN-NAS."""

SEEDS = tuple(range(1204, 1212))
TRUTH_SEEDS = tuple(range(1212, 1216))
"""Of the nets that are trained alone."""

EVERY = 10
STEPS = tuple(range(0, SUPERNET.steps + 1, EVERY))
UNIT = 1000
"""Scales travel as whole thousandths: their sums are the same on every machine."""

Scales = list[int]
"""One number an operation, block after block."""


@functools.lru_cache(maxsize=1)
def space() -> Supernet:
    """An untrained supernet, for what is known of all."""
    return build(SUPERNET)


def paths() -> list[Path]:
    """All architectures, in the order in which the page counts them."""
    return list(space().paths())


def costs() -> dict[str, object]:
    """Multiply-accumulates of each operation, and of what all paths have."""
    table = macs_table(space(), IMAGE)
    fixed = macs(space(), (0,) * len(table), IMAGE) - sum(row[0] for row in table)
    return {"table": table, "fixed": fixed}


def alone(path: Path, seed: int) -> Run:
    """The Run that trains one architecture alone."""
    return ALONE.replace(net_options={"ops": list(OPS), "path": list(path)}, seed=seed)


def scales(net: Supernet) -> Scales:
    """Mean |gamma| of each operation's last BatchNorm in thousandths; 0 for the identity."""
    return np.rint(UNIT * np.array(sum(indicator_table(net), []))).astype(int).tolist()


def trainer_of(trained: str, seed: int, device: str = "cpu") -> Trainer:
    """A supernet before its first step."""
    trainer = Trainer(SUPERNET.replace(seed=seed), device)
    if trained == "last":
        parameters, options = train_only_norms(trainer.net), SUPERNET.optimizer_options
        trainer.optimizer = torch.optim.SGD(parameters, NORMS_LR, **options)
    return trainer


def growing(trained: str, seed: int, device: str = "cpu") -> Iterator[tuple[int, Scales | None]]:
    """Train a supernet, each step another path: the step, and the scales at those of ``STEPS``.

    Raises:
        RuntimeError: if it diverges.
    """
    trainer = trainer_of(trained, seed, device)
    for record in trainer.steps(looks=False):
        if record.diverged:
            raise RuntimeError(f"the supernet diverged at step {record.step}.")
        yield record.step, scales(trainer.net) if record.step % EVERY == 0 else None
