"""Shift of the layer inputs from look to look, recorded while a net is trained."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from torch import nn

from bnlab.arguments import checked
from bnlab.measure.kit.arguments import check_mode
from bnlab.measure.kit.coverage import Coverage
from bnlab.measure.kit.inputs import check_inputs
from bnlab.measure.kit.layers import Layers
from bnlab.measure.shift.input_shift import (
    Inputs,
    InputShift,
    look,
    measure_input_shift,
)

if TYPE_CHECKING:
    from bnlab.draw.figure import Drawing


@dataclass(frozen=True, eq=False)
class ShiftHistory(Coverage):
    """Shift of the layer inputs during a training, from each look to the next: T looks apart.

    Attributes:
        names: of the L layers.
        steps: of the later one of the two looks, (T,).
        mean_change, variance_change, wasserstein, relative: as in ``InputShift``, (T, L).
        diverged_at: step of the look at which inputs were no longer finite, or None; it is the
            last look and not in the arrays.
        covered, left_out: modules with weights, see ``Coverage``.
    """

    names: tuple[str, ...]
    steps: np.ndarray
    mean_change: np.ndarray
    variance_change: np.ndarray
    wasserstein: np.ndarray
    relative: np.ndarray
    diverged_at: int | None

    def plot(self, norm: str = "none") -> Drawing:
        """Relative distance by step: mean over the layers, and their range.

        Args:
            norm: the normalizer whose colour and marker the curve has.
        """
        from bnlab.measure.shift.figures import draw_shift_history

        return draw_shift_history({norm: self})


class ShiftRecorder:
    """Looks at the layer inputs of a net now and then while it is trained.

    Call it with each record of a training, or with the number of updates so far:

        trainer = Trainer(run)
        recorder = ShiftRecorder(trainer.net, trainer.train_x[:256], every=10)
        for step in trainer.steps(looks=False):
            recorder(step)
        history = recorder.history()

    Args:
        net: the net that is trained.
        x: the batch to look at it with, always the same, (N, ...).
        every: steps between two looks.
        layers, mode, channel_axis: as ``layer_inputs``. With mode=None the modes are those at
            each look.

    Raises:
        ValueError: if ``every`` is no positive integer; by a call, as ``layer_inputs``, except that
            a net that has diverged only ends the record.
    """

    @checked
    def __init__(
        self,
        net: nn.Module,
        x: object,
        every: int = 10,
        layers: Layers = None,
        mode: str | None = None,
        channel_axis: int | None = None,
    ) -> None:
        check_inputs(x)
        check_mode(mode)
        if not isinstance(every, int) or isinstance(every, bool) or every < 1:
            raise ValueError(f"every must be a positive integer, got {every!r}.")
        self.net, self.x, self.every, self.layers, self.mode = net, x, every, layers, mode
        self.channel_axis = channel_axis
        self._last: Inputs | None = None
        self._rows: list[tuple[int, InputShift]] = []
        self._diverged_at: int | None = None

    def __call__(self, step: object) -> None:
        """Look, if it is time: ``step`` is a number of updates or has it as its ``step``."""
        number = int(getattr(step, "step", step))
        if number % self.every or self._diverged_at is not None:
            return
        now = look(self.net, self.x, self.layers, self.mode, self.channel_axis)
        if not now.finite:
            self._diverged_at = number
            return
        if self._last is not None:
            self._rows.append((number, measure_input_shift(self._last, now)))
        self._last = now

    def history(self) -> ShiftHistory:
        """What was recorded so far.

        Raises:
            ValueError: before the second look.
        """
        if not self._rows:
            raise ValueError(
                "a shift needs two looks: call the recorder at step 0 and at a later multiple of "
                f"every={self.every}."
                + (f" The net diverged at {self._diverged_at}." if self._diverged_at else "")
            )
        fields = ("mean_change", "variance_change", "wasserstein", "relative")
        arrays = [np.array([getattr(shift, f) for _, shift in self._rows]) for f in fields]
        steps = np.array([number for number, _ in self._rows])
        first = self._rows[0][1]
        covered = {"covered": first.covered, "left_out": first.left_out}
        return ShiftHistory(first.names, steps, *arrays, self._diverged_at, **covered)
