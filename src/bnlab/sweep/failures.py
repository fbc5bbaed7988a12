"""What can go wrong in a sweep."""

from __future__ import annotations

import traceback
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Failure:
    """What could not be computed, and why.

    Attributes:
        item: the Run.
        error: the exception, in one line.
        traceback: of the process that tried.
    """

    item: Any
    error: str
    traceback: str = ""

    @classmethod
    def of(cls, item: Any, error: BaseException) -> Failure:
        """Keep the text of an exception: not every exception can travel between processes."""
        text = "".join(traceback.format_exception(error))
        return cls(item, f"{type(error).__name__}: {error}", text)


class SweepError(RuntimeError):
    """Some runs failed. Everything else was computed and is kept.

    Attributes:
        failures: one for each run that failed.
        histories: one for each run of the sweep; None for those that failed.
    """

    def __init__(self, message: str, failures: list[Failure], histories: list) -> None:
        super().__init__(message)
        self.failures, self.histories = failures, histories


class SweepStoppedError(RuntimeError):
    """The executor or the disk gave up. What had been computed is kept; the same call goes on."""


class OtherCodeError(RuntimeError):
    """A worker runs other code of bnlab, or another torch, than the process that started it."""
