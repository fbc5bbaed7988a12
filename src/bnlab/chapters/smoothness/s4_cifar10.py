"""S4 of Santurkar 2018 on CIFAR-10: the loss along its gradient, from early in a training to late.

Settings and margins were fixed before the seeds of ``SEEDS`` were run; they were chosen knowing one
trial with seed 2100, 704 steps at rate 0.1. The rate that decides is 0.1, the paper's own, with and
without BatchNorm, so that neither net was tuned; beside it stands a rate three times
smaller. As on digits, *early* is the first sixth of the training and *late* its last third.

The nets compute in float32. In the trial 25 looks were taken in float64 too: no loss, range
or change differed by more than a thousandth, no beta by more than three thousandths, and mostly by
less than a hundred thousandth. On digits float64 was needed, as there the loss ends at nearly zero.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from bnlab.chapters.covariate_shift import small_vgg
from bnlab.chapters.smoothness.s4_along_gradient import along
from bnlab.data import batches
from bnlab.measure import Landscape
from bnlab.train import Run, Trainer, threads
from bnlab.verdicts.table import Table, fact_name
from bnlab.verdicts.work import HERE, Work

SEEDS = tuple(range(1308, 1316))
NORMS = ("none", "batch")
BASE = small_vgg.BASE.replace(lr=0.1, steps=1056, eval_every=1056)  # one and a half epochs
LRS = (0.1, 0.03)  # the first decides
EARLY_EVERY, LATER_EVERY = 20, 50  # updates between two looks
NUMBERS = ("loss", "range", "change", "beta", "size")
COLUMNS = ("norm", "lr", "seed", *NUMBERS)
MOST = 1e300  # stands for what is not finite, which JSON cannot say and no median minds


def measure(
    seeds: Sequence[int] = SEEDS,
    work: Work = HERE,
    tuning: dict | None = None,
    device: str = "cpu",
    image_size: int | None = None,
) -> dict:
    """Train with and without BatchNorm, and look ahead along the gradient.

    Args:
        seeds: whose runs are the evidence.
        work: does the trainings, a net each.
        tuning: is not needed, as no rate is searched for.
        device: see ``train``.
        image_size: in place of that of ``BASE``.

    Returns:
        ``base``, ``looks`` (updates before each), ``columns`` and ``rows``, one a net, rate and
        seed, with the ``NUMBERS`` of each look; fewer of them if the net diverged.
    """
    base = BASE if image_size is None else BASE.replace(image_size=image_size)
    plan = list(itertools.product(NORMS, LRS, seeds))
    runs = [base.replace(norm=norm, lr=lr, seed=seed) for norm, lr, seed in plan]
    found = work.starmap(look, [(run, device) for run in runs])
    return {
        "base": base.to_dict(),
        "lrs": list(LRS),
        "looks": looks(base.steps),
        "seeds": list(seeds),
        "columns": list(COLUMNS),
        "rows": [[*case, *numbers] for case, numbers in zip(plan, found, strict=True)],
    }


def repeat(data: dict, seeds: Sequence[int]) -> dict:
    """The same trainings for some seeds."""
    return measure(seeds, image_size=data["base"]["image_size"])


def early(steps: int) -> int:
    """The last update that is early: a sixth of the training has passed."""
    return steps // 6


def looks(steps: int) -> list[int]:
    """How many updates come before each look: they are denser early."""
    first = range(10, early(steps), EARLY_EVERY)
    return [*first, *range(first[-1] + LATER_EVERY, steps, LATER_EVERY)]


@threads(1)
def look(run: Run, device: str) -> list[list[float]]:
    """Train the net of a Run; look along the gradient, each time on the batch that comes next.

    Returns:
        ``NUMBERS``: loss, its range, largest change of the gradient, effective beta and the length
        of the gradient, (5, looks). A net that diverges has fewer looks: none after its weights or
        its loss were not finite.
    """
    trainer, at, found = Trainer(run, device), looks(run.steps), []
    plan = list(batches(trainer.data.train_y, run.sampler, run.seed, run.batch_size, run.steps))
    for record in trainer.steps(looks=False):
        if record.diverged:
            break
        if record.step in at:
            try:
                found.append(_numbers(along(trainer, plan[record.step])))
            except ValueError:  # its weights, its loss or its gradient are not finite
                break
    return np.array(found).reshape(-1, len(NUMBERS)).T.tolist()


def _numbers(found: Landscape) -> list[float]:
    numbers = (
        found.loss,
        found.loss_range,
        found.gradient_change_max,
        found.effective_beta,
        found.gradient_norm,
    )
    return [float(f"{min(number, MOST):.4g}") for number in numbers]


def curves(data: dict, norm: str, name: str, lr: float | None = None) -> np.ndarray:
    """One number at each look, (seeds, looks); a net that diverged keeps that of its last look."""
    table, count = Table.of(data).where(norm=norm, lr=lr or data["lrs"][0]), len(data["looks"])
    by_seed = table.entries(name, seed=data["seeds"])
    return np.array([(found + (found[-1:] or [np.nan]) * count)[:count] for found in by_seed])


def typical(
    data: dict, norm: str, name: str, when: str = "early", lr: float | None = None
) -> np.ndarray:
    """Median of a number over the ``early`` looks or the ``late`` ones, (seeds,)."""
    at, steps = np.array(data["looks"]), data["base"]["steps"]
    chosen = at <= early(steps) if when == "early" else at > steps * 2 / 3
    return np.median(curves(data, norm, name, lr)[:, chosen], axis=1)


def decades(data: dict, name: str, when: str = "early", lr: float | None = None) -> np.ndarray:
    """log10 of a number without a normalizer over that with BatchNorm, (seeds,)."""
    none, batch = (typical(data, norm, name, when, lr) for norm in NORMS)
    return np.log10(none / batch)


def values(data: dict) -> dict[str, np.ndarray]:
    """The effects of S4 on CIFAR-10, one number a seed."""
    found = {name: decades(data, name) for name in ("range", "change", "beta")}
    return {**found, "early": found["range"] - decades(data, "range", "late")}


def facts(data: dict) -> dict[str, object]:
    """Numbers for sentences about S4 on CIFAR-10; rate 0.1 is written ``0_1``.

    A ratio is without a normalizer over with BatchNorm. ``whole`` is the median over all looks,
    ``turned`` the number of seeds whose late ratio is below 1.
    """
    base = Run.from_dict(data["base"])
    found: dict[str, object] = {
        "seeds": len(data["seeds"]),
        "steps": base.steps,
        "early_steps": early(base.steps),
        "image_size": base.image_size,
        "lr": data["lrs"][0],
    }
    table, count = Table.of(data), len(data["looks"])
    for lr in data["lrs"]:
        end = fact_name(lr)
        for name, when in itertools.product(NUMBERS, ("early", "late")):
            found[f"{name}_{when}_{end}"] = 10 ** decades(data, name, when, lr).mean()
            for norm in NORMS:
                chosen = typical(data, norm, name, when, lr)
                found[f"{name}_{norm}_{when}_{end}"] = np.median(chosen)
        for name in NUMBERS:
            found[f"{name}_turned_{end}"] = int((decades(data, name, "late", lr) < 0).sum())
            whole = [np.median(curves(data, norm, name, lr), axis=1) for norm in NORMS]
            found[f"{name}_whole_{end}"] = 10 ** np.log10(whole[0] / whole[1]).mean()
        for norm in NORMS:
            by_seed = table.where(norm=norm, lr=lr).entries("loss", seed=data["seeds"])
            found[f"diverged_{norm}_{end}"] = sum(len(losses) < count for losses in by_seed)
    return found
