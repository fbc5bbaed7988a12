"""What the checks read: the model as it was given, what the reader said, and what was measured."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel

from bnlab.doctor.inputs import Batch
from bnlab.doctor.layers import Norm
from bnlab.doctor.passes.dropout import Change, dropout_changes
from bnlab.doctor.passes.mixing import Mixing, measure_mixing
from bnlab.doctor.passes.probe import Probe, probe
from bnlab.measure.kit.untouched import untouched

MANY = 8
"""Layers whose biases are compared; with fewer, chance makes too many of them alike."""


@dataclass(frozen=True, eq=False)
class Told:
    """What the reader said beside model and batch; see ``diagnose``."""

    optimizers: Sequence[torch.optim.Optimizer] = ()
    accumulate: int = 1
    steps: int | None = None
    trained: bool | None = None
    evaluating: bool = False
    independent: bool = False
    representative: bool = True


@dataclass(frozen=True, eq=False)
class Case:
    """A model under examination.

    Attributes:
        model: as it was given; nothing that a check reads has been moved by the passes.
        norms: its normalizers.
        batch: what it is called with.
        told: what the reader said.
        drawn: whether the biases of the normalizers are as if drawn at random.
        training: for each normalizer, by name, whether it is in training mode when the model
            trains: as given, or after ``model.train()`` if the model was given in evaluation mode.
        seen: a pass in these modes.
        dropout: how much dropout changes the variance at the normalizers.
        mixing: how a sample's output depends on other samples; None if it was not asked for.
    """

    model: nn.Module
    norms: list[Norm]
    batch: Batch
    told: Told
    drawn: bool = False
    training: dict[str, bool] = field(default_factory=dict)
    seen: Probe = field(default_factory=Probe)
    dropout: list[Change] = field(default_factory=list)
    mixing: Mixing | None = None

    def in_training(self, *, tracking: bool = False) -> list[Norm]:
        """The normalizers that use statistics of the batch in training, with running ones too."""
        return [
            norm
            for norm in self.norms
            if norm.of_batch and (self.training[norm.name] or not norm.tracks)
            if norm.tracks or not tracking
        ]

    @property
    def averages(self) -> bool:
        """Whether the model holds averaged weights."""
        averages = [one for one in self.model.modules() if isinstance(one, AveragedModel)]
        return any(int(one.n_averaged) > 0 for one in averages)

    def is_trained(self, norm: Norm) -> bool:
        """Whether the weights around a normalizer have been trained, as far as can be told."""
        if self.told.trained is not None:
            return self.told.trained
        if self.averages or any(optimizer.state for optimizer in self.told.optimizers):
            return True
        return norm.learned and not self.drawn


def drawn_at_random(norms: list[Norm]) -> bool:
    """Whether the biases of many normalizers are as if drawn from one distribution.

    RepVGG starts so. What training makes of biases differs between layers: here their standard
    deviations differ by no more than chance, which for C numbers is 1 / sqrt(2 C) of them.
    """
    rows = [norm.bias.detach() for norm in norms if norm.of_batch and norm.learned]
    if len(rows) < MANY:
        return False
    spreads = [float(row.double().std()) for row in rows]
    middle = sorted(spreads)[len(rows) // 2]
    return all(
        abs(spread / middle - 1) < 4 / (2 * row.numel()) ** 0.5
        for row, spread in zip(rows, spreads, strict=True)
    )


def examine(model: nn.Module, norms: list[Norm], batch: Batch, told: Told) -> Case:
    """Run all passes; the model, its modes and all random states are as before afterwards."""
    with torch.inference_mode(False), untouched(model), _same_random_numbers():
        if not model.training:
            model.train()
        training = {norm.name: norm.module.training for norm in norms}
        seen = probe(model, norms, batch)
        mixing, changes = None, []
        if not seen.failed:
            changes = dropout_changes(model, norms, batch, seen)
            mixing = measure_mixing(model, batch) if told.independent else None
    return Case(model, norms, batch, told, drawn_at_random(norms), training, seen, changes, mixing)


@contextlib.contextmanager
def _same_random_numbers() -> Iterator[None]:
    """Python's and NumPy's random states as before, on leaving; ``untouched`` keeps torch's."""
    states = random.getstate(), np.random.get_state()
    try:
        yield
    finally:
        random.setstate(states[0])
        np.random.set_state(states[1])
