"""L3 of Lubana 2021: normalizers by how alike they leave samples, and by how fast they train.

Settings and margins were fixed before the seeds of ``SEEDS`` were run.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

import numpy as np
from scipy import stats
from torch import nn
from torch.nn.functional import cross_entropy

from bnlab.chapters.group_size.l2_l4_at_start import signal
from bnlab.chapters.group_size.trainings import (
    BASE,
    best_lr,
    column,
    counted_rows,
    frame,
    kept_rows,
    losses,
    make_run,
    searched_rows,
)
from bnlab.chapters.signals.b3_to_b6_l1_at_start import batch
from bnlab.measure import measure_curvature
from bnlab.train import Run, build, threads
from bnlab.verdicts.interval import interval
from bnlab.verdicts.verdict import LEAST_SEEDS
from bnlab.verdicts.work import HERE, Work

SEEDS = (*range(772, 780), *range(796, 800))  # as many as normalizers
NET = "plain10"
RATES: Mapping[str, Sequence[float]] = {
    "instance": (0.8, 1.6, 3.2),
    "group_2": (0.2, 0.4, 0.8),
    "group_4": (0.1, 0.2, 0.4),
    "group_8": (0.1, 0.2, 0.4),
    "layer": (0.05, 0.1, 0.2),
    "batch": (0.2, 0.4, 0.8),
    "variance": (0.05, 0.1, 0.2),
    "filter_response": (0.2, 0.4, 0.8),
    "evonorm_b0": (0.1, 0.2, 0.4),
    "evonorm_s0": (0.1, 0.2, 0.4),
    "weight_norm": (0.1, 0.2, 0.4),
    "scaled_weight_standardization": (0.025, 0.05, 0.1),
}
"""The ten normalizers of the paper, group norm with three sizes; and the rates tried first."""

NORMS = tuple(RATES)
USUAL = (0.05, 0.1, 0.2)
GROUPS = ("group_2", "group_4", "group_8", "layer")
"""Within group norm. Groups of 16 are layer norm in the first half of the net, and instance norm
has a trouble of its own, see the chapter."""


def measure(
    seeds: Sequence[int] = SEEDS,
    work: Work = HERE,
    norms: Sequence[str] = NORMS,
    tuning: dict | None = None,
    base: Run = BASE,
) -> dict:
    """Similarity at the start, and a training at the best rate, for each normalizer.

    Args:
        seeds: whose nets are the evidence.
        work: does the trainings.
        norms: names for ``trainings.fields``.
        tuning: an earlier measurement; its trainings with the tuning seeds are taken over.
        base: what all trainings share.

    Returns:
        ``base``, ``columns`` and ``rows``: of the ``race`` one a net, normalizer, rate and seed;
        of the ``start`` one a net, normalizer and seed, with the cosine after the last layer and
        the ``sharpness``, which does not enter the verdict.

    Raises:
        ValueError: for enough seeds for a verdict, but not as many as normalizers; for a single
            normalizer.
    """
    if len(norms) < 2:
        raise ValueError(f"an order needs two normalizers or more, got {list(norms)}.")
    if len(seeds) >= LEAST_SEEDS and len(seeds) != len(norms):
        raise ValueError(
            f"one part of L3 has a number for each of the {len(norms)} normalizers, another one "
            f"for each seed: give {len(norms)} seeds, or fewer than {LEAST_SEEDS} for a look."
        )
    first = {(NET, norm): RATES.get(norm, USUAL) for norm in norms}
    data = frame([NET], norms, seeds, base, by="loss")
    data["rows"] = kept_rows(tuning, list(first), base)
    data["rows"] = searched_rows(data, first, work)
    data["rows"] += counted_rows(data, work)
    data["rows"] += work.starmap(_start_row, itertools.product([NET], norms, seeds, [base]))
    return data


@threads(1)
def _start_row(net: str, norm: str, seed: int, base: Run) -> list:
    untrained = build(make_run(net, norm, 1.0, seed, base)).double()
    start = signal(untrained, seed, "cosine")[-1], sharpness(untrained, seed)
    return ["start", net, norm, None, seed, *[None] * 5, *(float(f"{x:.4g}") for x in start)]


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
        mode="train",
        kind="gauss_newton",
        top=1,
        bottom=0,
        tolerance=1e-2,
        probes=0,
    )
    return float(found.top[0])


def _both(data: dict, norms: Sequence[str], name: str = "cosine") -> tuple[np.ndarray, np.ndarray]:
    """A number at the start, and the loss at the best rate, (normalizers, seeds)."""
    net = data["nets"][0]
    start = np.array([column(data, net, norm, None, name) for norm in norms])
    return start, np.array([losses(data, net, norm) for norm in norms])


def order(data: dict, norms: Sequence[str] | None = None, name: str = "cosine") -> np.ndarray:
    """Kendall's tau over the normalizers, as one number for each of them, (normalizers,).

    Both quantities are means over the seeds. The numbers are the jackknife's pseudo-values (Efron
    and Stein 1981): their mean is tau, and their spread says how much tau depends on which
    normalizers were taken, and on the noise of each one's mean.

    Args:
        data: of ``measure``.
        norms: which; all by default.
        name: what the loss is compared with, ``cosine`` or ``sharpness``.
    """
    start, loss = (rows.mean(1) for rows in _both(data, norms or data["norms"], name))
    count = len(start)
    agree = np.sign(np.subtract.outer(start, start) * np.subtract.outer(loss, loss))
    with_others = agree.sum(1) / (count - 1)
    if count < 3:  # too few to leave one out
        return with_others
    return (2 * (count - 1) * with_others - count * with_others.mean()) / (count - 2)


def within(data: dict) -> np.ndarray:
    """Kendall's tau over those of ``GROUPS`` that were measured, (seeds,); NaN for fewer than 2."""
    norms = [norm for norm in GROUPS if norm in data["norms"]]
    if len(norms) < 2:
        return np.full(len(data["seeds"]), np.nan)
    both = (rows.T for rows in _both(data, norms))
    return np.array([stats.kendalltau(*pair).statistic for pair in zip(*both, strict=True)])


def values(data: dict) -> dict[str, np.ndarray]:
    """The effects of L3: one number a normalizer for the first part, a seed for the second."""
    return {"order": order(data), "groups": within(data)}


def facts(data: dict) -> dict[str, object]:
    """Numbers for sentences about L3: each ``tau`` over normalizers with its 95 % interval."""
    net, norms = data["nets"][0], data["norms"]
    found: dict[str, object] = {"seeds": len(data["seeds"]), "normalizers": len(norms)}
    for norm in norms:
        found[f"{norm}_lr"] = best_lr(data, net, norm)
        found[f"{norm}_loss"] = losses(data, net, norm).mean()
        found[f"{norm}_cosine"] = column(data, net, norm, None, "cosine").mean()
        sharp = column(data, net, norm, None, "sharpness")
        found[f"{norm}_sharpness"] = sharp.mean()
        found[f"{norm}_bound"] = 2 / sharp.mean()
    found["tau_groups"] = within(data).mean()
    parts = {"tau": order(data), "tau_sharpness": order(data, name="sharpness")}
    others = [norm for norm in norms if norm not in GROUPS]
    if len(others) > 1:
        parts["tau_others"] = order(data, others)
    for name, numbers in parts.items():
        found[name] = numbers.mean()
        found[f"{name}_low"], found[f"{name}_high"] = interval(numbers)
    return found
