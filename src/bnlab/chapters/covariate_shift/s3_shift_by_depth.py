"""S3 of Santurkar 2018: the shift of gradients, by depth and learning rate, and in a linear net.

Settings and margins were fixed before the seeds of ``SEEDS`` were run; they were chosen knowing
trial runs with the tuning seeds. At the two depths that decide, the rate is the plain net's best
one by validation images of the tuning seeds (S1). The other depths and rates are there to find out
on what the answer depends. In the linear net the rate that decides is the largest power of ten at
which the plain net's loss never rose for at least half of the tuning seeds.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
from torch.nn.functional import cross_entropy

from bnlab.chapters.covariate_shift import deep_linear
from bnlab.data import batches
from bnlab.measure import measure_covariate_shift
from bnlab.train import Run, Trainer, threads
from bnlab.verdicts.table import Table, fact_name
from bnlab.verdicts.work import HERE, Work

SEEDS = tuple(range(540, 556))
NORMS = ("none", "batch")
DEPTHS = (3, 6, 10, 15)
LRS = (0.01, 0.03, 0.1, 0.3)
DECISIVE = {6: 0.1, 15: 0.03}  # depth: rate
NOISY = {"noisy_batch": True, "new_noise": False}  # whether all passes have the same noise
LINEAR_LRS = (1e-5, 1e-4, 1e-3)
LINEAR_LR = 1e-4
BASE = Run(net="mlp", width=64, lr=0.1, batch_size=64, steps=100)
LOOKS = (10, 30, 50, 70, 90)  # updates before the step that is looked at
RATIOS = {"l2": "ratio", "before": "size"}  # column: what a fact calls its ratio
COLUMNS = ("net", "depth", "norm", "lr", "seed", "l2", "cosine", "before")


def measure(
    seeds: Sequence[int] = SEEDS,
    work: Work = HERE,
    depths: Sequence[int] = DEPTHS,
    lrs: Sequence[float] = LRS,
    linear_lrs: Sequence[float] = LINEAR_LRS,
) -> dict:
    """Train nets and measure the covariate shift of some of their steps.

    Args:
        seeds: whose runs are the evidence.
        work: does the trainings.
        depths: of the perceptrons; those of ``DECISIVE`` decide.
        lrs: their learning rates; those of ``DECISIVE`` are added.
        linear_lrs: those of the linear net; ``LINEAR_LR`` decides.

    Returns:
        ``base``, ``columns`` and ``rows``: one a net, depth, normalizer, rate and seed, with
        distance, cosine and size of the gradients for each layer but the first, medians over the
        looks. Null: the net diverged before the first look.

    Raises:
        ValueError: if a depth or a rate that decides is missing.
    """
    if not set(DECISIVE) <= set(depths) or LINEAR_LR not in linear_lrs:
        raise ValueError(
            f"depths must contain {list(DECISIVE)} and linear_lrs {LINEAR_LR:g}, which decide."
        )
    nets = [
        *(("linear", deep_linear.LAYERS, *rest) for rest in itertools.product(NORMS, linear_lrs)),
        *(("mlp", d, norm, DECISIVE[d]) for d in DECISIVE for norm in NOISY),
        *(
            ("mlp", d, norm, lr)
            for d in depths
            for norm in NORMS
            for lr in sorted({*lrs, *([DECISIVE[d]] if d in DECISIVE else [])})
        ),
    ]
    plan = [(*net, seed) for net in nets for seed in seeds]
    return {
        "base": BASE.to_dict(),
        "depths": list(depths),
        "lrs": list(lrs),
        "linear_lrs": list(linear_lrs),
        "seeds": list(seeds),
        "columns": list(COLUMNS),
        "rows": work.starmap(_row, plan),
    }


@threads(1)
def _row(net: str, depth: int, norm: str, lr: float, seed: int) -> list:
    setting = [net, depth, norm, lr, seed]
    if net == "linear":
        found = deep_linear.shift(norm, lr, seed)
    else:
        name = "noisy_batch" if norm in NOISY else norm
        run = BASE.replace(depth=depth, norm=name, lr=lr, seed=seed)
        found = shift(run, NOISY.get(norm, True))
    if found is None:
        return [*setting, None, None, None]
    numbers = [[float(f"{value:.4g}") for value in part] for part in np.nan_to_num(found)]
    return [*setting, *numbers]


def shift(run: Run, same_noise: bool = True, device: str = "cpu") -> np.ndarray | None:
    """Train the net of a Run; the covariate shift of the steps after ``LOOKS``, each on its batch.

    Args:
        run: of more steps than the last of ``LOOKS``.
        same_noise: see ``measure_covariate_shift``.
        device: see ``train``.

    Returns:
        Distance, cosine and size of the gradient before, for each layer but the first: medians
        over the looks, (3, layers); None if the net diverged before the first look. A cosine that
        does not exist, since a gradient is zero, is NaN.
    """
    trainer, looks = Trainer(run, device), []
    plan = list(batches(trainer.data.train_y, run.sampler, run.seed, run.batch_size, run.steps))
    for record in trainer.steps(looks=False):
        if record.diverged:
            break
        if record.step in LOOKS:
            batch = trainer.batch(plan[record.step], record.step + 1)
            found = measure_covariate_shift(
                trainer.net, cross_entropy, *batch, run.lr, same_noise=same_noise
            )
            looks.append((found.l2[1:], found.cosine[1:], found.before[1:]))
    return np.median(looks, axis=0) if looks else None


def typical(data: dict, net: str, depth: int, norm: str, lr: float, name: str = "l2") -> np.ndarray:
    """Median of a column over the layers, (seeds,); NaN where the net diverged."""
    table = Table.of(data).where(net=net, depth=depth, norm=norm, lr=lr)
    by_seed = table.entries(name, seed=data["seeds"])
    return np.array([np.median(layers) if layers else np.nan for layers in by_seed])


def decades(data: dict, depth: int, lr: float, name: str = "l2") -> np.ndarray:
    """log10 of a column without a normalizer over that with BatchNorm, (seeds,)."""
    none, batch = (typical(data, "mlp", depth, norm, lr, name) for norm in NORMS)
    with np.errstate(divide="ignore"):  # a net whose units are all dead has no gradient
        found = np.log10(none / batch)
    return np.where(np.isfinite(found), found, np.nan)


def relative(data: dict, depth: int, norm: str, lr: float) -> np.ndarray:
    """Distance over the size of the gradient before, medians over the layers, (seeds,)."""
    return typical(data, "mlp", depth, norm, lr) / typical(data, "mlp", depth, norm, lr, "before")


def values(data: dict) -> dict[str, np.ndarray]:
    """The effects of S3, one number a seed."""
    cosine = {
        norm: typical(data, "linear", deep_linear.LAYERS, norm, LINEAR_LR, "cosine")
        for norm in NORMS
    }
    return {
        **{f"shift_{depth}": decades(data, depth, lr) for depth, lr in DECISIVE.items()},
        "linear": cosine["none"] - cosine["batch"],
    }


def facts(data: dict) -> dict[str, object]:
    """Numbers for sentences about S3; a rate of 0.1 is written ``0_1``."""
    found = {"seeds": len(data["seeds"])}
    for depth, decisive in DECISIVE.items():
        found[f"lr_{depth}"] = decisive
        for norm in (*NORMS, *NOISY):
            for name in ("cosine", "l2"):
                chosen = typical(data, "mlp", depth, norm, decisive, name)
                found[f"{name}_{norm}_{depth}"] = np.median(chosen)
    for depth in data["depths"]:
        for lr in (*data["lrs"], *([DECISIVE[depth]] if depth in DECISIVE else [])):
            end = fact_name(depth, lr)
            for name, key in RATIOS.items():
                chosen = decades(data, depth, lr, name)
                if np.isfinite(chosen).any():
                    found[f"{key}_{end}"] = 10 ** np.nanmean(chosen)
            for norm in NORMS:
                found[f"cosine_{norm}_{end}"] = np.nanmedian(
                    typical(data, "mlp", depth, norm, lr, "cosine")
                )
    places = list(itertools.product(data["depths"], data["lrs"]))
    if len(places) > 2:
        pairs = [[np.nanmean(decades(data, *place, name)) for place in places] for name in RATIOS]
        found["size_correlation"] = np.corrcoef(pairs)[0, 1]
    for lr, norm in itertools.product(data["linear_lrs"], NORMS):
        chosen = typical(data, "linear", deep_linear.LAYERS, norm, lr, "cosine")
        found[fact_name("linear", norm, f"{lr:.0e}")] = np.nanmedian(chosen)
    return found
