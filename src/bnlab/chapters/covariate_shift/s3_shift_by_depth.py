"""S3 of Santurkar 2018: the shift of gradients, by depth and learning rate, and in a linear net.

Settings and margins were fixed before the seeds of ``SEEDS`` were run; they were chosen knowing
trial runs with the tuning seeds, and the first edition's result (depths 6 and 15, seeds 540 to
555). At each depth the rate is the best one of the net without a normalizer, by validation images
of the tuning seeds; both nets have it, as in the paper. The other rates, BatchNorm at its own best
one, and the steps of one length (``equal_steps``) are there to find out on what the answer depends.
In the linear net the rate that decides is the largest power of ten at which the loss of the net
without a normalizer never rose for at least half of the tuning seeds.

The core is the shift of the gradients at all depths: the abstract says that BatchNorm's success has
little to do with stable distributions, and this part that it does not make the shift smaller.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
from torch.nn.functional import cross_entropy

from bnlab.chapters.covariate_shift import deep_linear, equal_steps
from bnlab.chapters.learning_rates import b1_rates as sweep
from bnlab.data import batches
from bnlab.measure import measure_covariate_shift
from bnlab.train import Run, Trainer, threads
from bnlab.verdicts.table import Table, fact_name
from bnlab.verdicts.trainings import train_all
from bnlab.verdicts.tuning import best_rate, check_seeds, scores
from bnlab.verdicts.work import HERE, Work

SEEDS = tuple(range(280, 296))
TUNING_SEEDS = sweep.TUNING_SEEDS
NORMS = ("none", "batch")
DEPTHS = (4, 6, 10, 15, 20)
LRS = (0.03, 0.1)
TUNED = {"none": (0.003, 0.01, 0.03, 0.1, 0.3, 1.0), "batch": (0.03, 0.1, 0.3, 1.0, 3.0, 10.0)}
TUNING_STEPS = 300
NOISY = {"noisy_batch": True, "new_noise": False}  # whether all passes have the same noise
NOISY_DEPTH = 6
LINEAR_LRS = (1e-5, 1e-4)
LINEAR_LR = 1e-4
SECOND, BARE = "second_net", "bare_end"
LINEAR = {  # normalizer, what is added to the seed, and whether the last layer has none
    "none": ("none", 0, False),
    "batch": ("batch", 0, False),
    SECOND: ("batch", 1000, False),  # seeds of BatchNorm differ widely: the mean of two nets counts
    BARE: ("batch", 0, True),
}
BASE = Run(net="mlp", width=64, lr=0.1, batch_size=64, steps=100)
LOOKS = (10, 30, 50, 70, 90)  # updates before the step that is looked at
START = 0
LEAST = 1e-3  # a distance or size counts as at least this: units that are all dead have none
RATIOS = {"l2": "ratio", "before": "size"}  # column: what a fact calls its ratio
COLUMNS = ("net", "depth", "norm", "lr", "seed", "l2", "cosine", "before")
TUNING_COLUMNS = ("depth", "norm", "lr", "seed", "val_accuracy", "diverged_at")


def measure(
    seeds: Sequence[int] = SEEDS,
    work: Work = HERE,
    lrs: Sequence[float] = LRS,
    linear_lrs: Sequence[float] = LINEAR_LRS,
    tuning: dict | None = None,
) -> dict:
    """Train nets and measure the covariate shift of some of their steps.

    Args:
        seeds: whose runs are the evidence.
        work: does the trainings.
        lrs: learning rates of the perceptrons; the best ones are added.
        linear_lrs: those of the linear net; ``LINEAR_LR`` decides.
        tuning: an earlier measurement; its choice of rates is taken over.

    Returns:
        ``base``, ``columns`` and ``rows``: one a net, depth, normalizer, rate and seed, with
        distance, cosine and size of the gradients for each layer but the first, medians over the
        looks. Null: the net diverged before the first look. ``tuning``: validation accuracies that
        choose the rates. ``equal``: the rows of ``equal_steps``.

    Raises:
        ValueError: if the rate that decides is missing, or a seed chose the rates.
    """
    if LINEAR_LR not in linear_lrs:
        raise ValueError(f"linear_lrs must contain {LINEAR_LR:g}, which decides.")
    check_seeds(seeds, TUNING_SEEDS)
    data = {
        "base": BASE.to_dict(),
        "depths": list(DEPTHS),
        "lrs": list(lrs),
        "linear_lrs": list(linear_lrs),
        "seeds": list(seeds),
        "tuning_seeds": list(TUNING_SEEDS),
        "columns": list(COLUMNS),
        "tuning": tuning["tuning"] if tuning else _tuning(work),
    }
    plain, own = ({d: best_lr(data, d, norm) for d in DEPTHS} for norm in NORMS)
    nets = [
        *(("linear", deep_linear.LAYERS, *rest) for rest in itertools.product(NORMS, linear_lrs)),
        *(("linear", deep_linear.LAYERS, name, LINEAR_LR) for name in (SECOND, BARE)),
        *(("mlp", NOISY_DEPTH, norm, plain[NOISY_DEPTH]) for norm in NOISY),
        *(("mlp", d, "none", lr) for d in DEPTHS for lr in sorted({*lrs, plain[d]})),
        *(("mlp", d, "batch", lr) for d in DEPTHS for lr in sorted({*lrs, plain[d], own[d]})),
    ]
    data["rows"] = work.starmap(_row, [(*net, seed) for net in nets for seed in seeds])
    runs = [
        BASE.replace(depth=d, norm=norm, lr=plain[d], seed=seed)
        for d, norm, seed in itertools.product(DEPTHS, NORMS, seeds)
    ]
    found = work.starmap(equal_steps.rows, [(run, (START, *LOOKS)) for run in runs])
    data["equal"] = {
        "columns": list(equal_steps.COLUMNS),
        "rows": list(itertools.chain.from_iterable(found)),
    }
    return data


def repeat(data: dict, seeds: Sequence[int]) -> dict:
    """The same trainings for some seeds."""
    return measure(seeds, lrs=data["lrs"], linear_lrs=data["linear_lrs"], tuning=data)


def _tuning(work: Work) -> list[list]:
    """The rows that choose the rates, trained by the compiled step."""
    plan = [
        (depth, norm, lr, seed)
        for depth in DEPTHS
        for norm in NORMS
        for lr in TUNED[norm]
        for seed in TUNING_SEEDS
    ]
    base = BASE.replace(steps=TUNING_STEPS)
    runs = [base.replace(depth=d, norm=norm, lr=lr, seed=seed) for d, norm, lr, seed in plan]
    return [
        [*place, round(float(history.val_accuracy[-1]), 4), history.diverged_at]
        for place, history in zip(plan, train_all(work, runs, "compiled"), strict=True)
    ]


def best_lr(data: dict, depth: int, norm: str) -> float:
    """The best learning rate of a net; see ``best_rate``."""
    table = Table(TUNING_COLUMNS, data["tuning"]).where(depth=depth, norm=norm)
    found = scores(table, "val_accuracy", lr=TUNED[norm], seed=data["tuning_seeds"])
    return best_rate(TUNED[norm], found)


@threads(1)
def _row(net: str, depth: int, norm: str, lr: float, seed: int) -> list:
    setting = [net, depth, norm, lr, seed]
    if net == "linear":
        name, added, bare = LINEAR[norm]
        found = deep_linear.shift(name, lr, seed + added, bare)
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
                trainer.net, cross_entropy, *batch, run.lr, mode="train", same_noise=same_noise
            )
            looks.append((found.l2[1:], found.cosine[1:], found.before[1:]))
    return np.median(looks, axis=0) if looks else None


def typical(data: dict, net: str, depth: int, norm: str, lr: float, name: str = "l2") -> np.ndarray:
    """Median of a column over the layers, (seeds,); NaN where the net diverged."""
    table = Table.of(data).where(net=net, depth=depth, norm=norm, lr=lr)
    by_seed = table.entries(name, seed=data["seeds"])
    return np.array([np.median(layers) if layers else np.nan for layers in by_seed])


def linear(data: dict, norm: str, lr: float = LINEAR_LR) -> np.ndarray:
    """Typical cosine in the deep linear net, (seeds,); NaN where it diverged."""
    return typical(data, "linear", deep_linear.LAYERS, norm, lr, "cosine")


def decades(
    data: dict, depth: int, lr: float, name: str = "l2", batch_lr: float | None = None
) -> np.ndarray:
    """log10 of a column without a normalizer over that with BatchNorm, (seeds,).

    Args:
        data: of a measurement.
        depth: of the perceptrons.
        lr: their rate.
        name: of the column.
        batch_lr: BatchNorm's rate, if it is another.
    """
    none = typical(data, "mlp", depth, "none", lr, name)
    batch = typical(data, "mlp", depth, "batch", batch_lr or lr, name)
    return np.log10(np.maximum(none, LEAST) / np.maximum(batch, LEAST))


def equal_length(
    data: dict, depth: int, norm: str, length: float, steps: Sequence[int] = LOOKS
) -> np.ndarray:
    """Shift relative to the gradient, of steps of one length, median over the looks, (seeds,)."""
    table = Table.of(data["equal"]).where(depth=depth, norm=norm, step=tuple(steps))
    at = equal_steps.LENGTHS.index(length)
    found = [table.where(seed=seed).column("shift") for seed in data["seeds"]]
    return np.array([np.median(shifts[:, at]) for shifts in found])


def equal_decades(
    data: dict, depth: int, length: float, steps: Sequence[int] = LOOKS
) -> np.ndarray:
    """log10 of that without a normalizer over that with BatchNorm, (seeds,)."""
    none, batch = (equal_length(data, depth, norm, length, steps) for norm in NORMS)
    return np.log10(np.maximum(none, LEAST) / np.maximum(batch, LEAST))


def step_length(data: dict, depth: int, norm: str) -> np.ndarray:
    """Length of the steps that the training makes, median over the looks, (seeds,)."""
    table = Table.of(data["equal"]).where(depth=depth, norm=norm, step=LOOKS)
    return np.array([np.median(table.where(seed=s).column("length")) for s in data["seeds"]])


def values(data: dict) -> dict[str, np.ndarray]:
    """The effects of S3, one number a seed."""
    batch = (linear(data, "batch") + linear(data, SECOND)) / 2
    return {
        **{f"shift_{d}": decades(data, d, best_lr(data, d, "none")) for d in DEPTHS},
        "linear": linear(data, "none") - batch,
    }


def facts(data: dict) -> dict[str, object]:
    """Numbers for sentences about S3; a rate of 0.1 is written ``0_1``."""
    found = {"seeds": len(data["seeds"])}
    lrs = {}
    for depth in DEPTHS:
        plain, own = (best_lr(data, depth, norm) for norm in NORMS)
        found |= {f"lr_{depth}": plain, f"own_lr_{depth}": own}
        lrs[depth] = sorted({*data["lrs"], plain})
        for norm in NORMS:
            chosen = typical(data, "mlp", depth, norm, plain, "cosine")
            found[f"cosine_{norm}_{depth}"] = np.median(chosen)
            found[f"length_{norm}_{depth}"] = np.median(step_length(data, depth, norm))
        for name, key in RATIOS.items():
            found[f"{key}_{depth}"] = 10 ** decades(data, depth, plain, name).mean()
            found[f"own_{key}_{depth}"] = 10 ** decades(data, depth, plain, name, own).mean()
        own_cosine = typical(data, "mlp", depth, "batch", own, "cosine")
        found[f"own_cosine_{depth}"] = np.median(own_cosine)
        for length in equal_steps.LENGTHS:
            end = fact_name(depth, length)
            found[f"equal_{end}"] = 10 ** equal_decades(data, depth, length).mean()
            found[f"start_{end}"] = 10 ** equal_decades(data, depth, length, (START,)).mean()
        for lr in lrs[depth]:
            for name, key in RATIOS.items():
                ratio = decades(data, depth, lr, name)
                if np.isfinite(ratio).any():
                    found[f"{key}_{fact_name(depth, lr)}"] = 10 ** np.nanmean(ratio)
    places = [(depth, lr) for depth in DEPTHS for lr in lrs[depth]]
    pairs = [[np.nanmean(decades(data, *place, name)) for place in places] for name in RATIOS]
    found["size_correlation"] = np.corrcoef(pairs)[0, 1]
    for norm in NOISY:
        place = "mlp", NOISY_DEPTH, norm, best_lr(data, NOISY_DEPTH, "none")
        found[f"cosine_{norm}"] = np.median(typical(data, *place, "cosine"))
    for lr, norm in itertools.product(data["linear_lrs"], NORMS):
        found[fact_name("linear", norm, f"{lr:.0e}")] = np.nanmedian(linear(data, norm, lr))
    found["linear_bare"] = np.nanmedian(linear(data, BARE))
    found["linear_bare_gap"] = np.nanmean(linear(data, "none") - linear(data, BARE))
    return found
