"""Nets of Lubana 2021 by the size of their groups, at the start (L2 and L4): settings and signals.

Settings and margins were fixed before the seeds of ``SEEDS`` were run; they were chosen knowing
trial runs with the seeds 0 to 2. The verdicts are taken at depth 20; depth 10 is the paper's other
one. In the second half of a net the width is twice that of the first: there a group of 16 is half
of a layer, in the first half it is the whole.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
from torch import nn
from torch.nn.functional import cross_entropy

from bnlab.chapters.signals.b3_to_b6_l1_at_start import batch
from bnlab.errors import unknown
from bnlab.measure import measure_signals
from bnlab.nets import make_net
from bnlab.train import Run, threads
from bnlab.verdicts.table import Table
from bnlab.verdicts.work import HERE, Work

SEEDS = tuple(range(600, 616))
BASE = Run(net="plain", depth=20, width=16, batch_size=128)
DEPTHS = (20, 10)  # the first decides
SIZES = ("instance", "group_2", "group_4", "group_8", "group_16", "layer")
"""Group sizes 1, 2, 4, 8, 16 and all, in this order."""

NORMS = (*SIZES, "batch", "none")
PARTS = ("cosine", "gradient")


def setting(name: str) -> dict[str, object]:
    """Fields of a Run for a net called so: ``group_4`` is group norm with groups of 4.

    Raises:
        ValueError: for a group that is no whole number of channels.
    """
    if not name.startswith("group_"):
        return {"norm": name, "norm_options": {}}
    size = name.removeprefix("group_")
    if not size.isdigit() or int(size) < 1:
        raise ValueError(f"group_SIZE needs a whole number of channels, got {name!r}.")
    return {"norm": "group", "norm_options": {"group_size": int(size)}}


def net_at_start(name: str, run: Run) -> nn.Module:
    """The untrained net of a Run with the normalizer called so, on digits, float64."""
    of = run.replace(**setting(name))
    sizes = (of.depth, of.width)
    net = make_net(of.net, (1, 8, 8), 10, *sizes, of.norm, of.norm_options, of.seed)
    return net.double()


def signal(net: nn.Module, seed: int, part: str) -> np.ndarray:
    """One number a convolution or hidden layer, from first to last.

    Args:
        net: of digits, float64.
        seed: chooses the 128 images.
        part: ``cosine``, mean over all pairs of samples, after the nonlinearity; or ``gradient``,
            Frobenius norm of the gradient of the mean loss by the outputs of the convolution or
            linear layer, before the normalizer.

    Raises:
        ValueError: for an unknown part.
    """
    if part not in PARTS:
        raise ValueError(unknown("signal", part, PARTS))
    x, y = batch(seed)
    if part == "cosine":
        return measure_signals(net, None, x, mode="train").cosine
    layers = [
        name
        for name, module in net.named_modules()
        if name.startswith("body.") and isinstance(module, nn.Conv2d | nn.Linear)
    ]
    return measure_signals(net, cross_entropy, x, y, layers=layers, mode="train").gradient_norm


def measure(
    seeds: Sequence[int] = SEEDS,
    work: Work = HERE,
    depths: Sequence[int] = DEPTHS,
    norms: Sequence[str] = NORMS,
    part: str = "cosine",
) -> dict:
    """The signals of untrained nets, one row a depth, normalizer and seed.

    Args:
        seeds: whose nets are the evidence.
        work: measures the nets.
        depths: of the nets; the first one decides.
        norms: names for ``setting``.
        part: ``cosine`` for L2, ``gradient`` for L4.
    """
    plan = [(*net, part) for net in itertools.product(depths, norms, seeds)]
    return {
        "base": BASE.to_dict(),
        "depths": list(depths),
        "norms": list(norms),
        "seeds": list(seeds),
        "columns": ["depth", "norm", "seed", part],
        "rows": work.starmap(_row, plan),
    }


@threads(1)
def _row(depth: int, norm: str, seed: int, part: str) -> list:
    net = net_at_start(norm, BASE.replace(depth=depth, seed=seed))
    return [depth, norm, seed, [float(f"{value:.5g}") for value in signal(net, seed, part)]]


def rows(data: dict, norm: str, depth: int | None = None) -> np.ndarray:
    """The signals of a net at a depth (by default the one that decides), (seeds, layers)."""
    table = Table.of(data).where(depth=depth or data["depths"][0], norm=norm)
    return table.column(data["columns"][-1], seed=data["seeds"])


def ratio(data: dict, norm: str, depth: int | None = None) -> np.ndarray:
    """Gradient of the first over that of the last layer, (seeds,)."""
    found = rows(data, norm, depth)
    return found[:, 0] / found[:, -1]


def _check_measured(claim: str, option: str, needed: Sequence, data: dict) -> None:
    missing = [str(one) for one in needed if one not in data[option]]
    if missing:
        raise ValueError(
            f"{claim} needs {', '.join(missing)} too: name all in {option!r}, or leave it out."
        )


def similarity_values(data: dict) -> dict[str, np.ndarray]:
    """The effects of L2, one number a seed.

    Raises:
        ValueError: if one of the sizes was not measured.
    """
    _check_measured("L2", "norms", SIZES, data)
    last = np.array([rows(data, norm)[:, -1] for norm in SIZES])
    return {"ends": last[-1] - last[0], "steps": np.diff(last, axis=0).min(0)}


def gradient_values(data: dict) -> dict[str, np.ndarray]:
    """The effects of L4, one number a seed.

    Raises:
        ValueError: if a depth or a normalizer that is compared was not measured.
    """
    _check_measured("L4", "depths", DEPTHS, data)
    _check_measured("L4", "norms", ("instance", "layer"), data)
    deep, shallow = (ratio(data, "instance", depth) for depth in DEPTHS)
    return {
        "groups": np.log10(deep / ratio(data, "layer")),
        "depth": np.log10(deep / shallow),
    }


def similarity_facts(data: dict) -> dict[str, object]:
    """Numbers for sentences about L2: ``group_4_10`` is that net's last cosine at depth 10."""
    found = {"seeds": len(data["seeds"])}
    for norm, depth in itertools.product(data["norms"], data["depths"]):
        found[f"{norm}_{depth}"] = rows(data, norm, depth)[:, -1].mean()
    found["least_step"] = similarity_values(data)["steps"].min()
    return found


def gradient_facts(data: dict) -> dict[str, object]:
    """Numbers for sentences about L4: ratios, geometric means over the seeds."""
    found = {"seeds": len(data["seeds"])}
    for norm, depth in itertools.product(data["norms"], data["depths"]):
        found[f"{norm}_{depth}"] = 10 ** np.log10(ratio(data, norm, depth)).mean()
    effect = gradient_values(data)
    found["apart"] = 10 ** effect["groups"].mean()
    found["deeper"] = 10 ** effect["depth"].mean()
    return found
