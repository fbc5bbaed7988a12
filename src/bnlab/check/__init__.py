"""Exercises that answer at once: ``check("03.1", answer)``."""

from __future__ import annotations

from collections.abc import Callable

from bnlab.check import (
    batch_renorm,
    covariate_shift,
    family,
    group_size,
    learning_rates,
    mean_field,
    signals,
    smoothness,
)
from bnlab.check.feedback import Feedback
from bnlab.errors import unknown

EXERCISES: dict[str, Callable[[object], str]] = {
    "01.1": family.shared_numbers,
    "01.2": family.group_norm,
    "01.3": family.looks_at_others,
    "02.1": signals.variances,
    "02.2": signals.similarity,
    "02.3": signals.law,
    "03.1": learning_rates.scaled_weights,
    "03.2": learning_rates.relative_loss,
    "03.3": learning_rates.paired_plan,
    "04.1": covariate_shift.noisy_moments,
    "04.2": covariate_shift.covariate_shift,
    "04.3": covariate_shift.noisy_plan,
    "05.1": smoothness.doubled_weights,
    "05.2": smoothness.probe,
    "05.3": smoothness.smooth_plan,
    "06.1": mean_field.last_layer_rate,
    "06.2": mean_field.bound,
    "06.3": mean_field.gamma_plan,
    "07.1": batch_renorm.batch_of_two,
    "07.2": batch_renorm.renormalize,
    "07.3": batch_renorm.fair_plan,
    "08.1": group_size.pooled,
    "08.2": group_size.group_layer,
    "08.3": group_size.size_plan,
}


def check(exercise: str, answer: object) -> Feedback:
    """Check the answer to an exercise.

    Args:
        exercise: its number, such as "03.1".
        answer: what the exercise asks for; None while there is no answer yet.

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
    return Feedback(exercise, not hint, hint or "Right.")


__all__ = ["EXERCISES", "Feedback", "check"]
