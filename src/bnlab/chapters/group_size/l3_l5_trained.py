"""Nets of Lubana 2021 in training (L3 and L5): each at its best rate, and over all rates.

Settings and margins were fixed before the seeds of ``L3_SEEDS`` and ``L5_SEEDS`` were run.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
from scipy import stats
from torch import nn
from torch.nn.functional import cross_entropy

from bnlab.chapters.group_size.l2_l4_at_start import SIZES, net_at_start, signal
from bnlab.chapters.group_size.trainings import (
    BASE,
    LRS,
    best_lr,
    column,
    losses,
    make_run,
    table,
    train_rows,
    tuning_rows,
    usable_rate,
)
from bnlab.chapters.signals.b3_to_b6_l1_at_start import batch
from bnlab.measure import measure_curvature
from bnlab.train import Run, threads
from bnlab.verdicts.table import fact_name
from bnlab.verdicts.work import HERE, Work

L3_SEEDS, L5_SEEDS = tuple(range(620, 628)), tuple(range(630, 638))
NORMS = (*SIZES, "batch", "variance", "filter_response")
PAIR = ("layer", "group_4")
NETS = ("plain10", "plain20", "mlp6", "mlp12")  # the first decides


def measure_order(
    seeds: Sequence[int] = L3_SEEDS,
    work: Work = HERE,
    norms: Sequence[str] = NORMS,
    tuning: dict | None = None,
    base: Run = BASE,
) -> dict:
    """L3: similarity at the start, and a training at the best rate, for each normalizer.

    Args:
        seeds: whose nets are the evidence.
        work: does the trainings.
        norms: names for ``l2_l4_at_start.setting``.
        tuning: an earlier measurement; its trainings with the tuning seeds are taken over.
        base: what all trainings share.

    Returns:
        ``base``, ``columns`` and ``rows``: of the ``race`` one a net, normalizer, rate and seed;
        of the ``start`` one a net, normalizer and seed, with the cosine after the last layer and
        the ``sharpness``, which does not enter the verdict.
    """
    net = NETS[0]
    rows = tuning_rows(tuning, [net], norms, work, seeds, base=base)
    data = table([net], norms, seeds, rows, base=base)
    best = {norm: best_lr(data, net, norm) for norm in norms}
    plan = [(net, norm, best[norm], seed) for norm in norms for seed in seeds]
    rows += train_rows(plan, work, base)
    rows += work.starmap(_start_row, itertools.product([net], norms, seeds, [base]))
    return data


@threads(1)
def _start_row(net: str, norm: str, seed: int, base: Run) -> list:
    untrained = net_at_start(norm, make_run(net, norm, 1.0, seed, base))
    start = signal(untrained, seed, "cosine")[-1], sharpness(untrained, seed)
    return ["start", net, norm, None, seed, *[None] * 4, *(float(f"{x:.4g}") for x in start)]


@threads(1)
def sharpness(net: nn.Module, seed: int) -> float:
    """Largest eigenvalue of the Gauss-Newton matrix of the cross-entropy on 128 images.

    Gradient descent on a quadratic with this curvature diverges beyond a rate of 2 / sharpness.
    """
    x, y = batch(seed)
    found = measure_curvature(
        net.float(),
        cross_entropy,
        x.float(),
        y,
        kind="gauss_newton",
        top=1,
        bottom=0,
        tolerance=1e-2,
        probes=0,
    )
    return float(found.top[0])


def measure_tradeoff(
    seeds: Sequence[int] = L5_SEEDS,
    work: Work = HERE,
    nets: Sequence[str] = NETS,
    tuning: dict | None = None,
    base: Run = BASE,
) -> dict:
    """L5: groups of 4 and one group of all, at every rate, in each net.

    Args:
        seeds: whose trainings are the evidence.
        work: does the trainings.
        nets: names in ``NETS``; the first one decides.
        tuning: an earlier measurement; its trainings with the tuning seeds are taken over.
        base: what all trainings share.

    Returns:
        As ``measure_order``, without the start.
    """
    rows = tuning_rows(tuning, nets, PAIR, work, seeds, base=base)
    rows += train_rows(list(itertools.product(nets, PAIR, LRS, seeds)), work, base)
    return table(nets, PAIR, seeds, rows, base=base)


def order(data: dict, norms: Sequence[str] | None = None) -> np.ndarray:
    """Kendall's tau between cosine at the start and loss at the best rate, (seeds,)."""
    net, norms = data["nets"][0], norms or data["norms"]
    cosine = np.array([column(data, net, norm, None, "cosine") for norm in norms])
    loss = np.array([losses(data, net, norm) for norm in norms])
    return np.array(
        [stats.kendalltau(*pair).statistic for pair in zip(cosine.T, loss.T, strict=True)]
    )


def order_facts(data: dict) -> dict[str, object]:
    """Numbers for sentences about L3."""
    net, found = data["nets"][0], {"seeds": len(data["seeds"])}
    for norm in data["norms"]:
        found[f"{norm}_lr"] = best_lr(data, net, norm)
        found[f"{norm}_loss"] = losses(data, net, norm).mean()
        found[f"{norm}_cosine"] = column(data, net, norm, None, "cosine").mean()
        sharp = column(data, net, norm, None, "sharpness")
        found[f"{norm}_sharpness"] = sharp.mean()
        found[f"{norm}_bound"] = 2 / sharp.mean()
    found["tau"] = order(data).mean()
    if set(SIZES) <= set(data["norms"]):
        found["tau_sizes"] = order(data, SIZES).mean()
        found["tau_groups"] = order(data, SIZES[1:]).mean()
        found["tau_others"] = order(data, [n for n in data["norms"] if n != "instance"]).mean()
    return found


def tradeoff_values(data: dict, net: str | None = None) -> dict[str, np.ndarray]:
    """The effects of L5, one number a seed; of the net that decides or of another one."""
    net = net or data["nets"][0]
    loss, usable = ([of(data, net, norm) for norm in PAIR] for of in (losses, usable_rate))
    return {
        "speed": np.log10(loss[0] / loss[1]),
        "stability": np.log10(usable[0] / usable[1]),
    }


def same_rate(data: dict, net: str, lr: float) -> np.ndarray:
    """Decades by which layer norm's mean loss is above that of groups of 4 at a rate, (seeds,)."""
    layer, groups = (column(data, net, norm, lr, "loss") for norm in PAIR)
    return np.log10(layer / groups)


def tradeoff_facts(data: dict) -> dict[str, object]:
    """Numbers for sentences about L5; a rate of 0.1 is written ``0_1``."""
    found = {"seeds": len(data["seeds"])}
    for net in data["nets"]:
        effect = tradeoff_values(data, net)
        found[f"slower_{net}"] = 10 ** effect["speed"].mean()
        found[f"usable_{net}"] = 10 ** effect["stability"].mean()
        for norm in PAIR:
            found[f"{norm}_lr_{net}"] = best_lr(data, net, norm)
            found[f"{norm}_loss_{net}"] = losses(data, net, norm).mean()
        for lr in data["lrs"]:
            end = fact_name(net, lr)
            found[f"slower_{end}"] = 10 ** same_rate(data, net, lr).mean()
    return found
