"""Exercises that answer at once: ``check("03.1", answer)``."""

from __future__ import annotations

from collections.abc import Callable

from bnlab import chapters
from bnlab.arguments import checked
from bnlab.check.feedback import NOTHING_YET, Feedback
from bnlab.errors import unknown

EXERCISES: dict[str, Callable[[object], str]] = {
    number: checking
    for exercises in chapters.collected("exercises", "EXERCISES")
    for number, checking in exercises.items()
}


@checked
def check(exercise: str, answer: object) -> Feedback:
    """Check the answer to an exercise.

    Args:
        exercise: its number, such as "03.1".
        answer: what the exercise asks for; None, or a function that returns None, while there is no
            answer yet.

    Returns:
        Feedback that prints as a sentence, with a hint if the answer is not right.

    Raises:
        ValueError: for an exercise that does not exist.
    """
    if exercise not in EXERCISES:
        raise ValueError(unknown("exercise", exercise, EXERCISES))
    if answer is None:
        return Feedback(exercise, None, "Not answered yet. Replace None and run this cell again.")
    try:
        hint = EXERCISES[exercise](answer)
    except Exception as error:  # the student's code may raise anything; say what, and go on
        hint = f"Your answer raised {type(error).__name__}: {error}"
    if hint.startswith(NOTHING_YET):
        return Feedback(exercise, None, hint)
    return Feedback(exercise, not hint, hint or "Right.")


__all__ = ["EXERCISES", "Feedback", "check"]
