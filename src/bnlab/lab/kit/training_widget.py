"""What the widgets have in common whose nets train side by side in the kernel."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from bnlab.lab.kit.points import take_turns
from bnlab.lab.kit.widget import ComputingWidget, Content
from bnlab.train import Run, training


class TrainingWidget(ComputingWidget):
    """A widget that trains nets with PyTorch and tells their points as they come.

    A subclass overrides ``begin``, with ``train_in_turns``, and perhaps ``records``.
    """

    def train_in_turns(self, runs: Mapping[str, Run]) -> Iterator[Content]:
        """Train these nets, a step each in turn."""
        return take_turns({name: self.records(run) for name, run in runs.items()})

    def records(self, run: Run) -> Iterator:
        """Train one net: what ``Points.add`` takes of each step, as a tuple if it is more."""
        return training(run, device=self._device)
