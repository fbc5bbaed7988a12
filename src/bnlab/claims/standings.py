"""All claims with what is known of each, and sums over them: what the scoreboard shows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from bnlab.verdicts import evidence
from bnlab.verdicts.evidence import Evidence
from bnlab.verdicts.parts import NONE, PART_WORDS, RIGHT, WRONG, Judgement
from bnlab.verdicts.verdict import NOT_MEASURED, NOT_TESTABLE, WORDS, Claim

REPEATABLE = "compiled"
"""The engine that the pages have: they can repeat its trainings to the bit."""


@dataclass(frozen=True)
class Standing:
    """A claim and its evidence, if there is any.

    Attributes:
        claim: the claim.
        found: its evidence by scale; the verdict is that of ``digits``.
    """

    claim: Claim
    found: dict[str, Evidence]

    @cached_property
    def word(self) -> str:
        """The verdict's word, or why there is none."""
        main = self.found.get("digits")
        return main.verdict.word if main else self.claim.without_evidence

    @property
    def said(self) -> str:
        """The word as it is said, such as ``depends on depth``."""
        main = self.found.get("digits")
        return main.verdict.said if main else self.claim.without_evidence

    @property
    def prediction(self) -> str:
        """Whether our prediction was right, wrong, or none."""
        return self.found["digits"].verdict.prediction if "digits" in self.found else NONE

    @property
    def judgements(self) -> tuple[Judgement, ...]:
        """The judgements of all effects, at the scale that decides."""
        return self.found["digits"].verdict.judgements if "digits" in self.found else ()


def standings(claims: dict[str, Claim], folder: Path | None = None) -> list[Standing]:
    """All claims, in their order, with the evidence in a folder (the book's by default)."""
    return [Standing(claim, _found(claim, folder)) for claim in claims.values()]


def _found(claim: Claim, folder: Path | None) -> dict[str, Evidence]:
    found = {}
    for scale in claim.scales:
        try:
            found[scale] = evidence.load(claim, folder, scale)
        except FileNotFoundError:
            continue
    return found


def standardized(judgement: Judgement) -> tuple[float, float, float]:
    """Mean and interval of an effect as a distance from its margin, in favour of the claim.

    The distance is that to the nearer edge of where the part holds, over the standard deviation
    between the seeds. So 0 is the margin, and positive supports the claim. Without any spread the
    distance is infinite, with the sign of the difference.
    """
    least, most = judgement.effect.holds_between
    spread = float(judgement.values.std(ddof=1))
    tiny = 1e-9 * max(1.0, abs(judgement.mean))

    def distance(value: float) -> float:
        inside = min(value - least, most - value)
        if spread > tiny:
            return inside / spread
        return math.copysign(math.inf, inside) if inside else 0.0

    ends = [distance(x) for x in (judgement.low, judgement.high)]
    mean = distance(judgement.mean)
    return mean, min(ends), max(mean, *ends)


def totals(table: Sequence[Standing]) -> dict[str, object]:
    """Numbers for sentences about all claims."""
    judged = [judgement for one in table for judgement in one.judgements]
    every = [each for one in table for each in one.found.values()]
    seeds = [len(each.data["seeds"]) for each in every]
    facts: dict[str, object] = {
        "claims": len(table),
        "papers": len({one.claim.paper for one in table}),
        "measured": sum(bool(one.found) for one in table),
        "measured_papers": len({one.claim.paper for one in table if one.found}),
        "effects": len(judged),
        "seeds": " to ".join(str(count) for count in sorted({min(seeds), max(seeds)}))
        if seeds
        else "no",
        "minutes": sum(each.meta["seconds"] for each in every) / 60,
        "scales": _listed(dict.fromkeys(s for one in table for s in one.found)),
        "machines": _listed(dict.fromkeys(each.meta["device"] for each in every)),
    }
    for word in (*WORDS, NOT_MEASURED, NOT_TESTABLE):
        names = [one.claim.id for one in table if one.word == word]
        facts |= {_key(word): len(names), f"{_key(word)}_ids": _listed(names)}
    for word in PART_WORDS:
        facts[f"{_key(word)}_effects"] = sum(judgement.word == word for judgement in judged)
    for word in (RIGHT, WRONG, NONE):
        found = [one for one in table if one.judgements and one.prediction == word]
        facts[f"predicted_{word}"] = len(found)
    engines = [one.found["digits"].data.get("engine") for one in table if "digits" in one.found]
    return {**facts, "repeatable": engines.count(REPEATABLE)}


def _key(word: str) -> str:
    return word.replace(" ", "_")


def _listed(names: Sequence[str]) -> str:
    """Write ``A, B and C``, or ``none``."""
    *most, last = [*names] or ["none"]
    return f"{', '.join(most)} and {last}" if most else last
