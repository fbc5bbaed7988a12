"""Trainings whose normalizers see small groups of a batch, for R2 to R5 of Ioffe 2017.

The gradient is taken over the whole batch; the statistics are those of ``group`` neighbouring
samples, which the paper calls a microbatch. Many nets are trained side by side.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from bnlab.chapters.batch_renorm.arrangements import ARRANGEMENTS, arranged, whole_groups
from bnlab.engines.stack import StackTrainer
from bnlab.engines.wide import WideLinear
from bnlab.norms import BatchRenorm, recompute_statistics
from bnlab.norms.functional import moments, per_channel
from bnlab.norms.kept import kept_buffers, kept_modes
from bnlab.train import Run, Step, threads
from bnlab.verdicts.tuning import CHANCE, GUESS

STATISTICS = ("batch", "running", "recomputed")
LATEST = 50  # steps at the end whose batches give the accuracy in training
RECOMPUTED = 1152  # training images that recompute the statistics, in one batch


class GroupRenorm(BatchRenorm):
    """Batch Renormalization of each ``group`` neighbouring samples alone.

    As in ``GhostBatchNorm`` the running statistics move once a step, by the averages over the
    groups of what Batch Renormalization averages: the mean and the deviation.

    Shape:
        (N, C) or (N, C, H, W), in and out.
    """

    group: int

    @classmethod
    def of(cls, norm: BatchRenorm, group: int) -> GroupRenorm:
        """The same layer, of the same parameters and buffers, for groups of ``group`` samples."""
        own = cls(norm.num_features, norm.eps, norm.momentum, norm.affine, schedule=norm.schedule)
        own.group, own.r_max, own.d_max = group, norm.r_max, norm.d_max
        for name, value in (*norm.named_parameters(), *norm.named_buffers()):
            setattr(own, name, value)
        return own.train(norm.training)

    def _normalize(self, x: Tensor) -> Tensor:
        if not self.training:
            return super()._normalize(x)
        groups = x.reshape(-1, self.group, *x.shape[1:])
        centred, mean, var = moments(groups, pooled(groups))
        of_group = (var + self.eps).sqrt()
        sd = (self.running_var + self.eps).sqrt()
        now = [per_channel(one, x) for one in (self.running_mean, sd, self.weight, self.bias)]
        r, d = self._correction(mean.detach(), of_group.detach(), *now[:2])
        self._move(mean.mean((0, 1)).flatten(), of_group.mean((0, 1)).flatten(), sd)
        y = centred * (r / of_group) + d
        return torch.addcmul(now[3], y.reshape(x.shape), now[2])


def pooled(groups: Tensor) -> tuple[int, ...]:
    """The axes of (groups, samples, C) or (groups, samples, C, H, W) that share statistics."""
    return (1, *range(3, groups.ndim))


@dataclass(frozen=True)
class Setting:
    """What a Run does not say of a training with groups.

    Attributes:
        group: samples that share statistics; it divides the batch size.
        arrangement: ``iid``: each image drawn from all; or how alike the images of a group are,
            see ``arrangements``.
        scale: factor of all initial weights.
    """

    group: int = 32
    arrangement: str = "iid"
    scale: float = 1.0


class GroupTrainer(StackTrainer):
    """Nets in training side by side, whose normalizers see groups; see ``StackTrainer``.

    Args:
        runs: that share all but learning rate and seed; ``batch`` and ``batch_renorm`` are
            normalized in groups, ``batch`` as ``ghost_batch``.
        setting: of the groups.
        renorm: what takes the place of Batch Renormalization.

    Raises:
        ValueError: for groups that do not divide the batch, or an unknown arrangement.
    """

    def __init__(
        self, runs: Sequence[Run], setting: Setting, renorm: type[GroupRenorm] = GroupRenorm
    ) -> None:
        one = runs[0]
        if one.batch_size % setting.group:
            raise ValueError(
                f"groups of {setting.group} do not divide a batch of {one.batch_size}."
            )
        if setting.arrangement not in ARRANGEMENTS:
            raise ValueError(f"arrangement must be one of {', '.join(ARRANGEMENTS)}.")
        if one.norm == "batch":
            options = {**one.norm_options, "ghost_size": setting.group, "native": False}
            runs = [run.replace(norm="ghost_batch", norm_options=options) for run in runs]
        super().__init__(runs, "cpu")
        self.setting = setting
        for name, module in list(self.net.named_modules()):
            if isinstance(module, BatchRenorm):
                parent, _, own = name.rpartition(".")
                setattr(self.net.get_submodule(parent), own, renorm.of(module, setting.group))
            if isinstance(module, WideLinear):
                module.weight.data.mul_(setting.scale)  # in place: a view of the one vector
        if setting.arrangement != "iid":
            self.samplers = [
                arranged(setting.arrangement, d.train_y, r.seed, r.batch_size, setting.group)
                for d, r in zip(self.data, self.runs, strict=True)
            ]

    def look(self, step: int, losses: np.ndarray, accuracies: np.ndarray) -> list[Step]:
        """A record of each net, without an evaluation: that is for the end."""
        return [Step(step, *row) for row in zip(losses.tolist(), accuracies.tolist(), strict=True)]

    def accuracies(self, part: str) -> dict[str, np.ndarray]:
        """Accuracies of each net on a part of the data by the statistics that are used, (K,) each.

        ``batch``: of groups put together as in training (``mixed`` as ``iid``); ``running``: those
        of evaluation mode; ``recomputed``: evaluation mode with the statistics of
        ``RECOMPUTED`` training images, as one batch.
        """
        found = {"batch": self._in_groups(part), "running": self.evaluate(part)[1]}
        with kept_buffers(self.net), grouped(self.net, RECOMPUTED):
            x = self._images("train")[:RECOMPUTED].repeat(1, len(self.runs), 1, 1)
            recompute_statistics(self.net, [x])
            found["recomputed"] = self.evaluate(part)[1]
        return found

    @torch.no_grad()
    def _in_groups(self, part: str) -> np.ndarray:
        data, size = self.data[0], self.setting.group
        numbers = whole_groups(getattr(data, f"{part}_y"), size, self.setting.arrangement)
        x = self._images(part)[numbers].repeat(1, len(self.runs), 1, 1)
        y = torch.tensor(getattr(data, f"{part}_y")[numbers])
        with kept_modes(self.net), kept_buffers(self.net):
            self.net.train()
            return self._scores(self.net(x), y.expand(len(self.runs), -1))[1].double().numpy()


@contextmanager
def grouped(net: torch.nn.Module, size: int) -> Iterator[None]:
    """Let the normalizers of ``net`` pool over groups of another size."""
    places = [(m, n) for m in net.modules() for n in ("ghost_size", "group") if hasattr(m, n)]
    saved = [(module, name, getattr(module, name)) for module, name in places]
    try:
        for module, name in places:
            setattr(module, name, size)
        yield
    finally:
        for module, name, value in saved:
            setattr(module, name, value)


@threads(1)
def train_groups(
    runs: Sequence[Run], setting: Setting, renorm: type[GroupRenorm] = GroupRenorm
) -> list[dict[str, object]]:
    """Train Runs that share all but learning rate and seed; see ``GroupTrainer``.

    Returns:
        For each Run ``loss`` (mean over the steps, a step counts at most as a guess), ``train``
        (accuracy of the last ``LATEST`` batches), ``val_batch`` and so on (see
        ``GroupTrainer.accuracies``) and ``diverged_at``.
    """
    trainer = GroupTrainer(runs, setting, renorm)
    losses, right, ends = [], [], [None] * len(runs)
    for records in trainer.steps():
        losses.append([r.loss if r and not r.diverged else math.nan for r in records])
        right.append([r.accuracy if r else math.nan for r in records])
        for k, record in enumerate(records):
            if record and record.diverged and ends[k] is None:
                ends[k] = record.step
    counted = np.full((runs[0].steps, len(runs)), GUESS)
    seen = np.array(losses)[1 : runs[0].steps + 1]
    counted[: len(seen)] = np.where(seen < GUESS, seen, GUESS)
    train = np.array(right)[1 : runs[0].steps + 1][-LATEST:].mean(0)
    found = {"loss": counted.mean(0), "train": train}
    for part in ("val", "test"):
        found |= {f"{part}_{how}": score for how, score in trainer.accuracies(part).items()}
    return [_row(found, k, ends[k]) for k in range(len(runs))]


def _row(found: dict[str, np.ndarray], k: int, diverged_at: int | None) -> dict[str, object]:
    row = {
        name: CHANCE if diverged_at is not None and name != "loss" else round(float(score[k]), 4)
        for name, score in found.items()
    }
    return {**row, "diverged_at": diverged_at}
