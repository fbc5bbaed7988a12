"""The largest learning rate that is stable, by bisection, for any way to try one out."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bnlab.arguments import checked
from bnlab.errors import check_name, check_number
from bnlab.measure.kit.coverage import Coverage
from bnlab.runs.history import DIVERGED

if TYPE_CHECKING:
    from bnlab.draw.figure import Drawing

RULES = ("rise", "divergence")
ROUNDING = 1e-6  # a loss that is larger by less than this share has not risen: float32 rounds
PER_DECADE = 2  # rates tried in each decade before the bisection


@dataclass(frozen=True, eq=False)
class Trial:
    """One rate, tried out.

    Attributes:
        rate: the learning rate.
        before: loss before each update, (T,).
        after: loss after it on the same batch, (T,); inf where it is not finite. A trial ends
            early once all that is asked of it is known.
        rise_at: number of the first update after which the loss was higher than before; or None.
        diverged_at: number of the first update after which the loss was beyond the bound or not
            finite; or None.
    """

    rate: float
    before: np.ndarray
    after: np.ndarray
    rise_at: int | None
    diverged_at: int | None

    def stable(self, rule: str) -> bool:
        """Whether the rate is stable by ``rise`` or by ``divergence``."""
        return (self.rise_at if rule == "rise" else self.diverged_at) is None


@dataclass(frozen=True)
class Bracket:
    """Where the rates stop being stable.

    Attributes:
        stable: the largest rate below which every rate tried was stable too; None if the smallest
            one tried was not.
        unstable: the smallest rate tried that was not stable; None if all were.
        surprises: rates above ``unstable`` that were stable again: the answer is not monotone.
    """

    stable: float | None
    unstable: float | None
    surprises: tuple[float, ...]

    def __str__(self) -> str:
        if self.stable is None:
            return f"below {self.unstable:.3g}"
        if self.unstable is None:
            return f"at least {self.stable:.3g}"
        return f"{self.stable:.3g} to {self.unstable:.3g}"


@dataclass(frozen=True, eq=False)
class StableRate(Coverage):
    """The largest stable learning rate by each rule that was asked for.

    Attributes:
        rise: by the first rise of the loss; None if it was not asked for.
        divergence: by divergence; None if it was not asked for.
        trials: all rates tried, in rising order, with their losses.
        tolerance: unstable / stable of a bracket is at most this.
        bound: a loss beyond this many times the first has diverged.
        covered, left_out: modules with weights, see ``Coverage``.
    """

    rise: Bracket | None
    divergence: Bracket | None
    trials: tuple[Trial, ...]
    tolerance: float
    bound: float

    def plot(self, name: str = "this net") -> Drawing:
        """What became of the loss at every rate tried, and the largest stable ones."""
        from bnlab.measure.rates.figure import stable_rates

        return stable_rates(self, name)


@checked
def bisect_rate(
    losses_at: Callable[[float], Sequence[float]],
    low: float = 1e-4,
    high: float = 1e2,
    rules: Sequence[str] = RULES,
    tolerance: float = 1.05,
    bound: float = DIVERGED,
) -> StableRate:
    r"""The largest stable rate of any descent: ``losses_at(rate)`` gives its losses, step by step.

    Rates from ``low`` to ``high`` are tried, two a decade; then the interval between the first
    unstable rate and the stable one below it is halved in log(rate) until their ratio is at most
    ``tolerance``. A rate is not stable

    - by the rule ``rise`` if any update raises the loss (by more than a rounding error of 1e-6);
    - by the rule ``divergence`` if the loss exceeds ``bound`` times the first, or is not finite.

    The first is where a quadratic stops shrinking, 2 / lambda_max for gradient descent; the second
    can be far above it, since a net can leave the region where its loss rose.

    Args:
        losses_at: from a rate to the losses before the first update, after it, after the second
            and so on, all of one function.
        low: smallest rate.
        high: largest rate.
        rules: which of ``rise`` and ``divergence``.
        tolerance: largest ratio unstable / stable at the end, above 1.
        bound: a loss beyond this many times the first has diverged; Bjorck et al. 2018 use 10^3.

    Raises:
        ValueError: for numbers out of range, unknown rules, a first loss that is not finite, or
            fewer than two losses.

    Example:
        >>> found = bisect_rate(lambda lr: [(1 - 4 * lr) ** (2 * t) for t in range(50)])  # 2 w^2
        >>> round(found.rise.stable, 1), round(found.rise.unstable, 1)  # 2 / 4
        (0.5, 0.5)
    """
    return search(
        lambda rate: _trial_of(rate, losses_at(rate), bound), low, high, rules, tolerance, bound
    )


def search(
    try_out: Callable[[float], Trial],
    low: float,
    high: float,
    rules: Sequence[str],
    tolerance: float,
    bound: float,
) -> StableRate:
    """Do as ``bisect_rate`` for anything that makes a ``Trial`` of a rate."""
    check_search(low, high, rules, tolerance, bound)
    count = 1 + math.ceil(PER_DECADE * math.log10(high / low))
    inner = np.geomspace(low, high, count)[1:-1].tolist()
    waiting = [float(low), *inner, float(high)]
    trials: dict[float, Trial] = {}
    while waiting:
        for rate in waiting:
            trials[rate] = try_out(rate)
        brackets = {rule: _bracket(trials, rule) for rule in rules}
        # One at a time: a trial for one rule tells about the other too.
        waiting = [r for b in brackets.values() if (r := _middle(b, tolerance)) is not None][:1]
    tried = tuple(trials[rate] for rate in sorted(trials))
    return StableRate(brackets.get("rise"), brackets.get("divergence"), tried, tolerance, bound)


def _bracket(trials: dict[float, Trial], rule: str) -> Bracket:
    stable = {rate: trials[rate].stable(rule) for rate in sorted(trials)}
    bad = min((rate for rate, holds in stable.items() if not holds), default=None)
    good = max((rate for rate in stable if bad is None or rate < bad), default=None)
    again = (rate for rate, holds in stable.items() if bad is not None and rate > bad and holds)
    return Bracket(good, bad, tuple(again))


def _middle(bracket: Bracket, tolerance: float) -> float | None:
    # The rate to try next; None if the bracket is open or narrow enough.
    good, bad = bracket.stable, bracket.unstable
    if good is None or bad is None or bad / good <= tolerance:
        return None
    return math.sqrt(good * bad)


def check_search(
    low: float, high: float, rules: Sequence[str], tolerance: float, bound: float
) -> None:
    """Raise a ``ValueError`` for a search that cannot be made."""
    check_number("low", low, np.finfo(float).tiny)
    check_number("high", high, low)
    if high == low:
        raise ValueError(f"high must be larger than low={low:g}.")
    check_number("tolerance", tolerance, 1.0001)
    check_number("bound", bound, 1)
    if isinstance(rules, str) or not rules:
        raise ValueError(f"rules must be a list of {', '.join(RULES)}, got {rules!r}.")
    for rule in rules:
        check_name("rule", rule, RULES)


def _trial_of(rate: float, losses: Sequence[float], bound: float) -> Trial:
    values = np.array(losses, dtype=np.float64)
    if values.ndim != 1 or len(values) < 2:
        raise ValueError(
            "losses_at(rate) must give a row of at least two losses: before and after an update."
        )
    return judge(rate, values[:-1], values[1:], bound)


def judge(rate: float, before: np.ndarray, after: np.ndarray, bound: float) -> Trial:
    """A ``Trial`` from the losses before and after each update, on the same batch, (T,)."""
    if not np.isfinite(before[0]):
        raise ValueError(f"the first loss is {before[0]}: it must be finite.")
    pairs = zip(before.tolist(), after.tolist(), strict=True)
    broken = [broken_by(old, new, float(before[0]), bound) for old, new in pairs]
    first = {
        rule: next((step for step, rules in enumerate(broken, start=1) if rule in rules), None)
        for rule in RULES
    }
    before, after = (np.where(np.isfinite(v), v, np.inf) for v in (before, after))
    return Trial(rate, before, after, first["rise"], first["divergence"])


def broken_by(before: float, after: float, first: float, bound: float) -> set[str]:
    """The rules that an update breaks: from its losses before and after, and the first of all."""
    if not math.isfinite(after):
        return set(RULES)
    risen = after > before + ROUNDING * abs(before)
    diverged = after > bound * abs(first)
    return {rule for rule, holds in zip(RULES, (risen, diverged), strict=True) if holds}
