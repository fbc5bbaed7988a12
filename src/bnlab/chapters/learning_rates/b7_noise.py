"""B7 of Bjorck 2018: the noise of a step, and how flat the loss is where trainings end.

Three trainings of a residual net, with BatchNorm and without a normalizer: ``small`` has the usual
batch and a small rate; ``large`` the same batch and a larger rate; ``ratio`` that larger rate and a
batch that is larger by the same factor, so that its ratio of rate and batch size is that of
``small``. The sharpness of a cross-entropy falls as the loss falls. So noise and sharpness are
taken when the net first reaches a given training loss, the same for all.
"""

from __future__ import annotations

import copy
import itertools
from collections.abc import Sequence

import numpy as np

from bnlab.chapters.learning_rates.b7_curvature import sharpness, squared_noise
from bnlab.train import Run, Trainer, threads
from bnlab.verdicts.table import Table
from bnlab.verdicts.tuning import CHANCE
from bnlab.verdicts.work import HERE, Work

SEEDS = tuple(range(940, 948))
NORMS = ("none", "batch")
SMALL_LRS = {"none": 0.01, "batch": 0.03}
TIMES = 8  # rates and batches that are compared lie this factor apart
TRAININGS = {"small": (1, 1), "ratio": (TIMES, TIMES), "large": (TIMES, 1)}  # of rate, of batch
BASE = Run(net="resnet", depth=4, width=16, lr=0.01, batch_size=16, steps=1000)
IMAGES = 256  # that loss and curvature are taken on
TARGET, LOOK = 0.1, 10  # training loss that ends a training, looked at every so many steps
EQUAL = {"images": 0, "steps": TIMES - 1}  # at which look a training has had as many; last: the end
SIZES, BATCHES = (8, 16, 32, 64, 128), 48  # for the noise
COLUMNS = (
    "norm",
    "training",
    "seed",
    "step",
    "loss",
    "sharpness",
    "own_units",
    "noise",
    "accuracy",
    "steps",
    "accuracies",
)


def measure(seeds: Sequence[int] = SEEDS, work: Work = HERE, base: Run = BASE) -> dict:
    """Train each net in the three ways; look at it when it reaches the loss, and at the end.

    Returns:
        ``base``, ``columns`` and ``rows``, one a training: step and loss where noise and sharpness
        were taken, the test accuracy there; and test accuracies over the steps, up to the end.
    """
    plan = itertools.product(NORMS, TRAININGS, seeds)
    return {
        "base": base.to_dict(),
        "seeds": list(seeds),
        "columns": list(COLUMNS),
        "rows": work.starmap(_row, [(base, *place) for place in plan]),
    }


def repeat(data: dict, seeds: Sequence[int]) -> dict:
    """The same trainings for some seeds."""
    return measure(seeds, base=Run.from_dict(data["base"]))


def run_of(base: Run, norm: str, training: str, seed: int) -> Run:
    """The Run of one of the trainings; all have the same number of steps."""
    rate, batch = TRAININGS[training]
    lr, size = rate * SMALL_LRS[norm], batch * base.batch_size
    return base.replace(norm=norm, lr=lr, batch_size=size, seed=seed)


@threads(1)
def _row(base: Run, norm: str, training: str, seed: int) -> list:
    """One training, ``COLUMNS``; null for what a net that diverged did not come to."""
    run = run_of(base, norm, training, seed)
    trainer, found, accuracies = Trainer(run, "cpu"), [None] * 6, []
    looks = [base.steps * k // TIMES for k in range(1, TIMES + 1)]
    for record in trainer.steps(looks=False):
        if record.diverged:
            break
        if found[0] is None and record.step and record.step % LOOK == 0:
            loss = _loss(trainer)
            if loss <= TARGET or record.step == run.steps:
                found = [record.step, loss, *_at(trainer)]
        if record.step in looks:
            accuracies.append(_accuracy(trainer))
    accuracies += [CHANCE] * (len(looks) - len(accuracies))
    return [norm, training, seed, *found, looks, accuracies]


def _loss(trainer: Trainer) -> float:
    x, y = (part[:IMAGES] for part in trainer.part("train"))
    return _short(trainer.evaluate(x, y, batch_statistics=True)[0])


def _accuracy(trainer: Trainer) -> float:
    return round(trainer.test_accuracy(), 4)


def _at(trainer: Trainer) -> list:
    """Sharpness, the same in own units, squared noise by batch size, test accuracy."""
    net, (x, y) = copy.deepcopy(trainer.net), trainer.part("train")
    top = sharpness(net.train(), x[:IMAGES], y[:IMAGES])
    noise = squared_noise(net, x, y, SIZES, BATCHES, trainer.run.seed)
    return [*map(_short, top), [_short(one) for one in noise], _accuracy(trainer)]


def _short(number: float) -> float:
    return float(f"{number:.4g}")


def end(data: dict, norm: str, training: str, name: str) -> np.ndarray:
    """A column of one of the trainings, a number or a row for each seed; NaN if it diverged."""
    found = Table.of(data).where(norm=norm, training=training).entries(name, seed=data["seeds"])
    if name == "noise":
        found = [one or [np.nan] * len(SIZES) for one in found]
    return np.array(found, dtype=np.float64)


def flatter(data: dict, norm: str, sharp: str, flat: str, name: str = "sharpness") -> np.ndarray:
    """By how many decades one training ends in a flatter place than another, (seeds,).

    If one of the two diverged, there is no such place, and it counts as none flatter: 0.
    """
    return np.nan_to_num(np.log10(end(data, norm, sharp, name) / end(data, norm, flat, name)))


def batch_slope(data: dict, norm: str) -> np.ndarray:
    """Slope of log squared noise over log batch size, mean over the trainings, (seeds,)."""
    noise = np.nanmean([np.log(end(data, norm, name, "noise")) for name in TRAININGS], axis=0)
    return np.polyfit(np.log(SIZES), noise.T, 1)[0]


def rate_slope(data: dict, norm: str) -> np.ndarray:
    """Slope of log squared noise of a step over log rate, each rate at its own weights, (seeds,).

    A step is the rate times the gradient of a batch. With a gradient that is as noisy at the
    larger rate, the slope is 2.
    """
    size = SIZES.index(data["base"]["batch_size"])
    small, large = (end(data, norm, name, "noise")[:, size] for name in ("small", "large"))
    return 2 + np.nan_to_num(np.log(large / small) / np.log(TIMES))


def lead(data: dict, norm: str, equal: str) -> np.ndarray:
    """Test accuracy with large rate and batch, minus that with small ones, (seeds,).

    Args:
        data: the evidence.
        norm: of the net.
        equal: what both trainings have as much of, ``images`` or ``steps``.
    """
    at = EQUAL[equal]
    small, ratio = (end(data, norm, name, "accuracies") for name in ("small", "ratio"))
    return ratio[:, at] - small[:, -1]


def values(data: dict) -> dict[str, np.ndarray]:
    """The effects of B7, one number a seed."""
    return {
        "flat_batch": flatter(data, "batch", "small", "large"),
        "flat_none": flatter(data, "none", "small", "large"),
        "own_units": flatter(data, "batch", "small", "large", "own_units"),
        "noise": flatter(data, "batch", "ratio", "large"),
        "batch_none": batch_slope(data, "none"),
        "batch_batch": batch_slope(data, "batch"),
        "rate": rate_slope(data, "batch"),
        **{f"{equal}_{norm}": lead(data, norm, equal) for equal in EQUAL for norm in NORMS},
    }


def facts(data: dict) -> dict[str, object]:
    """Numbers for sentences about B7."""
    effect = values(data)
    found: dict[str, object] = {"seeds": len(data["seeds"]), "times": TIMES, "target": TARGET}
    for norm, training in itertools.product(NORMS, TRAININGS):
        name, lr = f"{norm}_{training}", TRAININGS[training][0] * SMALL_LRS[norm]
        top, loss, step, accuracy = (
            end(data, norm, training, column)
            for column in ("sharpness", "loss", "step", "accuracy")
        )
        found |= {
            f"{name}_lr": lr,
            f"{name}_sharpness": 10 ** np.nanmean(np.log10(top)),
            f"{name}_bound": 2 / lr,
            f"{name}_edge": float(np.nanmedian(top * lr / 2)),
            f"{name}_above": int((top > 2 / lr).sum()),
            f"{name}_loss": np.nanmean(loss),
            f"{name}_missed": int((~(loss <= TARGET)).sum()),
            f"{name}_step": float(np.nanmedian(step)),
            f"{name}_accuracy": 100 * np.nanmean(accuracy),
            f"{name}_end": 100 * end(data, norm, training, "accuracies")[:, -1].mean(),
        }
    for norm in NORMS:
        found |= {
            f"{norm}_flatter": 10 ** effect[f"flat_{norm}"].mean(),
            f"{norm}_slope": effect[f"batch_{norm}"].mean(),
            f"{norm}_rate_slope": rate_slope(data, norm).mean(),
            f"{norm}_own_units": 10 ** flatter(data, norm, "small", "large", "own_units").mean(),
            f"{norm}_by_batch": 10 ** flatter(data, norm, "ratio", "large").mean(),
            f"{norm}_by_rate": 10 ** flatter(data, norm, "small", "ratio").mean(),
            **{
                f"{norm}_{equal}_behind": -100 * effect[f"{equal}_{norm}"].mean() for equal in EQUAL
            },
        }
    return found
