"""Convolutional nets on CIFAR-10 whose normalizers see groups of a batch, for R3 and R4.

As in ``microbatches`` the gradient is taken over the whole batch, and statistics over ``group``
neighbouring samples. One net is trained at a time: at this size nothing is gained side by side.
"""

from __future__ import annotations

import time

import numpy as np

from bnlab.chapters.batch_renorm.arrangements import ARRANGEMENTS, arranged
from bnlab.chapters.batch_renorm.methods import GROUP_SIZE
from bnlab.chapters.batch_renorm.microbatches import GroupRenorm
from bnlab.engines.eager import Trainer
from bnlab.engines.engine import history_of
from bnlab.errors import check_name
from bnlab.norms import BatchRenorm
from bnlab.train import Run, Step, threads
from bnlab.verdicts.race import arm_facts, at_rate, outcome

BASE = Run(
    data="cifar10",
    image_size=16,
    net="plain",
    net_options={"downsample": "max_pool"},
    depth=6,
    width=16,
    optimizer_options={"momentum": 0.9, "weight_decay": 5e-4},
    schedule="cosine",
)
"""What R3 and R4 share: a small VGG, whose rate warms up and falls along a cosine."""

MOMENTUM = 0.1  # of the running statistics, as in the convolutional nets of two_nets
PAPER = 130_000  # steps of the paper's best net (from memory)
LRS = (0.01, 0.03, 0.1)


def normalized(norm: str, steps: int) -> dict[str, object]:
    """Fields of a Run for a normalizer: the paper's schedule of limits, shortened to ``steps``."""
    if norm == "group":
        return {"norm": norm, "norm_options": {"group_size": GROUP_SIZE}}
    options: dict[str, object] = {"momentum": MOMENTUM}
    if norm == "batch_renorm":
        ends = {"warmup": 5000, "d_end": 25000, "r_end": 40000}
        short = {name: round(step * steps / PAPER) for name, step in ends.items()}
        options["schedule"] = {**short, "r_max": 3.0, "d_max": 5.0}
    return {"norm": norm, "norm_options": options}


class OneGroupTrainer(Trainer):
    """One net in training, whose normalizers see groups; see ``Trainer`` and ``GroupTrainer``.

    Args:
        run: what to train; ``batch`` and ``batch_renorm`` are normalized in groups.
        group: samples that share statistics; it divides the batch size.
        arrangement: see ``arrangements``.
        device: see ``train``.

    Raises:
        ValueError: for groups that do not divide the batch, or an unknown arrangement.
    """

    def __init__(self, run: Run, group: int, arrangement: str, device: str = "cpu") -> None:
        check_name("arrangement", arrangement, ARRANGEMENTS)
        if run.batch_size % group:
            raise ValueError(f"groups of {group} do not divide a batch of {run.batch_size}.")
        if run.norm == "batch" and group < run.batch_size:
            options = {**run.norm_options, "ghost_size": group}
            run = run.replace(norm="ghost_batch", norm_options=options)
        super().__init__(run, device)
        for name, module in list(self.net.named_modules()):
            if isinstance(module, BatchRenorm):
                parent, _, own = name.rpartition(".")
                setattr(self.net.get_submodule(parent), own, GroupRenorm.of(module, group))
        if arrangement != "iid":
            labels = self.data.train_y
            self.batches = arranged(arrangement, labels, run.seed, run.batch_size, group)

    def look(self, step: int, loss: float, accuracy: float) -> Step:
        """A record with an evaluation in evaluation mode, and no other."""
        _, val = self.evaluate(*self.part("val"))
        return Step(step, loss, accuracy, val, val)


@threads(1)
def train_grouped(run: Run, group: int, arrangement: str = "iid", device: str = "cpu") -> list:
    """What became of a training with groups, see ``OneGroupTrainer`` and ``outcome``."""
    start = time.perf_counter()
    trainer = OneGroupTrainer(run, group, arrangement, device)
    records = list(trainer.steps())
    test = np.nan if records[-1].diverged else trainer.test_accuracy()
    return outcome(history_of(trainer.run, records, test, time.perf_counter() - start, trainer))


def error_decades(data: dict, above: str, below: str) -> np.ndarray:
    """log10 of the test errors of one arm over those of another, at their best rates, (seeds,)."""
    errors = [1 - at_rate(data, arm, "test_accuracy") for arm in (above, below)]
    return np.log10(errors[0] / errors[1])


def group_facts(data: dict, pairs: dict[str, tuple[str, str]]) -> dict[str, object]:
    """Those of ``arm_facts``, and of pairs of arms how their errors differ.

    Args:
        data: of a race.
        pairs: by a name, the arm with more errors and the one with fewer.

    Returns:
        Also ``times_NAME``, how many times as many errors the first arm has, by the mean of the
        logarithms, and ``points_NAME``, the points of accuracy between them.
    """
    found = arm_facts(data)
    for name, (above, below) in pairs.items():
        found[f"times_{name}"] = 10 ** error_decades(data, above, below).mean()
        found[f"points_{name}"] = found[f"test_{below}"] - found[f"test_{above}"]
    return found
