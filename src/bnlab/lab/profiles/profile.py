"""Profiles by depth of a net before its first step: what the widget Profiles draws."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import astuple, dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from bnlab.lab.kit.images import batch
from bnlab.measure import measure_signals
from bnlab.nets import make_net
from bnlab.norms.weight import WEIGHT_NORMS, normalize_weights

NETS = {"residual": "resnet", "plain": "plain"}
"""The widget's words for the nets of ``make_net``."""

QUANTITIES = ("variance", "cosine", "gradient_norm")
"""Fields of ``measure.Signals``."""

SEEDS = tuple(range(100, 108))

Profile = dict[str, list[float | None]]
Spread = dict[str, list[list[float] | None]]


@dataclass(frozen=True)
class Setting:
    """A net that is profiled, for every seed.

    Attributes:
        net: ``residual`` or ``plain``.
        norm: a name for ``make_norm``, or for ``normalize_weights`` on all layers but the last.
        depth: residual blocks or convolutions.
        width: channels of the first half of the layers; the second half has twice as many.
        group_size: channels a group of group norm; None for the others.
    """

    net: str
    norm: str
    depth: int
    width: int
    group_size: int | None = None

    def key(self) -> str:
        """Names the setting."""
        return "-".join(map(str, astuple(self)))

    def make(self, seed: int) -> nn.Module:
        """The untrained net."""
        options = {} if self.group_size is None else {"group_size": self.group_size}
        of_weights = self.norm in WEIGHT_NORMS
        norm = "none" if of_weights else self.norm
        net = make_net(NETS[self.net], (1, 8, 8), 10, self.depth, self.width, norm, options, seed)
        if of_weights:
            normalize_weights(net, self.norm, eligible="hidden")
        return net

    def layers(self) -> list[str]:
        """Names of the modules that are looked at: the blocks, or in the plain net the ReLUs."""
        if self.net == "residual":
            return [f"blocks.{k}" for k in range(self.depth)]
        return [f"body.{3 * k + 2}" for k in range(self.depth)]


def profile(net: nn.Module, layers: Sequence[str], x: Tensor, y: Tensor) -> Profile:
    """Variance, cosine similarity and gradient norm (``measure.Signals``) of these layers.

    In training mode, with the cross-entropy. What is not finite is None: all that comes after an
    overflow, and then every gradient.
    """
    try:
        signals = measure_signals(net, cross_entropy, x, y, layers=layers, mode="train")
    except ValueError:  # an output or the loss overflows
        return _before_overflow(net, layers, x)
    return {name: _finite(getattr(signals, name)) for name in QUANTITIES}


def _before_overflow(net: nn.Module, layers: Sequence[str], x: Tensor) -> Profile:
    empty: Profile = {name: [None] * len(layers) for name in QUANTITIES}
    for count in range(len(layers), 0, -1):
        try:
            signals = measure_signals(net, None, x, layers=layers[:count], mode="train")
        except ValueError:
            continue
        for name in ("variance", "cosine"):
            empty[name][:count] = _finite(getattr(signals, name))
        break
    return empty


def _finite(values: np.ndarray) -> list[float | None]:
    return [float(value) if math.isfinite(value) else None for value in values]


@functools.lru_cache(maxsize=4096)
def of_seed(setting: Setting, seed: int) -> Profile:
    """The profile of one net. Kept, since a reader comes back to settings."""
    return profile(setting.make(seed), setting.layers(), *batch())


def spread(profiles: Sequence[Profile]) -> Spread:
    """[median, smallest, largest] of each layer; None where a net has no finite value."""
    return {
        name: [_middle(values) for values in zip(*(one[name] for one in profiles), strict=True)]
        for name in QUANTITIES
    }


def _middle(values: tuple[float | None, ...]) -> list[float] | None:
    if None in values:
        return None
    return [float(np.median(values)), min(values), max(values)]


def profiles(setting: Setting, seeds: Sequence[int] = SEEDS) -> Spread:
    """Median and range over the seeds, on the CPU with one thread."""
    torch.set_num_threads(1)
    return spread([of_seed(setting, seed) for seed in seeds])
