"""M3 of Fei 2020: do pairs of inputs draw together or apart, from layer to layer, at the start?

All is measured before the ReLU, where the theory speaks: after it, features that have nothing to do
with each other already have the cosine 1/pi = 0.32, and no net could come near 0. With a normalizer
of activations it is the normalizer's output, which is what the ReLU sees.

The theory (infinite width, each layer from its inputs): with the dual function of the ReLU,

    phi(c) = (sqrt(1 - c^2) + c (pi - arccos c)) / 2 pi,

the cosine of a pair goes from c to phi(c) / phi(1) in a plain net, and to (phi(c) - phi(0)) /
(phi(1) - phi(0)) if each unit's weights sum to zero. Near c = 1 the squared relative difference of
a pair is multiplied by the slope there: 1 in the plain net, and CHI with the mean subtracted.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from bnlab.chapters.signals.b3_to_b6_l1_at_start import batch
from bnlab.measure.kit.passes import run
from bnlab.train import Run, build, threads
from bnlab.verdicts.table import Table
from bnlab.verdicts.work import HERE, Work

SEEDS = tuple(range(844, 860))
BASE = Run(net="mlp", depth=30, width=128, batch_size=128, precision="float64")
NETS = {
    "none": {},
    "centred": {"weight_norm": "weight_mean", "weight_norm_options": {"eligible": "hidden"}},
    "batch": {"norm": "batch"},
}
CHI = 1 / (1 - 1 / math.pi)
"""Factor of a small squared relative difference per layer with the mean subtracted: 1.467."""

RATE = math.log10(CHI) / 2
"""The same for the difference itself, in decades a layer: 0.083."""

NUDGE = 1e-6  # relative size of the small difference, at the input
CURVES = ("cosine", "after", "difference", "theory")
COLUMNS = ("net", "seed", *CURVES)


def measure(seeds: Sequence[int] = SEEDS, work: Work = HERE) -> dict:
    """Cosines of pairs, and small differences, in each layer of nets at their start.

    Returns:
        ``base``, ``seeds``, ``columns`` and ``rows``, one a net and seed, with a number a layer:
        the mean ``cosine`` over all pairs of 128 digits before the ReLU, and ``after`` it; the
        relative ``difference`` of inputs that were a millionth apart; and the ``theory`` of the
        cosine, from the measured ones in the first layer (empty for BatchNorm).
    """
    return {
        "base": BASE.to_dict(),
        "seeds": list(seeds),
        "columns": list(COLUMNS),
        "rows": work.starmap(_row, itertools.product(NETS, seeds)),
    }


@threads(1)
def _row(net: str, seed: int) -> list:
    of = BASE.replace(**NETS[net], seed=seed)
    model, (x, _) = build(of), batch(seed)
    nudge = torch.randn(x.shape, generator=torch.Generator().manual_seed(seed), dtype=x.dtype)
    other = x + NUDGE * nudge * x.norm() / nudge.norm()
    signals, others = before_relu(model, x), before_relu(model, other)
    pairs = [pair_cosines(z) for z in signals]
    theory = [] if net == "batch" else recursion(pairs[0], net, of.depth)
    curves = (
        [each.mean() for each in pairs],
        [pair_cosines(z.relu()).mean() for z in signals],
        [(b - a).norm() / a.norm() for a, b in zip(signals, others, strict=True)],
        [each.mean() for each in theory],
    )
    return [net, seed, *([float(f"{value:.5g}") for value in one] for one in curves)]


def before_relu(net: nn.Module, x: Tensor) -> list[Tensor]:
    """What each ReLU is given, (N, width) each, in training mode."""
    return [call.input for call in run(net, x, nn.ReLU, inputs=True)]


def pair_cosines(z: Tensor) -> Tensor:
    """The cosine of each pair of rows, each pair once."""
    unit = nn.functional.normalize(z, dim=1)
    first, second = torch.triu_indices(len(z), len(z), offset=1)
    return (unit @ unit.T)[first, second]


def dual_relu(c: Tensor) -> Tensor:
    """E relu(u) relu(v) of two standard normal numbers with correlation c."""
    c = c.clamp(-1, 1)
    return ((1 - c * c).sqrt() + c * (math.pi - torch.arccos(c))) / (2 * math.pi)


def next_cosine(c: Tensor, net: str) -> Tensor:
    """The cosine in the next layer, in theory: of the net ``none`` or ``centred``."""
    lost = 1 / (2 * math.pi) if net == "centred" else 0.0
    return (dual_relu(c) - lost) / (0.5 - lost)


def recursion(first: Tensor, net: str, depth: int) -> list[Tensor]:
    """The cosines of pairs in each of ``depth`` layers, from those in the first."""
    found = [first]
    while len(found) < depth:
        found.append(next_cosine(found[-1], net))
    return found


def curves(data: dict, net: str, name: str) -> np.ndarray:
    """One of ``CURVES``, (seeds, layers)."""
    return Table.of(data).where(net=net).column(name, seed=data["seeds"])


def growth(data: dict, net: str) -> np.ndarray:
    """Growth of a small relative difference, from first to last layer, in decades a layer."""
    differences = np.log10(curves(data, net, "difference"))
    return (differences[:, -1] - differences[:, 0]) / (differences.shape[1] - 1)


def values(data: dict) -> dict[str, np.ndarray]:
    """The effects of M3, one number a seed."""
    last = {net: curves(data, net, "cosine")[:, -1] for net in NETS}
    grown = {net: growth(data, net) for net in NETS}
    return {
        "plain": last["none"],
        "centred": last["centred"],
        "chaos": grown["centred"],
        "law": grown["centred"],
        "calm": grown["none"],
        "batch": grown["batch"],
    }


def facts(data: dict) -> dict[str, object]:
    """Numbers for sentences: means over the seeds; names end in the number of the layer."""
    depth = data["base"]["depth"]
    found: dict[str, object] = {
        "seeds": len(data["seeds"]),
        "depth": depth,
        "width": data["base"]["width"],
        "chi": CHI,
        "rate_theory": RATE,
        "independent": 1 / math.pi,
    }
    for net in NETS:
        cosine, after = (curves(data, net, name).mean(0) for name in ("cosine", "after"))
        for layer in (1, 5, 10, 20, depth):
            found[f"{net}_{layer}"] = cosine[layer - 1]
        grown = growth(data, net)
        found |= {
            f"{net}_last": cosine[-1],
            f"{net}_after": after[-1],
            f"{net}_growth": grown.mean(),
            f"{net}_factor": 10 ** grown.mean(),
            f"{net}_chi": 10 ** (2 * grown.mean()),
            f"{net}_times": 10 ** ((depth - 1) * grown.mean()),
        }
    for net in ("none", "centred"):
        theory, cosine = (curves(data, net, name) for name in ("theory", "cosine"))
        found[f"{net}_theory"] = theory[:, -1].mean()
        found[f"{net}_apart"] = np.abs(theory - cosine).mean(0).max()
    return found
