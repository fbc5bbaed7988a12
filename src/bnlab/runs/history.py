"""What a training left behind."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass

import numpy as np

from bnlab.runs.run import Run

DIVERGED = 1e3
"""A run has diverged when its loss is this many times that of its first batch, or not finite.
Bjorck 2018 calls a loss divergent that is beyond 10^3 relative to the loss before a step."""

ARRAYS = ("loss", "accuracy", "step", "val_accuracy", "val_accuracy_train_mode")


@dataclass(frozen=True)
class Step:
    """One step of a training, as it happens.

    Attributes:
        step: number of updates of the weights so far; the first record has 0.
        loss: cross-entropy of the batch, before the update (nats); NaN at step 0.
        accuracy: share of the batch classified right, before the update; NaN at step 0.
        val_accuracy: on the validation images in evaluation mode; None between evaluations.
        val_accuracy_train_mode: the same with the statistics of the validation batch.
        diverged: the training loss is beyond ``DIVERGED`` times the first, or not finite; the last
            record. ``loss`` is then that of the batch that showed it.
    """

    step: int
    loss: float
    accuracy: float
    val_accuracy: float | None = None
    val_accuracy_train_mode: float | None = None
    diverged: bool = False


@dataclass(frozen=True, eq=False)
class History:
    """The record of one training.

    Attributes:
        run: what was trained.
        loss: cross-entropy of each batch before its update (nats), (T,).
        accuracy: share of each batch classified right before its update, (T,).
        step: steps after which the net was evaluated, (E,).
        val_accuracy: on the validation images in evaluation mode, (E,).
        val_accuracy_train_mode: with the statistics of the validation batch, (E,).
        test_accuracy: at the end, in evaluation mode; NaN for a run that diverged.
        diverged_at: number of updates after which the loss was beyond bounds, or None.
        seconds: wall-clock time.
        device: where it was trained.
        engine: what trained it: ``torch``, ``compiled``, or ``stack``.
        versions: of bnlab, torch and numpy; of the compiled engine the hash of its ``kernels``, and
            the ``machine`` that ran them, on which no number depends.
    """

    run: Run
    loss: np.ndarray
    accuracy: np.ndarray
    step: np.ndarray
    val_accuracy: np.ndarray
    val_accuracy_train_mode: np.ndarray
    test_accuracy: float
    diverged_at: int | None
    seconds: float
    device: str
    engine: str
    versions: dict[str, str]

    def to_dict(self) -> dict[str, object]:
        """All fields, ready for JSON, which has no NaN and no infinity: they become words."""
        fields = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        fields["run"] = self.run.to_dict()
        for name in ARRAYS:
            array = fields[name]
            values = [_number_or_word(value) for value in array.tolist()]
            fields[name] = {"dtype": array.dtype.name, "values": values}
        fields["test_accuracy"] = _number_or_word(self.test_accuracy)
        return fields

    @classmethod
    def from_dict(cls, fields: dict[str, object]) -> History:
        """The History with these fields: the same bits as before ``to_dict``.

        Raises:
            ValueError: for a field that is unknown or missing, or of another kind.
        """
        known = {f.name for f in dataclasses.fields(cls)}
        if not isinstance(fields, dict) or fields.keys() != known:
            got = sorted(fields) if isinstance(fields, dict) else fields
            raise ValueError(f"the fields of a History are {sorted(known)}, got {got}.")
        run, accuracy = Run.from_dict(fields["run"]), float(fields["test_accuracy"])
        arrays = {name: _array(name, fields[name]) for name in ARRAYS}
        return cls(**{**fields, "run": run, "test_accuracy": accuracy, **arrays})

    def __repr__(self) -> str:
        if self.diverged_at is not None:
            end = f"diverged at step {self.diverged_at}"
        else:
            end = f"test accuracy {self.test_accuracy:.3f}"
        run = self.run
        return f"History({run.net} {run.norm}, lr={run.lr:g}, {len(self.loss)} steps: {end})"


def _number_or_word(value: float) -> float | str:
    return value if math.isfinite(value) else str(value)  # "nan", "inf", "-inf": float reads them


def _array(name: str, stored: object) -> np.ndarray:
    try:
        return np.array([float(v) for v in stored["values"]], dtype=stored["dtype"])
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{name} of a History must be numbers with a dtype ({error}).") from error
