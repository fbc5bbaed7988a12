"""The trainings of M1, M4 and M5: which nets, with what in place of a normalizer, at which rate.

A training with a constant rate is the beginning of a longer one, so one training tells the accuracy
after several numbers of steps, the *marks*.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from bnlab.train import Run, make_trainer, threads
from bnlab.verdicts.table import Table
from bnlab.verdicts.tuning import best_rate, check_same_run, scores
from bnlab.verdicts.work import Work

ENGINE = "torch"  # faster than the compiled one for these nets
BASE = Run(net="resnet", depth=8, width=16, batch_size=32)
NETS = {
    "residual": {},
    "plain": {"net": "plain", "depth": 12},
    "deep": {"net": "plain", "depth": 30},
}
MIMIC = {"method": "mimic_cifar"}
METHODS = {
    "batch": {"norm": "batch"},
    "none": {},
    "mimic": MIMIC,
    "weight_mean": {**MIMIC, "method_options": {"part": "weight_mean"}},
    "last_norm": {**MIMIC, "method_options": {"part": "last_norm"}},
    "neither": {**MIMIC, "method_options": {"part": "neither"}},
    "fixup": {
        "net_options": {"branch": "fixup"},
        "optimizer_options": {"scalar_lr": 0.1},
    },
}
"""``none`` is the net with its normalizers left out; ``neither`` has MimicNorm's scalars at the
ends of its branches too, but none of its two operations. Fixup's scalars take a tenth of the rate,
as in its official code."""

START = {"variance": 2.8}
"""What MimicNorm's official code starts plain nets with, times 1 / fan_in; residual ones: 2."""

COLUMNS = ("net", "method", "lr", "seed", "steps", "val_accuracy", "test_accuracy", "diverged_at")
Case = tuple[str, str, float, int]
"""Net, method, learning rate, seed."""


def run_of(base: Run, net: str, method: str, lr: float, seed: int) -> Run:
    """The Run of a case; ``base`` has what all share."""
    of = base.replace(**NETS[net], lr=lr, seed=seed).replace(**METHODS[method])
    if of.net == "plain" and method not in ("batch", "none"):
        of = of.replace(method_options={**of.method_options, **START})
    return of


def trained(work: Work, base: Run, cases: Iterable[Case], marks: Sequence[int]) -> list[list]:
    """Rows with ``COLUMNS``: for each case one for each mark, in rising order.

    ``diverged_at`` is None at the marks that a net reached; it has accuracies there alone.
    """
    found = work.starmap(_train, [(base, *case, tuple(marks)) for case in cases])
    return [row for rows in found for row in rows]


@threads(1)
def _train(
    base: Run, net: str, method: str, lr: float, seed: int, marks: Sequence[int]
) -> list[list]:
    often = math.gcd(*marks)
    run = run_of(base, net, method, lr, seed).replace(steps=marks[-1], eval_every=often)
    trainer, reached, end = make_trainer(run, ENGINE, "cpu"), {}, None
    for record in trainer.steps():
        if record.diverged:
            end = record.step
            reached.pop(end, None)  # the step after it showed that it had diverged
        elif record.step in marks:
            reached[record.step] = [record.val_accuracy, trainer.test_accuracy()]
    start = [net, method, lr, seed]
    return [
        [*start, mark, *(round(score, 4) for score in reached[mark]), None]
        if mark in reached
        else [*start, mark, None, None, end]
        for mark in marks
    ]


def completed(
    work: Work,
    base: Run,
    cases: Iterable[Case],
    marks: Sequence[int],
    earlier: Mapping | None = None,
) -> list[list]:
    """The same rows; those that an earlier measurement has are taken over."""
    cases = list(cases)
    if earlier is None:
        return trained(work, base, cases, marks)
    check_same_run(earlier, base)
    there: dict[Case, list[list]] = {}
    for row in earlier["rows"]:
        there.setdefault(tuple(row[:4]), []).append(row)
    kept = [row for case in cases for row in there.get(case, [])]
    return kept + trained(work, base, [case for case in cases if case not in there], marks)


def accuracies(
    table: Table, rates: Sequence[float], seeds: Sequence[int], part: str = "test"
) -> np.ndarray:
    """Accuracy of one net and method at one mark, (rates, seeds); a net that diverged: chance."""
    return scores(table, f"{part}_accuracy", lr=rates, seed=seeds)


def tuned_rate(table: Table, rates: Sequence[float], tuning_seeds: Sequence[int]) -> float:
    """The best rate of one net and method at one mark, by validation on the tuning seeds."""
    return best_rate(rates, accuracies(table, rates, tuning_seeds, "val"))
