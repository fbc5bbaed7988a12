"""B2 of Bjorck 2018: which rates make a residual net diverge, and what its blocks do then.

Settings and margins were fixed before the seeds of ``SEEDS`` were run. After a review of the first
result a third net was added as a further control, "scaled": the plain net with the last convolution
of each block scaled by 1/sqrt(blocks) at the start. It does not enter the verdict. And the
control with BatchNorm became harder: its step first had the plain net's learning rate, which for
BatchNorm's small gradients is a short step; now it has the plain net's length.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch.nn.utils import parameters_to_vector, vector_to_parameters

from bnlab.chapters.learning_rates.b1_rates import SEEDS
from bnlab.measure.signals.signals import block_variances
from bnlab.train import Run, Trainer, threads
from bnlab.verdicts.table import Table
from bnlab.verdicts.work import HERE, Work

NETS = {"none": "none", "batch": "batch", "scaled": "none"}  # name: its normalizer
LRS = (1e-4, 3e-4, 1e-3, 3e-3, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)
BEYOND = LRS[-1] * LRS[-1] / LRS[-2]  # a net that never diverged counts one step above the grid
BASE = Run(net="resnet", depth=18, width=16, lr=0.01, batch_size=64, steps=10)
PROBE_IMAGES = 256
COLUMNS = ("net", "seed", "first_loss", "diverging_lr", "step", "before", "after")


def measure(seeds: Sequence[int] = SEEDS, work: Work = HERE) -> dict:
    """Find each net's smallest rate that diverges, and look inside at the step that does it.

    A net is trained for 10 steps at ever larger rates until it diverges. For the plain net, the
    variance of each block's output is taken before and after the update that made the loss exceed
    the bound. The others take their own update at the same rate and step, stretched to the length
    of the plain net's update. The search is made in float32, the variances are taken in float64,
    where nothing overflows.

    Returns:
        ``base``, ``columns`` and ``rows``: one a net and seed, with the loss at the start, the
        smallest diverging rate (null: none on the grid), and the variances before and after.
    """
    return {
        "base": BASE.to_dict(),
        "seeds": list(seeds),
        "columns": list(COLUMNS),
        "rows": [row for rows in work.map(_rows, seeds) for row in rows],
    }


def _rows(seed: int) -> list[list]:
    """The rows of a seed, one a net."""
    found = {net: _first_divergence(net, seed) for net in NETS}
    lr, step = found["none"][1:]
    if lr is None:
        raise RuntimeError(
            f"the net without a normalizer did not diverge at any rate up to {LRS[-1]} "
            f"(seed {seed}); B2 cannot be measured in this setting."
        )
    rows, length = [], None  # of the plain net's update, which comes first
    for net, (first_loss, own_lr, _) in found.items():
        length, *variances = _profiles(net, seed, lr, step, length)
        rows.append([net, seed, first_loss, own_lr, step, *variances])
    return rows


def _trainer(net: str, run: Run) -> Trainer:
    trainer = Trainer(run.replace(norm=NETS[net]), "cpu")
    if net == "scaled":
        with torch.no_grad():
            for block in trainer.net.blocks:
                block.conv2.weight *= run.depth**-0.5
    return trainer


@threads(1)
def _first_divergence(net: str, seed: int) -> tuple[float, float | None, int]:
    """Loss at the start, smallest rate that diverges or None, and the update that did it."""
    for lr in LRS:
        records = list(_trainer(net, BASE.replace(seed=seed, lr=lr)).steps(looks=False))
        first_loss = float(f"{records[1].loss:.4g}")
        if records[-1].diverged:
            return first_loss, lr, max(records[-1].step, 1)
    return first_loss, None, 0


@threads(1)
def _profiles(
    net: str, seed: int, lr: float, step: int, length: float | None
) -> tuple[float, list[float], list[float]]:
    """Variances by block before and after update number ``step``, in float64: they may be huge.

    Returns:
        The length of the update (``length`` if given: then it is stretched to it), the variances.
    """
    trainer = _trainer(net, BASE.replace(seed=seed, lr=lr, steps=step, precision="float64"))
    weights = {
        record.step: parameters_to_vector(trainer.net.parameters()).detach().clone()
        for record in trainer.steps(looks=False)
        if not record.diverged
    }
    before, update = weights[step - 1], weights[step] - weights[step - 1]
    own = float(update.norm())
    after = before + update * ((length or own) / own)
    profiles = []
    for vector in (before, after):
        vector_to_parameters(vector, trainer.net.parameters())
        variances = block_variances(trainer.net, trainer.train_x[:PROBE_IMAGES])
        profiles.append([float(f"{v:.4g}") for v in variances])
    return length or own, *profiles


def profiles(data: dict, net: str, when: str) -> np.ndarray:
    """Variance of each block's output ``before`` or ``after`` the step, (seeds, blocks)."""
    return Table.of(data).where(net=net).column(when)


def typical(data: dict, net: str, when: str) -> np.ndarray:
    """The median profile over the seeds, on a logarithmic scale, (blocks,)."""
    return np.exp(np.median(np.log(profiles(data, net, when)), axis=0))


def growth(data: dict, net: str) -> np.ndarray:
    """By how many decades the step made the variance grow more from first to last block, (seeds,).

    log10(last / first) after the step, minus the same before it.
    """
    before, after = (np.log10(profiles(data, net, when)) for when in ("before", "after"))
    return (after[:, -1] - after[:, 0]) - (before[:, -1] - before[:, 0])


def diverging_rate(data: dict, net: str) -> np.ndarray:
    """Smallest rate that diverges, (seeds,); ``BEYOND`` for a net that never did: a lower bound."""
    found = Table.of(data).where(net=net).entries("diverging_lr")
    return np.array([lr or BEYOND for lr in found])


def values(data: dict) -> dict[str, np.ndarray]:
    """The effects of B2, one number a seed."""
    return {
        "rate": np.log10(diverging_rate(data, "batch") / diverging_rate(data, "none")),
        "explode": growth(data, "none"),
        "control": growth(data, "batch"),
    }


def facts(data: dict) -> dict[str, object]:
    """Numbers for sentences about B2."""
    effect, found = values(data), {"seeds": len(data["seeds"]), "blocks": BASE.depth}
    for net in NETS:
        found[f"{net}_lr"] = float(np.median(diverging_rate(data, net)))
        found[f"{net}_first_loss"] = float(
            np.median(Table.of(data).where(net=net).column("first_loss"))
        )
        for when in ("before", "after"):
            middle = typical(data, net, when)
            found[f"{net}_growth_{when}"] = middle[-1] / middle[0]
    scaled = np.log10(diverging_rate(data, "scaled") / diverging_rate(data, "none"))
    return {
        **found,
        "never": len(Table.of(data).where(net="batch", diverging_lr=None)),
        "ratio": 10 ** effect["rate"].mean(),
        "scaled_decades": scaled.mean(),
        "decades": effect["rate"].mean(),
        "explode_median": 10 ** np.median(effect["explode"]),
        "control": 10 ** effect["control"].mean(),
    }
