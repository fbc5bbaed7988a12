"""A claim is a sentence that can be false; its verdict is computed."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from bnlab.arguments import checked
from bnlab.errors import unknown
from bnlab.train import Run
from bnlab.verdicts.parts import (
    FAILS,
    HOLDS,
    NO_EFFECT,
    NONE,
    OPPOSITE,
    PART_WORDS,
    RIGHT,
    UNDECIDED,
    WRONG,
    Effect,
    Judgement,
    judge,
)

LEAST_SEEDS = 8  # with fewer no verdict is given
SHOWN, IN_PART, DEPENDS = "shown", "shown in part", "depends"
NOT_SHOWN, REVERSED, ALGEBRA = "not shown", "reversed", "holds by algebra"
WORDS = (SHOWN, IN_PART, DEPENDS, NOT_SHOWN, REVERSED, UNDECIDED, ALGEBRA)
NOT_MEASURED, NOT_TESTABLE = "not measured yet", "cannot be tested here"
DIGITS, CIFAR10 = "digits", "cifar10"
SCALES = {DIGITS: "digits", CIFAR10: "CIFAR-10"}
"""The scales at which claims are measured, and how they are said: a verdict holds on one."""

WHOLE = {
    SHOWN: "All of it holds on {where}.",
    ALGEBRA: "It follows from the definitions; the measurement checks that our code obeys it.",
}
CORE = {
    HOLDS: "Its core holds: ",
    NO_EFFECT: "Its core is not beyond our margin; claimed is that ",
    OPPOSITE: "Its core goes the other way; claimed is that ",
    FAILS: "Its core does not hold; claimed is that ",
    UNDECIDED: "The seeds do not decide its core, whether ",
}
CONDITION = {
    NO_EFFECT: "It is not shown that ",
    OPPOSITE: "The other way round than claimed: ",
    FAILS: "It does not hold that ",
    UNDECIDED: "The seeds do not decide whether ",
}
AGAIN = {"that": "; nor that ", "whether": "; nor whether "}  # how a list goes on after a start


@dataclass(frozen=True)
class Change:
    """Something that was changed in a claim after a first result was known.

    Attributes:
        day: as ``2026-11-29``.
        what: was changed, in a sentence.
        why: in a sentence.
    """

    day: str
    what: str
    why: str


@dataclass(frozen=True)
class Verdict:
    """What follows for a claim from the judgements of all its parts.

    The *core* is what the paper's abstract would lose if it were false; it was named before
    measuring. It may be one part in several settings. The other parts are conditions.

    - ``shown``: every part holds. If algebra alone makes them hold: ``holds by algebra``.
    - ``shown in part``: the core holds, and a condition does not, or is undecided.
    - ``depends``: the core holds in some of its settings and fails in others.
    - ``not shown``: the core has no effect beyond the margin, or does not hold.
    - ``reversed``: the core claims a direction, and goes the other way by more than the margin.
    - ``undecided``: the interval of the core reaches across its margin.
    """

    claim: Claim
    judgements: tuple[Judgement, ...]
    seeds: int

    @property
    def word(self) -> str:
        """One of ``WORDS``; all of them hold at the claim's scale."""
        if all(j.word == HOLDS for j in self.judgements):
            algebra = all(j.effect.kind == "identity" for j in self.judgements)
            return ALGEBRA if algebra else SHOWN
        found = {j.word for j in self.core}
        if found == {HOLDS}:
            return IN_PART
        if HOLDS in found and found & {NO_EFFECT, FAILS, OPPOSITE}:
            return DEPENDS
        if UNDECIDED in found:
            return UNDECIDED
        return REVERSED if found == {OPPOSITE} else NOT_SHOWN

    @property
    def said(self) -> str:
        """The word as it is said: with the setting that decides, if there is one."""
        said = {DEPENDS: f"depends on {self.claim.setting}", ALGEBRA: "holds by algebra, checked"}
        return said.get(self.word, self.word)

    @property
    def where(self) -> str:
        """The scale at which it holds, as it is said after 'on'."""
        return SCALES[self.claim.scale]

    @property
    def core(self) -> tuple[Judgement, ...]:
        """The judgements of the core."""
        return tuple(j for j in self.judgements if j.effect.name in self.claim.core)

    @property
    def prediction(self) -> str:
        """``right`` if each part that was predicted came out so, else ``wrong``, or ``none``."""
        found = {j.prediction for j in self.judgements} - {NONE}
        return WRONG if WRONG in found else RIGHT if found else NONE

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
        return {"word": self.said, "seeds": self.seeds, "effects": effects}

    @property
    def sentence(self) -> str:
        """What the word means for this claim: which of its parts hold, and which do not."""
        core = {word: [j for j in self.core if j.word == word] for word in PART_WORDS}
        if self.word in WHOLE:
            return WHOLE[self.word].format(where=self.where)
        parts = [f"{_listed(CORE[word], found)}." for word, found in core.items() if found]
        others = [j for j in self.judgements if j not in self.core and j.word != HOLDS]
        for word, start in CONDITION.items():
            found = [j for j in others if j.word == word]
            parts += [f"{_listed(start, found)}."] if found else []
        return " ".join(parts)

    def __str__(self) -> str:
        head = f"{self.claim.id}: {self.said} on {self.where} ({self.seeds} seeds)"
        return "\n".join([head, *(f"  {j}" for j in self.judgements)])


def _listed(start: str, found: list[Judgement]) -> str:
    joint = "; and that " if "claimed" in start else AGAIN.get(start.split()[-1], "; ")
    return start + joint.join(j.effect.says or j.effect.sentence for j in found)


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
        effects: the numbers that decide, one for each part of the claim.
        core: names of the effects without which the paper's abstract would fail; by default the
            first. Several are the same part in several settings.
        setting: what is varied between the parts of the core, such as ``depth``.
        changes: what was changed after a first result was known.
        answer: what the authors could answer: the strongest objection of a fair reader to a
            verdict other than ``shown``, and which measurement would meet it.
        untestable: why the claim as it stands cannot be tested here, such as accuracy on ImageNet.
        instead: what is tested in its place; the effects are those of this test.
        measure: ``measure(seeds, work)`` returns the raw data, ready for JSON; ``work`` does its
            parts, see ``bnlab.verdicts.work``.
        options: names of what else ``measure`` takes.
        values: ``values(data)`` gives each effect's numbers, one a seed.
        facts: ``facts(data)`` gives the numbers that sentences in the book may use.
        repeat: ``repeat(data, seeds)`` measures these seeds of the data again; by default
            ``measure(seeds)``.
        runs: the Run that all trainings share, under the name of the scale.
        scale: on which images it is measured, a key of ``SCALES``.
        others: the same claim at other scales, each with parts, predictions and a measurement of
            its own.

    Raises:
        ValueError: for a claim that cannot be tested and does not say what is tested instead, or
            the other way round; for a measurement without effects or Run; for a core that is no
            effect, or of several settings that have no name.
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
    core: tuple[str, ...] = ()
    setting: str = ""
    changes: tuple[Change, ...] = ()
    answer: str = ""
    untestable: str = ""
    instead: str = ""
    measure: Callable[..., dict] | None = field(default=None, repr=False)
    options: tuple[str, ...] = ()
    values: Callable[[dict], dict[str, np.ndarray]] | None = field(default=None, repr=False)
    facts: Callable[[dict], dict[str, object]] | None = field(default=None, repr=False)
    repeat: Callable[[dict, list[int]], dict] | None = field(default=None, repr=False)
    runs: Mapping[str, Run] = field(default_factory=dict, repr=False, hash=False)
    scale: str = DIGITS
    others: tuple[Claim, ...] = field(default=(), repr=False)

    def __post_init__(self) -> None:
        if bool(self.untestable) != bool(self.instead):
            raise ValueError(
                f"claim {self.id}: say both why it cannot be tested and what is tested instead."
            )
        if self.measure is not None and not (self.effects and self.runs):
            raise ValueError(f"claim {self.id}: a measurement needs effects and runs.")
        if self.effects and not self.core:
            object.__setattr__(self, "core", (self.effects[0].name,))
        missing = set(self.core) - {effect.name for effect in self.effects}
        if missing:
            raise ValueError(f"claim {self.id}: its core {min(missing)!r} is none of its effects.")
        if len(self.core) > 1 and not self.setting:
            raise ValueError(
                f"claim {self.id}: a core of several parts is one part in several settings; say "
                "what 'setting' is varied."
            )

    @property
    def scales(self) -> tuple[str, ...]:
        """Where it has a measurement."""
        return tuple(one.scale for one in (self, *self.others) if one.measure is not None)

    def at(self, scale: str) -> Claim:
        """The claim as it is measured at a scale.

        Raises:
            ValueError: for a scale that it does not have; the known ones are listed.
        """
        found = {one.scale: one for one in (self, *self.others)}
        if scale not in found:
            raise ValueError(unknown(f"scale of {self.id}", scale, found))
        return found[scale]

    def on_cifar10(self, **changes: object) -> Claim:
        """The same sentence, to be measured on CIFAR-10.

        What was said of digits does not come along: effects, prediction, gap, answer, measurement
        and the rest are given anew, as fields.
        """
        own = ("id", "paper", "authors", "sentence", "chapter")
        kept = {name: getattr(self, name) for name in own}
        return Claim(**{**kept, "scale": CIFAR10, **changes})

    def with_others(self, others: Iterable[Claim]) -> Claim:
        """The same claim, which knows itself at other scales."""
        return dataclasses.replace(self, others=tuple(others))

    @property
    def without_evidence(self) -> str:
        """What to say of the claim as long as nothing is measured for it."""
        return NOT_TESTABLE if self.untestable else NOT_MEASURED


@checked
def decide(claim: Claim, values: dict[str, np.ndarray]) -> Verdict:
    """The verdict on a claim from each effect's numbers, one a seed.

    Raises:
        ValueError: if an effect is missing, or seeds are: less than ``LEAST_SEEDS``, not the same.
    """
    missing = [e.name for e in claim.effects if e.name not in values]
    if missing or not claim.effects:
        raise ValueError(f"claim {claim.id}: no values for {missing or 'any effect'}.")
    counts = {len(values[e.name]) for e in claim.effects}
    if len(counts) > 1:
        raise ValueError(f"claim {claim.id}: effects with different numbers of seeds: {counts}.")
    if (seeds := counts.pop()) < LEAST_SEEDS:
        raise ValueError(f"a verdict needs at least {LEAST_SEEDS} seeds, got {seeds}.")
    return Verdict(claim, tuple(judge(e, values[e.name]) for e in claim.effects), seeds)
