"""A claim is a sentence that can be false; its verdict is computed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from scipy import stats

from bnlab.errors import check_name
from bnlab.train import Run
from bnlab.verdicts.ties import NEAR

CONFIDENCE = 0.95
LEAST_SEEDS = 8  # with fewer no verdict is given
RESAMPLES = 9999
WORDS = ("shown", "not shown", "reversed", "undecided")
NOT_MEASURED, NOT_TESTABLE = "not measured yet", "cannot be tested here"
KINDS = ("above", "at most")


@dataclass(frozen=True)
class Effect:
    """A number that a claim predicts, measured once a seed.

    Attributes:
        name: a short key.
        sentence: what is measured, in words.
        unit: of the number.
        margin: the size that counts, fixed before measuring.
        kind: ``above`` if the claim says that the effect is larger than the margin; ``at most``
            if it says that it is not larger.
    """

    name: str
    sentence: str
    unit: str
    margin: float
    kind: str = "above"

    def __post_init__(self) -> None:
        check_name("kind of effect", self.kind, KINDS)


@dataclass(frozen=True)
class Judgement:
    """One effect over the seeds: its mean, its interval, and what follows for the claim."""

    effect: Effect
    values: np.ndarray
    mean: float
    low: float
    high: float
    word: str

    def __str__(self) -> str:
        sign = ">" if self.effect.kind == "above" else "at most"
        return (
            f"{self.effect.sentence}: {self.mean:+.3g} {self.effect.unit} "
            f"[{self.low:+.3g}, {self.high:+.3g}], "
            f"claimed {sign} {self.effect.margin:g}: {self.word}"
        )


@dataclass(frozen=True)
class Verdict:
    """What follows for a claim from the judgements of all its effects.

    ``reversed`` if one effect is reversed; else ``not shown`` if one is not shown; else
    ``undecided`` if one is; else ``shown``. A claim is as strong as its weakest part.
    """

    claim: Claim
    judgements: tuple[Judgement, ...]
    seeds: int

    @property
    def word(self) -> str:
        """One of ``WORDS``; all of them hold 'at this scale'."""
        words = [j.word for j in self.judgements]
        return next((w for w in ("reversed", "not shown", "undecided") if w in words), "shown")

    @property
    def summary(self) -> dict[str, object]:
        """What is kept beside the evidence, to notice later that it no longer follows."""
        effects = [
            {
                "name": j.effect.name,
                "kind": j.effect.kind,
                "margin": j.effect.margin,
                **{key: float(f"{getattr(j, key):.6g}") for key in ("mean", "low", "high")},
                "word": j.word,
            }
            for j in self.judgements
        ]
        return {"word": self.word, "seeds": self.seeds, "effects": effects}

    def __str__(self) -> str:
        head = f"{self.claim.id}: {self.word} at this scale ({self.seeds} seeds)"
        return "\n".join([head, *(f"  {j}" for j in self.judgements)])


@dataclass(frozen=True)
class Claim:
    """A sentence of a paper, made falsifiable before it is measured.

    Attributes:
        id: B1, S3 and so on.
        paper: key in references.bib.
        authors: how to name the paper in a sentence.
        sentence: what is claimed.
        falsifier: what would make it false.
        prediction: what we expect at our scale, written before measuring.
        gap: how our setting differs from the paper's.
        chapter: stem of the chapter that tests it.
        effects: the numbers that decide; all of them must hold.
        untestable: why the claim as it stands cannot be tested here, such as accuracy on ImageNet.
        instead: what is tested in its place; the effects are those of this test.
        measure: ``measure(seeds, work)`` returns the raw data, ready for JSON; ``work`` does its
            parts, see ``bnlab.verdicts.work``.
        options: names of what else ``measure`` takes.
        values: ``values(data)`` gives each effect's numbers, one a seed.
        facts: ``facts(data)`` gives the numbers that sentences in the book may use.
        repeat: ``repeat(data, seeds)`` measures these seeds of the data again; by default
            ``measure(seeds)``.
        runs: the Run that all trainings share, for each scale.

    Raises:
        ValueError: for a claim that cannot be tested and does not say what is tested instead, or
            the other way round; for a measurement without effects or Run.
    """

    id: str
    paper: str
    authors: str
    sentence: str
    falsifier: str = ""
    prediction: str = ""
    gap: str = ""
    chapter: str = ""
    effects: tuple[Effect, ...] = ()
    untestable: str = ""
    instead: str = ""
    measure: Callable[..., dict] | None = field(default=None, repr=False)
    options: tuple[str, ...] = ()
    values: Callable[[dict], dict[str, np.ndarray]] | None = field(default=None, repr=False)
    facts: Callable[[dict], dict[str, object]] | None = field(default=None, repr=False)
    repeat: Callable[[dict, list[int]], dict] | None = field(default=None, repr=False)
    runs: Mapping[str, Run] = field(default_factory=dict, repr=False, hash=False)

    def __post_init__(self) -> None:
        if bool(self.untestable) != bool(self.instead):
            raise ValueError(
                f"claim {self.id}: say both why it cannot be tested and what is tested instead."
            )
        if self.measure is not None and not (self.effects and self.runs):
            raise ValueError(f"claim {self.id}: a measurement needs effects and runs.")

    @property
    def without_evidence(self) -> str:
        """What to say of the claim as long as nothing is measured for it."""
        return NOT_TESTABLE if self.untestable else NOT_MEASURED


def interval(values: np.ndarray, seed: int = 0) -> tuple[float, float]:
    """95 % interval of the mean over the seeds: the wider of bootstrap and Student's t, each end.

    The bootstrap (bias-corrected and accelerated; Efron 1987, J. Am. Stat. Assoc. 82) resamples
    the seeds, so a difference between two nets of the same seed stays paired. With 8 or 16 seeds
    it alone is too narrow: about 88 and 92 % for normal values. Both are computed by scipy. Its
    bias correction counts the resampled means below the mean, and those equal to it as one half:
    what is equal but for rounding is made equal first, or the last digit would decide.

    Args:
        values: one number a seed, (n,), n of 2 or more.
        seed: of the resampling, so that the same values give the same interval.

    Raises:
        ValueError: for fewer than two values, or values that are not finite.
    """
    values = np.asarray(values, dtype=np.float64)
    if values.ndim != 1 or len(values) < 2:
        raise ValueError(f"an interval needs at least 2 seeds, got {values.size}.")
    if not np.isfinite(values).all():
        raise ValueError("an effect is not finite; give a net that diverged a finite score.")
    mean = values.mean()
    near = max(1e-12, NEAR * np.abs(values).max())
    if np.ptp(values) <= near:  # equal but for rounding
        return float(mean), float(mean)

    def mean_of(sample: np.ndarray, axis: int) -> np.ndarray:
        means = sample.mean(axis)
        return np.where(np.abs(means - mean) <= near, mean, means)

    rng = np.random.default_rng(seed)
    resampled = stats.bootstrap(
        (values,), mean_of, n_resamples=RESAMPLES, confidence_level=CONFIDENCE, rng=rng
    ).confidence_interval
    half = stats.t.ppf((1 + CONFIDENCE) / 2, len(values) - 1) * stats.sem(values)
    # fmin and fmax: the bootstrap's correction is undefined (NaN) for some values.
    return float(np.fmin(resampled.low, mean - half)), float(np.fmax(resampled.high, mean + half))


def judge(effect: Effect, values: np.ndarray) -> Judgement:
    """What follows from one effect.

    For ``above``: shown if the whole interval lies above the margin, reversed if it lies below
    minus the margin, not shown if it lies below the margin. For ``at most``: shown if the whole
    interval lies at or below the margin, reversed if it lies above. Else undecided.
    """
    values = np.asarray(values, dtype=np.float64)
    low, high = interval(values)
    margin = effect.margin
    if effect.kind == "at most":
        word = "shown" if high <= margin else "reversed" if low > margin else "undecided"
    elif low > margin:
        word = "shown"
    elif high < margin:
        word = "reversed" if high < -margin else "not shown"
    else:
        word = "undecided"
    return Judgement(effect, values, float(values.mean()), low, high, word)


def decide(claim: Claim, values: dict[str, np.ndarray]) -> Verdict:
    """The verdict on a claim from each effect's numbers, one a seed.

    Raises:
        ValueError: if an effect is missing, the effects differ in the number of seeds, or there
            are fewer than ``LEAST_SEEDS``.
    """
    missing = [e.name for e in claim.effects if e.name not in values]
    if missing or not claim.effects:
        raise ValueError(f"claim {claim.id}: no values for {missing or 'any effect'}.")
    counts = {len(values[e.name]) for e in claim.effects}
    if len(counts) > 1:
        raise ValueError(f"claim {claim.id}: effects with different numbers of seeds: {counts}.")
    seeds = counts.pop()
    if seeds < LEAST_SEEDS:
        raise ValueError(f"a verdict needs at least {LEAST_SEEDS} seeds, got {seeds}.")
    return Verdict(claim, tuple(judge(e, values[e.name]) for e in claim.effects), seeds)
