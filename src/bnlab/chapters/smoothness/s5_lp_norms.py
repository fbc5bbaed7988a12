"""S5 of Santurkar 2018: normalizers that divide by an l1, l2 or l-infinity norm.

Settings and margins were fixed before the seeds of ``SEEDS`` were run; they were chosen knowing
trial runs with seeds 0 to 2. (The prediction is older than those of the linear net.) Each net races
at its best rate, by validation images of the tuning seeds. The look along the gradient is that of
S4, at its rate. The rate of the deep linear net is that of S3.

There are two controls for the linear net; they do not enter the verdict. With our constants l1
leaves activations whose deviation is sqrt(pi / 2) = 1.25, and not 1. Each next normalizer takes
that out again; the last one does not, and the targets are three times as large. ``matched`` is
BatchNorm whose last weights start there. The weights also act 1.25 times as strongly, so that a
step changes the outputs pi / 2 times as much. ``rescaled`` is BatchNorm in which all weights start
at 1.25 and make steps pi / 2 times as long; it was added when ``matched`` was found to explain
l1's lead at the small rate and only a part of it at the second one.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import numpy as np
import torch

from bnlab.chapters.covariate_shift import deep_linear, moving_inputs
from bnlab.chapters.covariate_shift.moving_inputs import select
from bnlab.chapters.covariate_shift.s3_shift_by_depth import LINEAR_LR
from bnlab.chapters.learning_rates import b1_rates as sweep
from bnlab.chapters.smoothness import s4_along_gradient
from bnlab.train import Run, threads
from bnlab.verdicts.table import Table, fact_name
from bnlab.verdicts.trainings import train_all
from bnlab.verdicts.tuning import best_rate, check_seeds
from bnlab.verdicts.work import HERE, Work

SEEDS = tuple(range(580, 596))
TUNING_SEEDS = sweep.TUNING_SEEDS
LP = ("l1_batch", "l2_batch", "linf_batch")
NORMS = ("none", "batch", *LP)
LRS = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0)
DEPTH, STEPS = 6, 300
LOOK_LR = 0.1
LOOKS = tuple(range(s4_along_gradient.FIRST, s4_along_gradient.EARLY, s4_along_gradient.EVERY))
MATCHED, RESCALED = CONTROLS = ("matched", "rescaled")
LINEAR = {LINEAR_LR: (*NORMS, *CONTROLS), 1e-3: ("batch", "l1_batch", *CONTROLS)}
BASE = Run(net="mlp", depth=DEPTH, width=64, lr=LOOK_LR, batch_size=64, steps=STEPS)
ENGINE = "compiled"
COLUMNS = (*moving_inputs.COLUMNS[:-1], "numbers")


def measure(
    seeds: Sequence[int] = SEEDS,
    work: Work = HERE,
    tuning: dict | None = None,
    linear: bool = True,
) -> dict:
    """Race the five nets, look along their gradients, and train the deep linear net.

    Args:
        seeds: whose runs are the evidence.
        work: does the trainings.
        tuning: an earlier measurement; its trainings with the tuning seeds are taken over.
        linear: train all deep linear nets; else only the two that decide, at the deciding rate.

    Returns:
        ``base``, ``columns`` and ``rows``. Of the part ``race`` one a net, rate and seed, as in
        S1; of ``look`` one a net and seed, whose ``numbers`` are those of S4, medians over the
        early looks; of ``linear`` one a net, rate and seed, whose ``numbers`` are first and last
        loss (null: it diverged) and the deviation of the first outputs.
    """
    check_seeds(seeds, TUNING_SEEDS)
    new, rows = (*TUNING_SEEDS, *seeds), []
    if tuning:
        new, rows = seeds, Table.of(tuning).where(part="race", seed=TUNING_SEEDS).rows
    plan = itertools.product(NORMS, LRS, new)
    runs = [BASE.replace(norm=norm, lr=lr, seed=seed) for norm, lr, seed in plan]
    rows += [moving_inputs.race_row(history) for history in train_all(work, runs, ENGINE)]
    rows += work.starmap(look_row, itertools.product(NORMS, seeds))
    rates = LINEAR if linear else {LINEAR_LR: ("batch", "l1_batch")}
    plan = [(norm, lr, seed) for lr, norms in rates.items() for norm in norms for seed in seeds]
    rows += work.starmap(linear_row, plan)
    return {
        "engine": ENGINE,
        "base": BASE.to_dict(),
        "depths": [DEPTH],
        "seeds": list(seeds),
        "tuning_seeds": list(TUNING_SEEDS),
        "columns": list(COLUMNS),
        "rows": rows,
    }


def repeat(data: dict, seeds: Sequence[int]) -> dict:
    """The same trainings for some seeds."""
    return measure(seeds, tuning=data)


def look_row(norm: str, seed: int) -> list:
    """The medians of the early looks of S4, in float64."""
    run = BASE.replace(norm=norm, seed=seed, steps=s4_along_gradient.EARLY, precision="float64")
    found = s4_along_gradient.look(run, at=LOOKS)
    numbers = [float(f"{value:.4g}") for value in np.median(found, axis=1)]
    return ["look", DEPTH, norm, LOOK_LR, seed, None, None, None, None, numbers]


@threads(1)
def linear_row(norm: str, lr: float, seed: int, steps: int = deep_linear.STEPS) -> list:
    """The deep linear net, trained as in S3 by gradient descent."""
    net, x, y = deep_linear.make("batch" if norm in CONTROLS else norm, seed)
    chosen = {MATCHED: [net[-1]], RESCALED: net[1::2]}.get(norm, [])
    for layer in chosen:
        torch.nn.init.constant_(layer.weight, math.sqrt(math.pi / 2))
    longer = {layer.weight for layer in chosen} if norm == RESCALED else set()
    parameters, losses, spread = list(net.parameters()), [], None
    factors = [math.pi / 2 if p in longer else 1.0 for p in parameters]
    for _ in range(steps + 1):
        output = net(x)
        spread = spread or output.std().item()
        value = deep_linear.loss(output, y)
        losses.append(value.item())
        if not losses[-1] <= deep_linear.GROWTH * losses[0]:
            losses[-1] = None
            break
        slopes = torch.autograd.grad(value, parameters)
        with torch.no_grad():
            torch._foreach_add_(parameters, torch._foreach_mul(slopes, factors), alpha=-lr)
    numbers = [losses[0], losses[-1], spread]
    short = [None if value is None else float(f"{value:.4g}") for value in numbers]
    return ["linear", deep_linear.LAYERS, norm, lr, seed, None, None, None, None, short]


def best_lr(data: dict, norm: str) -> float:
    """The best learning rate of a net in the race; see ``best_rate``."""
    table = Table.of(data).where(part="race", norm=norm)
    return best_rate(LRS, table.column("val_accuracy", lr=LRS, seed=data["tuning_seeds"]))


def losses(data: dict, norm: str, lr: float | None = None) -> np.ndarray:
    """Mean training loss over the run, at a rate or the net's best one, (seeds,)."""
    return select(data, "race", norm, lr or best_lr(data, norm), "loss")


def early(data: dict, norm: str, name: str = "range") -> np.ndarray:
    """One of the numbers of S4, median over the early looks, (seeds,)."""
    at = s4_along_gradient.NUMBERS.index(name)
    return select(data, "look", norm, LOOK_LR, "numbers")[:, at]


def linear(data: dict, norm: str, lr: float = LINEAR_LR, at: int = 1) -> np.ndarray:
    """The deep linear net's loss at the end, or first loss (0) or deviation (2), (seeds,)."""
    found = select(data, "linear", norm, lr, "numbers", deep_linear.LAYERS)
    return found[:, at].astype(float)


def values(data: dict) -> dict[str, np.ndarray]:
    """The effects of S5, one number a seed; the worst of the three is chosen for each seed."""
    worst_loss = np.max([losses(data, norm) for norm in LP], axis=0)
    worst_range = np.max([early(data, norm) for norm in LP], axis=0)
    return {
        "loss": np.log10(worst_loss / losses(data, "batch")),
        "range": np.log10(early(data, "none") / worst_range),
        "linear": np.log10(linear(data, "batch") / linear(data, "l1_batch")),
    }


def facts(data: dict) -> dict[str, object]:
    """Numbers for sentences about S5."""
    found: dict[str, object] = {"seeds": len(data["seeds"])}
    batch = losses(data, "batch")
    for norm in NORMS:
        found[f"lr_{norm}"] = best_lr(data, norm)
        found[f"loss_{norm}"] = losses(data, norm).mean()
        found[f"behind_{norm}"] = _times(losses(data, norm), batch)
        same = (losses(data, which, LOOK_LR) for which in (norm, "batch"))
        found[f"same_{norm}"] = _times(*same)
        found[f"range_{norm}"] = np.median(early(data, norm))
        found[f"beta_{norm}"] = np.median(early(data, norm, "beta"))
        found[f"shrunk_{norm}"] = 10 ** np.log10(early(data, "none") / early(data, norm)).mean()
        found[f"rougher_{norm}"] = _times(early(data, norm, "beta"), early(data, "none", "beta"))
    batch = linear(data, "batch")
    for norm, lr in linear_nets(data):
        rows, end = linear(data, norm, lr), fact_name(norm, f"{lr:.0e}")
        found[f"linear_{end}"] = rows.mean()
        found[f"spread_{norm}"] = linear(data, norm, lr, 2).mean()
        found[f"linear_ratio_{end}"] = _times(linear(data, "batch", lr), rows)
        if lr == LINEAR_LR:
            found[f"ahead_{norm}"] = int((rows < batch).sum())
    return found


def linear_nets(data: dict) -> list[tuple[str, float]]:
    """Nets and rates of the deep linear net that were measured."""
    return Table.of(data).where(part="linear").distinct("norm", "lr")


def _times(above: np.ndarray, below: np.ndarray) -> float:
    """How many times as large, geometric mean over the seeds."""
    return float(10 ** np.log10(above / below).mean())
