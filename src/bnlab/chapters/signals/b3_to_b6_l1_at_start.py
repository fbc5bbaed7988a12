"""Nets before their first step: what B3 to B6 of Bjorck 2018 and L1 of Lubana 2021 look at.

Settings, margins and predictions were written before the seeds of ``SEEDS`` were run.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from bnlab import random
from bnlab.data import load
from bnlab.measure import measure_gradients, measure_signals
from bnlab.nets import make_net
from bnlab.norms.weight import correct_relus, normalize_weights
from bnlab.train import Run, threads
from bnlab.verdicts.table import Table
from bnlab.verdicts.work import HERE, Work

SEEDS = tuple(range(400, 416))
BASE = Run(net="resnet", depth=18, width=16, batch_size=128)
PAIR = ("none", "batch")
GROUP_SIZE = 8
FAMILY = ("none", "batch", "layer", "group", "instance", "weight_norm", "sws", "sws_skipinit")
POOLING = ("batch", "layer", "group", "instance")
PARAMETRIC = ("weight_norm", "sws")


def net_at_start(name: str, seed: int) -> nn.Module:
    """The residual net with a normalizer of activations or of weights, untrained, float64.

    ``weight_norm`` is that of Lubana's code: gains of 1, and each ReLU corrected for its mean and
    size. ``sws`` is scaled weight standardization, ``sws_skipinit`` with SkipInit's branches.
    """
    run = BASE.replace(seed=seed)
    norm = name if name in (*POOLING, "none") else "none"
    more = {"branch": "skipinit"} if name == "sws_skipinit" else {}
    options = {"group_size": GROUP_SIZE} if name == "group" else {}
    net = make_net(run.net, (1, 8, 8), 10, run.depth, run.width, norm, options, seed, **more)
    if name.startswith("sws"):
        normalize_weights(net, "scaled_weight_standardization", eligible="hidden")
    if name == "weight_norm":
        normalize_weights(net, "weight_norm", eligible="hidden", gain=1.0, eps=1e-5)
        correct_relus(net)
    return net.double()


def batch(seed: int, count: int = BASE.batch_size) -> tuple[Tensor, Tensor]:
    """``count`` training images of the digits, other ones for each seed."""
    data = load(BASE.data)
    chosen = random.permutation(seed, random.BATCH, len(data.train_y))[:count]
    return torch.tensor(data.train_x[chosen]).double(), torch.tensor(data.train_y[chosen])


def measure_growth(
    seeds: Sequence[int] = SEEDS, work: Work = HERE, nets: Sequence[str] = FAMILY
) -> dict:
    """Mean and variance of each block's output, one row a net and seed."""
    return _measured(("mean", "variance"), _growth, nets, seeds, work)


@threads(1)
def _growth(net: str, seed: int) -> list:
    signals = measure_signals(net_at_start(net, seed), None, batch(seed)[0], mode="train")
    return [net, seed, _short(signals.mean), _short(signals.variance)]


def measure_gradient_sizes(seeds: Sequence[int] = SEEDS, work: Work = HERE) -> dict:
    """Size and quantiles of the weight gradients of each convolution in a block."""
    return _measured(("std", "tail"), _gradient_sizes, PAIR, seeds, work)


@threads(1)
def _gradient_sizes(net: str, seed: int) -> list:
    model, (x, y) = net_at_start(net, seed), batch(seed)
    found = measure_gradients(model, cross_entropy, x, y, layers=convolutions(model), mode="train")
    quantiles = np.log10(found.quantiles[:, -1] / found.quantiles[:, 0])
    return [net, seed, _short(found.std), _short(quantiles)]


def measure_classes(seeds: Sequence[int] = SEEDS, work: Work = HERE) -> dict:
    """Share of the images that get the most frequent class, and how sure the net is of it."""
    return _measured(("share", "sure"), _classes, PAIR, seeds, work)


@threads(1)
@torch.no_grad()
def _classes(net: str, seed: int) -> list:
    logits = net_at_start(net, seed).train()(batch(seed, 512)[0])
    counts = torch.bincount(logits.argmax(1), minlength=10)
    sure = float(logits.softmax(1).amax(1).mean())
    return [net, seed, float(counts.max() / counts.sum()), float(f"{sure:.4g}")]


def _measured(
    columns: Sequence[str],
    row: Callable[[str, int], list],
    nets: Sequence[str],
    seeds: Sequence[int],
    work: Work,
) -> dict:
    return {
        "base": BASE.to_dict(),
        "seeds": list(seeds),
        "nets": list(nets),
        "columns": ["net", "seed", *columns],
        "rows": work.starmap(row, [(net, seed) for seed in seeds for net in nets]),
    }


def convolutions(net: nn.Module) -> list[str]:
    """Names of the convolutions on the branches of the blocks."""
    return [
        name
        for name, module in net.named_modules()
        if isinstance(module, nn.Conv2d) and name.startswith("blocks.") and "shortcut" not in name
    ]


def _short(values: np.ndarray) -> list[float]:
    return [float(f"{v:.4g}") for v in values]


def column(data: dict, net: str, name: str) -> np.ndarray:
    """One column of a net's rows, (seeds,) or (seeds, layers)."""
    return Table.of(data).where(net=net).column(name)


def decades(values: np.ndarray) -> np.ndarray:
    """log10 of last over first layer, for (seeds, layers): (seeds,)."""
    return np.log10(values[:, -1] / values[:, 0])
