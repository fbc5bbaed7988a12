"""Many nets trained in one vectorised PyTorch step."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator, Sequence
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from bnlab.engines.engine import depends_on_batch
from bnlab.engines.wide import is_wideable, take_out, widen
from bnlab.methods import projected_layers
from bnlab.norms.kept import kept_buffers, kept_modes
from bnlab.runs.augment import augmented
from bnlab.runs.build import build, make_device, training_batches, training_data
from bnlab.runs.evaluate import SLICE
from bnlab.runs.history import DIVERGED, Step
from bnlab.runs.losses import LOSSES
from bnlab.runs.optimizers import BASES, by_parts, make_optimizer
from bnlab.runs.own_context import in_own_context
from bnlab.runs.rates import set_rate
from bnlab.runs.run import Run

OWN = ("lr", "seed", "gamma", "label_noise")
"""Fields in which the Runs of one stack may differ."""


def common(run: Run) -> Run:
    """What the Runs of one stack share: equal for Runs that can be trained together."""
    return run.replace(lr=1.0, seed=0, gamma=1.0, label_noise=0.0)


def is_stackable(run: Run) -> bool:
    """Whether ``StackTrainer`` can train it: every part works channel by channel."""
    is_whole = by_parts(run.optimizer_options) == ("all", "all")
    is_plain = run.optimizer in BASES and run.clip is None and is_whole
    is_projected = projected_layers(run.method, run.method_options) is not None
    return is_plain and not is_projected and is_wideable(build(run))


def _as_one_vector(parameters: list[nn.Parameter]) -> nn.ParameterList:
    """Make all parameters views of one vector: an optimizer's step is then a few operations."""
    vector = torch.cat([p.detach().flatten() for p in parameters])
    for p, part in zip(parameters, vector.split([p.numel() for p in parameters]), strict=True):
        p.data = part.view_as(p)
    return nn.ParameterList([vector])


class StackTrainer:
    """K nets in training, side by side in one net.

    The same start and batches as ``Trainer``, and the same numbers up to rounding: sums are taken
    in another order. What ``Engine`` has for one net is here for K of them; ``net`` is the net of
    all channels, ``nets`` gives each one by itself.

    Args:
        runs: Runs with one ``common(run)``, each one ``is_stackable``.
        device: see ``train``.
    """

    engine: ClassVar[str] = "stack"

    @in_own_context
    def __init__(self, runs: Sequence[Run], device: str = "auto") -> None:
        self.runs, self.device = runs, make_device(device)
        one = runs[0]
        if any(common(run) != common(one) for run in runs):
            raise ValueError(f"the Runs of a stack may differ in {', '.join(OWN)} alone.")
        self.versions = {"stack": str(len(runs))}
        self.dtype = getattr(torch, one.precision)
        self.data = [training_data(run) for run in runs]
        self.samplers = [
            training_batches(run, data.train_y) for data, run in zip(self.data, runs, strict=True)
        ]
        self.net = widen([build(run) for run in runs]).to(self.device)
        self.parameters = list(self.net.parameters())
        self.vector = _as_one_vector(self.parameters)
        # The optimizers' steps are proportional to lr: one rate a net comes afterwards.
        lrs = sorted({run.lr for run in runs})
        self.rates = None if len(lrs) == 1 else self._rates()
        rate = lrs[0] if len(lrs) == 1 else 1.0
        options = one.optimizer_options
        self.optimizer = make_optimizer(one.optimizer, self.vector, rate, **options)
        self.train_x = self._images("train")
        self.train_y = torch.tensor(np.stack([d.train_y for d in self.data]), device=self.device)
        self.rows = torch.arange(len(runs), device=self.device)[:, None]
        self.batch_dependent = depends_on_batch(self.net)
        self.loss = LOSSES[one.loss]

    def _images(self, part: str) -> Tensor:
        x = getattr(self.data[0], f"{part}_x")
        return torch.tensor(x, dtype=self.dtype, device=self.device)

    def _rates(self) -> Tensor:
        # One rate for every element: parameters are (K, ...) or (K * something, ...).
        lrs = torch.tensor([run.lr for run in self.runs], dtype=self.dtype, device=self.device)
        return torch.cat([lrs.repeat_interleave(p.numel() // len(lrs)) for p in self.parameters])

    @property
    def nets(self) -> list[nn.Module]:
        """Each net with the weights and the statistics of now; copies, as ``build`` makes them."""
        fresh = (build(run).to(self.device) for run in self.runs)
        return [take_out(self.net, k, len(self.runs), net) for k, net in enumerate(fresh)]

    # ------------------------------------------------------------------------ steps

    def batch(self, numbers: np.ndarray, step: int) -> tuple[Tensor, Tensor]:
        """Images (B, K*C, H, W), each net's own batch, augmented, and labels (K, B).

        Args:
            numbers: which images, (K, B).
            step: for which step, from 1.
        """
        index = torch.from_numpy(numbers).to(self.device)
        x = self.train_x[index.T]
        if self.runs[0].augment != "none":
            for k, run in enumerate(self.runs):
                x[:, k] = augmented(x[:, k], run.augment, run.seed, step)
        return x.flatten(1, 2), self.train_y[self.rows, index]

    @in_own_context
    def update(self, numbers: np.ndarray, step: int) -> np.ndarray:
        """One step of every net; losses and accuracies before it, (2, K)."""
        x, y = self.batch(numbers, step)
        self.net.zero_grad()
        losses, accuracies = self._scores(self.net(x), y)
        losses.sum().backward()  # a net's gradient knows nothing of the other losses
        set_rate(self.optimizer, self.runs[0], step)
        self._step()
        return torch.stack([losses.detach(), accuracies]).cpu().double().numpy()

    @torch.no_grad()
    def _step(self) -> None:
        vector = self.vector[0]
        vector.grad = torch.cat([p.grad.flatten() for p in self.parameters])
        if self.rates is None:
            self.optimizer.step()
            return
        before = vector.detach().clone()
        self.optimizer.step()
        torch.lerp(before, vector, self.rates, out=vector)

    def _scores(self, logits: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        # Loss and accuracy of each net; y (K, B).
        by_sample = logits.reshape(y.numel(), -1)  # sample after sample, in each net after net
        losses = self.loss(by_sample, y.T.flatten(), reduction="none").view(-1, len(y)).mean(0)
        right = (by_sample.detach().argmax(1) == y.T.flatten()).view(-1, len(y))
        return losses, right.to(self.dtype).mean(0)

    @in_own_context
    @torch.no_grad()
    def evaluate(self, part: str, batch_statistics: bool = False) -> np.ndarray:
        """Losses and accuracies on a part of the data, (2, K); the nets stay as they were."""
        x, count = self._images(part), len(self.runs)
        y = torch.tensor(getattr(self.data[0], f"{part}_y"), device=self.device)
        with kept_modes(self.net), kept_buffers(self.net):
            self.net.train(batch_statistics)
            # Batch statistics belong to one whole batch.
            parts = [x] if batch_statistics else x.split(max(1, SLICE // count))
            logits = torch.cat([self.net(one.repeat(1, count, 1, 1)) for one in parts])
        scores = self._scores(logits, y.expand(count, -1))
        return torch.stack(scores).cpu().double().numpy()

    @in_own_context
    def losses_now(self, numbers: np.ndarray, step: int) -> np.ndarray:
        """Losses of batches with the weights as they are, in training mode; nothing moves. (K,)."""
        x, y = self.batch(numbers, step)
        with torch.no_grad(), kept_modes(self.net), kept_buffers(self.net):
            self.net.train()
            losses, _ = self._scores(self.net(x), y)
        return losses.cpu().double().numpy()

    def look(self, step: int, losses: np.ndarray, accuracies: np.ndarray) -> list[Step]:
        """A record of each net with an evaluation on the validation images."""
        _, val = self.evaluate("val")
        _, mode = self.evaluate("val", True) if self.batch_dependent else (None, val)
        columns = (losses.tolist(), accuracies.tolist(), val.tolist(), mode.tolist())
        return [Step(step, *row) for row in zip(*columns, strict=True)]

    def steps(self) -> Iterator[list[Step]]:
        """Train; the records of all nets at step 0 and after each update.

        As ``Trainer.steps``, but the records of a net that has diverged go on: its own first
        ``diverged`` record is its last one.
        """
        run, unknown = self.runs[0], np.full(len(self.runs), math.nan)
        self.net.train()
        yield self.look(0, unknown, unknown)
        for step in range(1, run.steps + 1):
            numbers = np.stack([next(sampler) for sampler in self.samplers])
            losses, accuracies = self.update(numbers, step)
            if step == 1:
                limits = np.minimum(DIVERGED * losses, sys.float_info.max)
            over = ~(losses <= limits)
            if over.all():
                rows = zip(losses.tolist(), accuracies.tolist(), strict=True)
                yield [Step(step - 1, *row, diverged=True) for row in rows]
                return
            if step % run.eval_every == 0 or step == run.steps:
                records = self.look(step, losses, accuracies)
            else:
                rows = zip(losses.tolist(), accuracies.tolist(), strict=True)
                records = [Step(step, *row) for row in rows]
            for k in np.flatnonzero(over):
                records[k] = Step(step - 1, float(losses[k]), float(accuracies[k]), diverged=True)
            yield records
        after = self.losses_now(numbers, run.steps)
        yield [
            Step(run.steps, loss, math.nan, diverged=True) if not loss <= limit else None
            for loss, limit in zip(after.tolist(), limits.tolist(), strict=True)
        ]
