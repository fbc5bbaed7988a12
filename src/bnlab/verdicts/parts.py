"""A part of a claim: a number that is measured once a seed, and what follows from it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from bnlab.arguments import checked
from bnlab.draw.words import size, span
from bnlab.errors import check_name
from bnlab.verdicts.interval import interval

KINDS = ("more", "same", "about", "identity")
HOLDS, NO_EFFECT, OPPOSITE = "holds", "no effect", "opposite"
FAILS, UNDECIDED = "does not hold", "undecided"
PART_WORDS = (HOLDS, NO_EFFECT, OPPOSITE, FAILS, UNDECIDED)
RIGHT, WRONG, NONE = "right", "wrong", "none"


@dataclass(frozen=True)
class Effect:
    """A number that a claim predicts, measured once a seed.

    Attributes:
        name: a short key.
        sentence: what is measured, in words.
        unit: of the number: ``decades`` (of a ratio), empty (accuracies, which are told in
            points), ``of the images`` and the like (shares), ``of cosine`` and the like.
        margin: the size that counts, fixed before measuring.
        kind: what the claim says of the number. ``more``: it is larger than the margin. ``same``:
            it lies within the margin on both sides of zero. ``about``: it lies within the margin
            on both sides of ``target``. ``identity``: it is no larger than the margin because of
            algebra, so that the measurement checks the code and not the claim.
        says: what the claim says in this part, a clause without a full stop.
        target: of ``about``, in the unit.
        upper: of ``same``, if the paper claims one side only: a number below the margin holds too.
        predicted: lowest and highest mean that our prediction allows, in the unit; infinite where
            it is open. None: there is no prediction of this part.

    Raises:
        ValueError: for an unknown kind, a target or a side that the kind does not have, a negative
            margin on both sides, or a predicted range that is upside down.
    """

    name: str
    sentence: str
    unit: str
    margin: float
    kind: str = "more"
    says: str = ""
    target: float = 0.0
    upper: bool = False
    predicted: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        check_name("kind of effect", self.kind, KINDS)
        if self.target and self.kind != "about":
            raise ValueError(f"effect {self.name}: only the kind 'about' has a target.")
        if self.upper and self.kind != "same":
            raise ValueError(f"effect {self.name}: only the kind 'same' can be of one side.")
        one_sided = self.kind == "identity" or (self.kind == "same" and self.upper)
        if self.margin < 0 and not one_sided:
            raise ValueError(f"effect {self.name}: the margin of this kind is 0 or more.")
        if self.predicted is not None and not self.predicted[0] <= self.predicted[1]:
            raise ValueError(f"effect {self.name}: write the lower end of a prediction first.")

    @property
    def holds_between(self) -> tuple[float, float]:
        """Where the whole interval must lie for the part to hold."""
        if self.kind == "more":
            return self.margin, math.inf
        low = -math.inf if self.upper or self.kind == "identity" else self.target - self.margin
        return low, self.target + self.margin

    @property
    def counts_if(self) -> str:
        """Our margin in words: what the whole interval must be for the part to hold."""
        low, high = self.holds_between
        if self.kind == "more":
            return f"more than {size(low, self.unit)}" if low else "larger at all"
        if self.kind == "about" or self.upper or self.kind == "identity":
            return span(low, high, self.unit)
        if self.unit == "decades":
            return f"{span(low, high, self.unit)} as large"
        return f"within {size(high, self.unit)}, up or down"


@dataclass(frozen=True)
class Judgement:
    """One effect over the seeds: its mean, its interval, and what follows for its part."""

    effect: Effect
    values: np.ndarray
    mean: float
    low: float
    high: float
    word: str

    @property
    def prediction(self) -> str:
        """Whether the mean lies where we had predicted it: ``right``, ``wrong`` or ``none``."""
        if self.effect.predicted is None:
            return NONE
        low, high = self.effect.predicted
        return RIGHT if low <= self.mean <= high else WRONG

    @property
    def measured(self) -> str:
        """Mean and interval as a reader says them."""
        unit = self.effect.unit
        return f"{size(self.mean, unit)} (95\u00a0%: {span(self.low, self.high, unit)})"

    def __str__(self) -> str:
        return (
            f"{self.effect.name}: {self.word}. {self.effect.sentence}: {self.measured}; "
            f"counts, if {self.effect.counts_if}"
        )


@checked
def judge(effect: Effect, values: np.ndarray) -> Judgement:
    """What follows from one effect.

    A part *holds* if the whole 95 % interval lies where the claim puts it. For ``more`` there is
    *no effect* if the interval lies within the margin on both sides of zero, and the *opposite* if
    it lies below minus the margin. The other kinds claim no direction, so that nothing can be
    opposite: such a part *does not hold* if the interval lies wholly outside. Else it is
    *undecided*.
    """
    values = np.asarray(values, dtype=np.float64)
    low, high = interval(values)
    return Judgement(effect, values, float(values.mean()), low, high, _word(effect, low, high))


def _word(effect: Effect, low: float, high: float) -> str:
    margin = effect.margin
    if effect.kind == "more":
        if low > margin:
            return HOLDS
        if -margin <= low and high <= margin:
            return NO_EFFECT
        return OPPOSITE if high < -margin else UNDECIDED
    least, most = effect.holds_between
    if least <= low and high <= most:
        return HOLDS
    return FAILS if low > most or high < least else UNDECIDED
