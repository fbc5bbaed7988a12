"""All claims with what is known of each, and sums over them: what the scoreboard shows."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bnlab import chapters
from bnlab.chapters.clinic.setting import PRACTITIONERS
from bnlab.errors import check_name
from bnlab.verdicts import evidence
from bnlab.verdicts.evidence import Evidence
from bnlab.verdicts.parts import NONE, PART_WORDS, RIGHT, WRONG, Judgement
from bnlab.verdicts.verdict import (
    DIGITS,
    NOT_MEASURED,
    NOT_TESTABLE,
    SCALES,
    WORDS,
    Claim,
    Verdict,
)


def is_repeatable(item: Claim) -> bool:
    """Whether a page can do the trainings behind a claim's verdict again, to the bit."""
    return item.scale == DIGITS and item.id in chapters.repeats()


@dataclass(frozen=True)
class Standing:
    """A claim and its evidence, if there is any. Each scale has a verdict of its own.

    Attributes:
        claim: the claim.
        found: its evidence by scale.
    """

    claim: Claim
    found: dict[str, Evidence]

    @property
    def word(self) -> str:
        """The verdict's word on digits, or why there is none; see ``word_at`` for other scales."""
        return self.word_at(DIGITS)

    @property
    def judgements(self) -> tuple[Judgement, ...]:
        """The judgements of all effects on digits."""
        return self.judgements_at(DIGITS)

    def word_at(self, scale: str) -> str:
        """The verdict's word at a scale, or why there is none."""
        verdict = self._verdict(scale)
        return verdict.word if verdict else without_evidence(self.claim, scale)

    def said_at(self, scale: str) -> str:
        """The word at a scale as it is said, such as ``depends on depth``."""
        verdict = self._verdict(scale)
        return verdict.said if verdict else without_evidence(self.claim, scale)

    def prediction_at(self, scale: str) -> str:
        """Whether our prediction for a scale was right, wrong, or none."""
        verdict = self._verdict(scale)
        return verdict.prediction if verdict else NONE

    def judgements_at(self, scale: str) -> tuple[Judgement, ...]:
        """The judgements of all effects at a scale."""
        verdict = self._verdict(scale)
        return verdict.judgements if verdict else ()

    def _verdict(self, scale: str) -> Verdict | None:
        return self.found[scale].verdict if scale in self.found else None


def without_evidence(claim: Claim, scale: str) -> str:
    """What to say of a claim that has no evidence at a scale."""
    return claim.without_evidence if scale == DIGITS else NOT_MEASURED


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


def papers_of(claims: Iterable[Claim]) -> list[str]:
    """The keys of the papers that make these claims; what practitioners say is no paper."""
    keys = dict.fromkeys(claim.paper for claim in claims)
    return [key for key in keys if key != PRACTITIONERS["paper"]]


def totals(table: Sequence[Standing], scale: str = DIGITS) -> dict[str, object]:
    """Numbers for sentences about all claims, at one scale: sums never mix two of them."""
    check_name("scale", scale, SCALES)
    here = [one.found[scale] for one in table if scale in one.found]
    judged = [judgement for one in table for judgement in one.judgements_at(scale)]
    seeds = [len(each.data["seeds"]) for each in here]
    facts: dict[str, object] = {
        "claims": len(table),
        "papers": len(papers_of(one.claim for one in table)),
        "scale": SCALES[scale],
        "measured": len(here),
        "measured_papers": len(papers_of(each.claim for each in here)),
        "effects": len(judged),
        "seeds": " to ".join(str(count) for count in sorted({min(seeds), max(seeds)}))
        if seeds
        else "no",
        "minutes": sum(each.meta["seconds"] for each in here) / 60,
        "machines": listed(dict.fromkeys(each.meta["device"] for each in here)),
    }
    for word in (*WORDS, NOT_MEASURED, NOT_TESTABLE):
        names = [one.claim.id for one in table if one.word_at(scale) == word]
        facts |= {_key(word): len(names), f"{_key(word)}_ids": listed(names)}
    for word in PART_WORDS:
        facts[f"{_key(word)}_effects"] = sum(judgement.word == word for judgement in judged)
    predictions = [each.verdict.prediction for each in here]
    facts |= {f"predicted_{word}": predictions.count(word) for word in (RIGHT, WRONG, NONE)}
    return {**facts, "repeatable": sum(is_repeatable(each.claim) for each in here)}


def _key(word: str) -> str:
    return word.replace(" ", "_")


def listed(names: Iterable[str]) -> str:
    """Write ``A, B and C``, or ``none``."""
    *most, last = [*names] or ["none"]
    return f"{', '.join(most)} and {last}" if most else last
