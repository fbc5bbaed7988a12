"""The edge of stability: how sharp the loss becomes when all of the data are one batch.

Gradient descent with rate lr is stable only where the largest eigenvalue of the Hessian, the
*sharpness*, is below 2/lr. Cohen et al. 2021 (arXiv 2103.00065) found that the sharpness rises
until it is there. The loss is the squared error: with the cross-entropy, trial runs showed, the
sharpness falls again as soon as all images are right.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import torch

from bnlab.measure import measure_curvature
from bnlab.runs.losses import squared_error
from bnlab.train import Run, Trainer, threads
from bnlab.verdicts.table import Table, fact_name
from bnlab.verdicts.work import Work

NORMS = ("none", "batch")
LRS = (0.1, 0.3, 1.0)
IMAGES = 256
STEPS, EVERY = 400, 100
LIMIT = 1e3  # a net whose loss grew by more has diverged


def measure(base: Run, seeds: Sequence[int], work: Work, empty: int) -> list[list]:
    """Rows for S4: part, depth, normalizer, rate, 1, seed, nothing ``empty`` times, sharpness."""
    plan = itertools.product(NORMS, LRS, seeds)
    runs = [base.replace(norm=norm, lr=lr, seed=seed) for norm, lr, seed in plan]
    return [
        ["edge", run.depth, run.norm, run.lr, 1.0, run.seed, *[None] * empty, found]
        for run, found in zip(runs, work.map(sharpness, runs), strict=True)
    ]


@threads(1)
def sharpness(run: Run) -> list[float]:
    """Largest eigenvalue of the Hessian after 0, 100, ... steps of descent on ``IMAGES`` images.

    Fewer numbers if the net diverged.
    """
    trainer, found, limit = Trainer(run.replace(loss="squared_error"), "cpu"), [], np.inf
    net, x, y = trainer.net.train(), trainer.train_x[:IMAGES], trainer.train_y[:IMAGES]
    parameters = list(net.parameters())
    for step in range(STEPS + 1):
        value = squared_error(net(x), y)
        if not value.item() <= limit:
            break
        limit = limit if step else LIMIT * value.item()
        slopes = torch.autograd.grad(value, parameters)
        if step % EVERY == 0:
            few = {"top": 1, "bottom": 0, "probes": 0, "tolerance": 1e-4}
            top = measure_curvature(net, squared_error, x, y, mode="train", **few).top
            found.append(float(f"{top[0]:.4g}"))
        with torch.no_grad():
            torch._foreach_add_(parameters, slopes, alpha=-run.lr)
    return found


def curves(data: dict, norm: str, lr: float) -> np.ndarray:
    """Sharpness at each look, (seeds, looks); NaN after a net diverged."""
    table, looks = Table.of(data).where(part="edge", norm=norm, lr=lr), STEPS // EVERY + 1
    by_seed = table.entries("sharpness", seed=data["seeds"])
    return np.array([(found + [np.nan] * looks)[:looks] for found in by_seed])


def facts(data: dict) -> dict[str, object]:
    """Numbers for sentences: sharpness at the start and the end, and over 2/lr at the end."""
    found: dict[str, object] = {}
    for norm, lr in itertools.product(NORMS, LRS):
        rows, end = curves(data, norm, lr), fact_name(norm, lr)
        lost = np.isnan(rows[:, -1])
        found[f"edge_lost_{end}"] = int(lost.sum())
        found[f"sharp_first_{norm}"] = np.median(rows[:, 0])
        if not lost.all():
            found[f"sharp_{end}"] = np.nanmedian(rows[:, -1])
            found[f"edge_{end}"] = np.nanmedian(rows[:, -1]) * lr / 2
    return found
