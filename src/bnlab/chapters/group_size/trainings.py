"""The trainings behind L3, L5 and L6 of Lubana 2021, and what is read from their rows.

Every normalizer is tried at the same rates; its best one is that of the highest mean validation
accuracy over the tuning seeds. Settings were fixed before any counted seed was run; they were
chosen knowing trial runs with the tuning seeds, of 200 steps.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence

import numpy as np

from bnlab.chapters.covariate_shift.moving_inputs import CHANCE, mean_loss
from bnlab.chapters.group_size.l2_l4_at_start import setting
from bnlab.train import History, Run
from bnlab.verdicts.parallel import TrainAll
from bnlab.verdicts.ties import first_best, largest_usable

STEPS = 150
BASE = Run(net="plain", depth=10, width=16, batch_size=32, steps=STEPS, eval_every=STEPS)
LRS = (0.03, 0.1, 0.3, 1.0, 3.0)
TUNING_SEEDS = (0, 1)  # these choose learning rates, on validation images, and nothing else
NETS: dict[str, dict[str, object]] = {
    "plain10": {},
    "plain20": {"depth": 20},
    "mlp6": {"net": "mlp", "depth": 6, "width": 64},
    "mlp12": {"net": "mlp", "depth": 12, "width": 64},
    "resnet": {"net": "resnet", "depth": 5},
    "skipinit": {"net": "resnet", "depth": 5, "net_options": {"branch": "skipinit"}},
}
USABLE = 0.05  # a rate is usable if its accuracy is this close to the best of the same seed
ENGINE = "torch"
COLUMNS = (
    *("part", "net", "norm", "lr", "seed"),
    *("loss", "val_accuracy", "test_accuracy", "diverged_at", "cosine", "sharpness"),
)

Progress = Callable[[Iterable], Iterable]
Setting = tuple[str, str, float, int]  # net, normalizer, rate, seed


def make_run(net: str, norm: str, lr: float, seed: int, base: Run | None = None) -> Run:
    """The Run of a net of ``NETS`` with a normalizer called as in ``group_nets.setting``.

    All else is that of ``base``, by default ``BASE``.
    """
    return (base or BASE).replace(**NETS[net], **setting(norm), lr=lr, seed=seed)


def train_rows(
    plan: Sequence[Setting],
    train_all: TrainAll,
    progress: Progress,
    base: Run | None = None,
) -> list[list]:
    """A row for each training, in the order of the plan."""
    histories = train_all([make_run(*each, base) for each in plan], ENGINE, "cpu")
    pairs = zip(progress(plan), histories, strict=True)
    return [["race", *each, *_scores(history), None, None] for each, history in pairs]


def _scores(history: History) -> list:
    diverged = history.diverged_at is not None
    return [
        mean_loss(history.loss[: history.diverged_at], history.run.steps),
        CHANCE if diverged else round(float(history.val_accuracy[-1]), 4),
        CHANCE if diverged else round(history.test_accuracy, 4),
        history.diverged_at,
    ]


def tuning_rows(
    tuning: dict | None,
    settings: Iterable[tuple[str, str]],
    train_all: TrainAll,
    progress: Progress,
    seeds: Sequence[int],
    lrs: Sequence[float] = LRS,
    base: Run | None = None,
) -> list[list]:
    """The trainings that choose the rates: of an earlier measurement, or made here.

    Raises:
        ValueError: if one of the seeds to be counted is a tuning seed, or if the earlier
            measurement was made with another Run.
    """
    both = set(seeds) & set(TUNING_SEEDS)
    if both:
        raise ValueError(f"seeds {sorted(both)} chose the learning rates; count other seeds.")
    settings = list(settings)
    if tuning is None:
        plan = [
            (*each, *rest) for each in settings for rest in itertools.product(lrs, TUNING_SEEDS)
        ]
        return train_rows(plan, train_all, progress, base)
    if Run.from_dict(tuning["base"]) != (base or BASE):
        raise ValueError(
            "the earlier measurement was made with another Run; leave 'tuning' out, so that the "
            "learning rates are chosen anew."
        )
    wanted = {(*each, seed) for each in settings for seed in TUNING_SEEDS}
    return [
        row for row in tuning["rows"] if row[0] == "race" and (row[1], row[2], row[4]) in wanted
    ]


def table(
    nets: Sequence[str],
    norms: Sequence[str],
    seeds: Sequence[int],
    rows: list,
    lrs: Sequence[float] = LRS,
    base: Run | None = None,
) -> dict:
    """What a measurement returns."""
    return {
        "engine": ENGINE,
        "base": (base or BASE).to_dict(),
        "nets": list(nets),
        "norms": list(norms),
        "lrs": list(lrs),
        "seeds": list(seeds),
        "tuning_seeds": list(TUNING_SEEDS),
        "columns": list(COLUMNS),
        "rows": rows,
    }


def column(
    data: dict, net: str, norm: str, lr: float | None, name: str, seeds: Sequence[int] | None = None
) -> np.ndarray:
    """One column, seed by seed; ``lr`` None for the start."""
    at, part = data["columns"].index(name), "start" if lr is None else "race"
    found = {row[4]: row[at] for row in data["rows"] if row[:4] == [part, net, norm, lr]}
    return np.array([found[seed] for seed in (data["seeds"] if seeds is None else seeds)])


def best_lr(data: dict, net: str, norm: str) -> float:
    """The rate with the highest mean validation accuracy over the tuning seeds."""
    seeds = data["tuning_seeds"]
    scores = [column(data, net, norm, lr, "val_accuracy", seeds).mean() for lr in data["lrs"]]
    return data["lrs"][first_best(scores)]


def usable_rate(data: dict, net: str, norm: str) -> np.ndarray:
    """For each seed the largest rate within ``USABLE`` of the net's best accuracy, (seeds,).

    The accuracies are those of validation.
    """
    scores = np.array([column(data, net, norm, lr, "val_accuracy") for lr in data["lrs"]])
    return largest_usable(data["lrs"], scores, USABLE)


def losses(data: dict, net: str, norm: str) -> np.ndarray:
    """Mean training loss over the run at the net's best rate, (seeds,)."""
    return column(data, net, norm, best_lr(data, net, norm), "loss")
