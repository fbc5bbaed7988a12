"""B3 of Bjorck 2018: growth with depth at the start, inside of the branches and where they add up.

The first edition looked at the outputs of the blocks alone. What is measured here, its margins and
the prediction were written before the seeds of ``SEEDS`` were run, after trials with seeds 0 to 15.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from bnlab.chapters.signals.b3_to_b6_l1_at_start import (
    BASE,
    PAIR,
    batch,
    column,
    convolutions,
    decades,
    net_at_start,
)
from bnlab.measure import fit_growth
from bnlab.measure.kit.passes import Call, run
from bnlab.train import threads
from bnlab.verdicts.work import HERE, Work

SEEDS = tuple(range(232, 248))
PLACES = ("convolutions", "normalized", "blocks")


def measure(seeds: Sequence[int] = SEEDS, work: Work = HERE) -> dict:
    """Standard deviation of the channels at each place of each block, before the first step.

    Returns:
        ``rows``, one a net and seed: the standard deviation after each convolution of a branch
        (two a block, before the normalizer), after its normalizer (without one: the same numbers),
        and at the output of each block; and the mean at the outputs of the blocks.
    """
    return {
        "base": BASE.to_dict(),
        "seeds": list(seeds),
        "nets": list(PAIR),
        "columns": ["net", "seed", *PLACES, "mean"],
        "rows": work.starmap(_row, [(net, seed) for seed in seeds for net in PAIR]),
    }


@threads(1)
def _row(net: str, seed: int) -> list:
    model = net_at_start(net, seed)
    behind = convolutions(model)
    layers = {
        "convolutions": behind,
        "normalized": [name.replace("conv", "norm") for name in behind],
        "blocks": [f"blocks.{k}" for k in range(BASE.depth)],
    }
    x, _ = batch(seed)
    calls = {place: run(model, x, names) for place, names in layers.items()}
    deviations = [[_short(_deviation(call)) for call in calls[place]] for place in PLACES]
    return [net, seed, *deviations, [_short(float(c.output.mean())) for c in calls["blocks"]]]


def _deviation(call: Call) -> float:
    """Root of the variance of a channel over samples and positions, mean over the channels."""
    return float(torch.var(call.output, (0, 2, 3), correction=0).mean().sqrt())


def _short(value: float) -> float:
    return float(f"{value:.6g}")


def misfit(values: np.ndarray) -> np.ndarray:
    """What a power law misses over what an exponential misses, in decades, (seeds,).

    Both are fitted to the logarithms of (seeds, layers); what a fit misses is the sum of its
    squared residuals. Above 0 the exponential comes nearer.
    """
    fits = [fit_growth(row) for row in values]
    return np.array([np.log10((1 - f.power.r2) / (1 - f.exponential.r2)) for f in fits])


def values(data: dict) -> dict[str, np.ndarray]:
    """The effects of B3, one number a seed."""
    none = {place: column(data, "none", place) for place in PLACES}
    norm = {place: column(data, "batch", place) for place in PLACES}
    return {
        "law_inside": misfit(none["convolutions"]),
        "law_blocks": misfit(none["blocks"]),
        "std": decades(none["blocks"]),
        "mean": decades(column(data, "none", "mean")),
        "level_blocks": decades(norm["blocks"]),
        "level_first": decades(norm["convolutions"][:, ::2]),
        "level_second": decades(norm["convolutions"][:, 1::2]),
        "level_normalized": np.abs(decades(norm["normalized"])),
    }


def facts(data: dict) -> dict[str, object]:
    """Numbers for sentences about B3: geometric means over the seeds."""
    found: dict[str, object] = {
        "misfit": 10 ** misfit(column(data, "none", "blocks")).mean(),
        "misfit_inside": 10 ** misfit(column(data, "none", "convolutions")).mean(),
    }
    for net in PAIR:
        inside = column(data, net, "convolutions")
        found[f"{net}_growth"] = 10 ** decades(column(data, net, "blocks")).mean()
        found[f"{net}_first"] = 10 ** decades(inside[:, ::2]).mean()
        found[f"{net}_second"] = 10 ** decades(inside[:, 1::2]).mean()
    return found
