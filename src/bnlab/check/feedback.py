"""What ``check`` says of an answer."""

from __future__ import annotations

import html
from dataclasses import dataclass

NOTHING_YET = "Your function returns nothing yet."
"""How a hint begins that is given to the unchanged ``...`` of an exercise: no answer so far."""


@dataclass(frozen=True)
class Feedback:
    """What the check of an answer found, printed as a sentence.

    Attributes:
        exercise: number of the exercise.
        passed: True, False, or None while there is no answer.
        text: a sentence; a hint where the answer is not right.
    """

    exercise: str
    passed: bool | None
    text: str

    def __str__(self) -> str:
        mark = {True: "✓", False: "✗", None: "–"}[self.passed]
        return f"{mark} Exercise {self.exercise}: {self.text}"

    def __repr__(self) -> str:
        return str(self)

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        page = f'<p role="status"><b>{html.escape(str(self))}</b></p>'
        return {"text/html": page, "text/plain": str(self)}
