"""From the records of a training to the few points that a widget draws."""

from __future__ import annotations

from dataclasses import dataclass, field
from inspect import signature

from bnlab.norms import NoisyBatchNorm
from bnlab.train import Run, Step

BLOCK = 5
"""Steps whose training losses make one point: their mean."""

EVALUATE_EVERY = 20
"""Steps between two points of validation accuracy."""

GROUP_SIZE = 8
"""Channels a group of group norm: the 64 units of the standard net make 8 groups."""

NORMS = {
    "none": {},
    "batch": {},
    "noisy_batch": {},
    "layer": {},
    "group": {"group_size": GROUP_SIZE},
    "instance": {},
}
"""The normalizers that a race may have, with their options."""


def race_run(norm: str, *, steps: int = 300, noise: float = 1.0, **setting: object) -> Run:
    """The Run of one net of a race: plain SGD with a constant learning rate.

    Args:
        norm: a key of ``NORMS``.
        steps: updates of the weights.
        noise: strength of the noise of ``noisy_batch``, in units of the paper's.
        **setting: further fields of a Run, such as ``lr``, ``batch_size``, ``depth``, ``seed``.
    """
    noises = _noises(noise) if norm == "noisy_batch" and noise != 1 else {}
    options = {**NORMS[norm], **noises}
    fixed = {"norm_options": options, "eval_every": EVALUATE_EVERY, "optimizer": "sgd"}
    return Run(norm=norm, steps=steps, **fixed, **setting)


def _noises(strength: float) -> dict[str, float]:
    # In the order of operations of page_lane.js, so that the same bits come out.
    usual = {p.name: p.default for p in signature(NoisyBatchNorm).parameters.values()}
    return {
        "n_mu": strength * usual["n_mu"],
        "n_sigma": 1 + strength * (usual["n_sigma"] - 1),
        "r_mu": strength * usual["r_mu"],
        "r_sigma": strength * usual["r_sigma"],
    }


@dataclass
class Points:
    """The points of one net, collected from its records; ``take`` hands out the new ones.

    Attributes:
        loss: [step, mean training loss of the ``BLOCK`` steps up to it], not yet handed out.
        accuracy: [step, validation accuracy in evaluation mode], not yet handed out.
        layers: [step, rows of units], see ``bnlab.lab.units``, not yet handed out.
        diverged_at: step at which the net diverged, or None.
        done: no record will follow.
    """

    loss: list[list[float]] = field(default_factory=list)
    accuracy: list[list[float]] = field(default_factory=list)
    layers: list[list] = field(default_factory=list)
    diverged_at: int | None = None
    done: bool = False
    _block: list[float] = field(default_factory=list)

    def add(self, record: Step, units: list[list[float]] | None = None) -> None:
        """Take in the next record of the training, and what its layers handed on."""
        if record.diverged:
            self.diverged_at, self.done = record.step, True
            return
        if units is not None:
            self.layers.append([record.step, units])
        if record.step > 0:
            self._block.append(record.loss)
        if len(self._block) == BLOCK:
            self.loss.append([record.step, sum(self._block) / BLOCK])
            self._block.clear()
        if record.val_accuracy is not None:
            self.accuracy.append([record.step, record.val_accuracy])

    def take(self) -> dict[str, object]:
        """The new points, ready for JSON: finite numbers only."""
        taken = {"loss": self.loss, "accuracy": self.accuracy, "layers": self.layers}
        self.loss, self.accuracy, self.layers = [], [], []
        return {**taken, "diverged_at": self.diverged_at, "done": self.done}
