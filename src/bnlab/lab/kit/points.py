"""From the records of a training to the few points that a widget draws."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from bnlab.train import Step

BLOCK = 5
"""Steps whose training losses make one point: their mean."""

EVALUATE_EVERY = 20
"""Steps between two points of validation accuracy."""

PAUSE = 0.04
"""Seconds between two messages about one net."""

GROUP_SIZE = 8
"""Channels a group of group norm: the 64 units of the standard net make 8 groups."""


@dataclass
class Points:
    """The points of one net, collected from its records; ``take`` hands out the new ones.

    Attributes:
        loss: [step, mean training loss of the ``BLOCK`` steps up to it], not yet handed out.
        accuracy: [step, validation accuracy in evaluation mode], not yet handed out.
        layers: [step, rows of units], see ``bnlab.lab.race.units``, not yet handed out.
        guesses: the digits that the net saw in some images last, if not yet handed out.
        diverged_at: step at which the net diverged, or None.
        done: no record will follow.
    """

    loss: list[list[float]] = field(default_factory=list)
    accuracy: list[list[float]] = field(default_factory=list)
    layers: list[list] = field(default_factory=list)
    guesses: list[int] | None = None
    diverged_at: int | None = None
    done: bool = False
    _block: list[float] = field(default_factory=list)

    def add(
        self,
        record: Step,
        units: list[list[float]] | None = None,
        guesses: list[int] | None = None,
    ) -> None:
        """Take in the next record of the training, what its layers handed on, what it guessed."""
        if record.diverged:
            self.diverged_at, self.done = record.step, True
            return
        self.guesses = self.guesses if guesses is None else guesses
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
        taken["guesses"] = self.guesses
        self.loss, self.accuracy, self.layers, self.guesses = [], [], [], None
        return {**taken, "diverged_at": self.diverged_at, "done": self.done}


def take_turns(trainings: dict[str, Iterator]) -> Iterator[tuple[str, dict | None]]:
    """Train several nets, a step each in turn; yields (name, points or None) after each step."""
    lanes = {name: Lane(records) for name, records in trainings.items()}
    while lanes:
        for name, lane in list(lanes.items()):
            yield name, lane.step()
            if lane.points.done:
                del lanes[name]


class Lane:
    """One net in training: its records, and the points that are due."""

    def __init__(self, records: Iterator) -> None:
        self._records = records
        self._sent = -PAUSE
        self.points = Points()

    def step(self) -> dict[str, object] | None:
        """Train one step; the new points if they are due, else None."""
        record = next(self._records, None)
        if record is None:
            self.points.done = True
        else:
            self.points.add(*(record if isinstance(record, tuple) else (record,)))
        now = time.monotonic()
        if not self.points.done and now - self._sent < PAUSE:
            return None
        self._sent = now
        return self.points.take()


def in_turns(
    lanes: Mapping[str, Iterator[dict[str, object] | None]],
) -> Iterator[tuple[str, dict[str, object] | None]]:
    """A step of each net in turn: its name, and what is new about it or None."""
    left = dict(lanes)
    while left:
        for name, lane in list(left.items()):
            content = next(lane)
            yield name, content
            if content and content["done"]:
                del left[name]
