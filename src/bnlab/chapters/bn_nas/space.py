"""The search space of N1 to N5: which nets there are, what they cost, which ones a seed draws."""

from __future__ import annotations

import functools
from collections.abc import Sequence

from bnlab import random
from bnlab.data import load
from bnlab.nets.architecture import macs
from bnlab.nets.supernet import Path, Supernet
from bnlab.train import Run, build

OPS = ("identity", "k3e3", "k3e6", "k5e3", "k5e6")
BASE = Run(
    net="supernet",
    net_options={"ops": list(OPS)},
    depth=4,
    width=8,
    norm="batch",
    optimizer_options={"momentum": 0.9},
    lr=0.01,
    batch_size=32,
    steps=60,
    eval_every=60,
)
"""What all trainings share. A net alone is trained so: too short for all to be good."""

SAMPLED = 70
"""The stream of random numbers that draws architectures; no other draws from it."""

PER_SEED = 32
"""Architectures that each seed draws, of the 500 there are."""


def supernet(run: Run = BASE) -> Supernet:
    """The supernet of a Run, untrained."""
    return build(run)


@functools.lru_cache(maxsize=8)
def paths(run: Run = BASE) -> tuple[Path, ...]:
    """All architectures, in order."""
    return tuple(supernet(run).paths())


def drawn(seed: int, count: int = PER_SEED, run: Run = BASE) -> list[Path]:
    """The architectures of a seed, all different."""
    known = paths(run)
    return [known[place] for place in random.permutation(seed, SAMPLED, len(known))[:count]]


def named(path: Sequence[int]) -> str:
    """A path as the tables have it: a digit a layer."""
    return "".join(map(str, path))


def path_of(name: str) -> Path:
    """The path with this name."""
    return tuple(map(int, name))


@functools.cache
def costs(path: Path, run: Run = BASE) -> tuple[int, int, int]:
    """Multiply-accumulates of an image, parameters, and layers that are no identity, of a path."""
    net = _shared(run)
    ops = [choice[op] for choice, op in zip(net.choices, path, strict=True)]
    parameters = sum(p.numel() for part in (net.stem, *ops, net.head) for p in part.parameters())
    layers = sum(name != "identity" for name in net.named(path))
    return macs(net, path, load(run.data).image_shape), parameters, layers


@functools.cache
def _shared(run: Run) -> Supernet:
    return supernet(run)
