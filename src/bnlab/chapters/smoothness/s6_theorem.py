"""S6 of Santurkar 2018: theorem 4.1 on living layers.

Settings were fixed before the seeds of ``SEEDS`` were run. Two kinds of net: one with BatchNorm in
every layer, looked at layer by layer; and one without a normalizer, into which a single BatchNorm
is put that changes no value: its weight is the deviation of what it normalizes and its bias the
mean. So the net computes the same and receives the same gradient, as the theorem wants it, and
gamma^2/sigma^2 is 1. Everything is computed in float64.
"""

from __future__ import annotations

import copy
import itertools
from collections.abc import Iterable, Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from bnlab.measure import GradientIdentity, measure_gradient_identity
from bnlab.norms import BatchNorm
from bnlab.train import Run, Trainer, threads
from bnlab.verdicts.table import Table
from bnlab.verdicts.work import HERE, Work

SEEDS = tuple(range(600, 616))
DEPTHS = (6, 15)
LRS = {6: 0.1, 15: 0.03}  # the plain net's best, as in S3
BASE = Run(net="mlp", width=64, lr=0.1, batch_size=64, steps=300, precision="float64")
LOOKS = (0, 50, 300)
PARTS = ("every", "one")
LEAST = 1e-17  # an error of exactly zero counts as this
COLUMNS = ("part", "depth", "step", "seed", "error", "smaller", "scale", "removed", "violated")


def measure(
    seeds: Sequence[int] = SEEDS, work: Work = HERE, depths: Sequence[int] = DEPTHS
) -> dict:
    """Train nets and hold the theorem against their layers at three steps.

    Args:
        seeds: whose runs are the evidence.
        work: does the trainings.
        depths: of the nets; all of them decide.

    Returns:
        ``base``, ``columns`` and ``rows``: one a kind of net, depth, step and seed, with numbers
        for each layer, see ``of_layer``.
    """
    found = work.starmap(_rows, itertools.product(PARTS, depths, seeds))
    return {
        "base": BASE.to_dict(),
        "depths": list(depths),
        "seeds": list(seeds),
        "columns": list(COLUMNS),
        "rows": [row for rows in found for row in rows],
    }


def _rows(part: str, depth: int, seed: int) -> list[list]:
    """The rows of a training, one a look."""
    norm = "batch" if part == "every" else "none"
    run = BASE.replace(depth=depth, norm=norm, lr=LRS.get(depth, BASE.lr), seed=seed)
    rows = []
    for step, layers in watch(run).items():
        columns = zip(*layers, strict=True)
        found = [[float(f"{value:.4g}") for value in column] for column in columns]
        rows.append([part, depth, step, seed, *found])
    return rows


@threads(1)
def watch(run: Run) -> dict[int, list[tuple[float, ...]]]:
    """Train; after each of ``LOOKS`` steps the numbers of every layer, on the first images."""
    trainer, found = Trainer(run, "cpu"), {}
    x, y = trainer.train_x[: run.batch_size], trainer.train_y[: run.batch_size]
    for record in trainer.steps(looks=False):
        if record.diverged:
            raise RuntimeError(f"{run} diverged; choose a smaller rate.")
        if record.step in LOOKS:
            found[record.step] = [of_layer(one) for one in identities(trainer.net, x, y)]
    return found


def identities(net: nn.Module, x: Tensor, y: Tensor) -> Iterable[GradientIdentity]:
    """Both sides of the theorem: at each BatchNorm, or at one put in after each linear layer."""
    own = [name for name, module in net.named_modules() if type(module) is BatchNorm]
    for name in own:
        yield measure_gradient_identity(net, cross_entropy, x, y, name, mode="train")
    if not own:
        for place, layer in enumerate(net.body):
            if isinstance(layer, nn.Linear):
                yield measure_gradient_identity(
                    with_one(net, place + 1, x), cross_entropy, x, y, mode="train"
                )


def with_one(net: nn.Module, place: int, x: Tensor) -> nn.Module:
    """A copy of an MLP without a normalizer, with one BatchNorm that changes no value.

    Args:
        net: it has an identity at ``body[place]``.
        place: where BatchNorm goes.
        x: the images for which nothing changes.
    """
    net = copy.deepcopy(net)
    with torch.no_grad():
        z = net.body[:place](x)
        layer = BatchNorm(z.shape[1], track_running_stats=False).to(z)
        layer.bias.copy_(z.mean(0))
        layer.weight.copy_((z.var(0, unbiased=False) + layer.eps).sqrt())
    net.body[place] = layer
    return net


def of_layer(found: GradientIdentity) -> tuple[float, ...]:
    """What is kept of a layer: units that get no gradient count in none of these.

    Returns:
        Error of the equality; squared norm over scale times that without, gamma^2/sigma^2, and the
        share of the squared norm that both terms remove, medians over the units; and the share of
        units for which the printed right side is below the left.
    """
    live = found.after > 0
    if not live.any():
        return LEAST, 1.0, float(np.median(found.scale)), 0.0, 0.0
    whole = (found.scale * found.after)[live]
    removed = ((found.along_ones + found.along_output)[live]) / found.after[live]
    below = (found.printed < found.before - 1e-9 * found.scale * found.after)[live]
    return (
        max(found.error, LEAST),
        float(np.median(found.before[live] / whole)),
        float(np.median(found.scale)),
        float(np.median(removed)),
        float(below.mean()),
    )


def column(data: dict, part: str, depth: int, step: int, name: str) -> np.ndarray:
    """One number for each layer, (seeds, layers)."""
    table = Table.of(data).where(part=part, depth=depth, step=step)
    return table.column(name, seed=data["seeds"])


def every(data: dict, name: str, part: str | None = None) -> np.ndarray:
    """One number for each kind of net, depth, step and layer, (seeds, n)."""
    parts = PARTS if part is None else (part,)
    places = itertools.product(parts, data["depths"], LOOKS)
    return np.concatenate([column(data, *place, name) for place in places], axis=1)


def values(data: dict) -> dict[str, np.ndarray]:
    """The effects of S6, one number a seed: the worst error, the typical shrinking."""
    return {
        "identity": np.log10(every(data, "error").max(1)),
        "smaller": np.log10(np.median(every(data, "smaller"), axis=1)),
    }


def facts(data: dict) -> dict[str, object]:
    """Numbers for sentences about S6."""
    found: dict[str, object] = {
        "seeds": len(data["seeds"]),
        "m": data["base"]["batch_size"],
        "error": every(data, "error").max(),
        "violated": 100 * every(data, "violated").mean(),
    }
    for part in PARTS:
        found[f"removed_{part}"] = 100 * np.median(every(data, "removed", part))
    for depth in data["depths"]:
        scales = column(data, "every", depth, 0, "scale")[:, 1:]
        found[f"scale_{depth}"] = np.median(scales)
        found[f"through_{depth}"] = np.median(scales.prod(1))
        for step in LOOKS:
            removed = column(data, "one", depth, step, "removed")
            found[f"last_{depth}_{step}"] = 100 * np.median(removed[:, -1])
            found[f"inner_{depth}_{step}"] = 100 * np.median(removed[:, :-1])
    return found
