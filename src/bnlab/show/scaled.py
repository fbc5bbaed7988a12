"""The words of a claim at each scale: a verdict at one never stands for another."""

from __future__ import annotations

from bnlab import claims
from bnlab.claims import Claim, Effect, Evidence
from bnlab.claims.standings import without_evidence
from bnlab.draw.style import VERDICTS
from bnlab.verdicts.verdict import CIFAR10, DIGITS, NOT_MEASURED, NOT_TESTABLE, SCALES

MARKS = {word: look["mark"] for word, look in VERDICTS.items()} | {
    NOT_MEASURED: "–",
    NOT_TESTABLE: "⊘",
}


def evidence_at(item: Claim, scale: str) -> Evidence | None:
    """The evidence for a claim at a scale, if there is any."""
    if scale not in item.scales:
        return None
    try:
        return claims.load(item.id, scale=scale)
    except FileNotFoundError:
        return None


def said_at(item: Claim, scale: str) -> str:
    """The verdict's word at a scale as it is said, or why there is none."""
    found = evidence_at(item, scale)
    return found.verdict.said if found else without_evidence(item, scale)


def marked_word(item: Claim, scale: str = DIGITS) -> str:
    """``said_at`` with its mark."""
    found = evidence_at(item, scale)
    word = found.verdict.word if found else without_evidence(item, scale)
    return f"{MARKS[word]} {said_at(item, scale)}"


def look_at(item: Claim, scale: str) -> str:
    """The class of a box in the colour of the verdict at a scale."""
    found = evidence_at(item, scale)
    return found.verdict.word.replace(" ", "-") if found else "claim"


def is_measured(item: Claim) -> bool:
    """Whether there is a verdict on CIFAR-10."""
    return evidence_at(item, CIFAR10) is not None


def scaled_words(item: Claim) -> str:
    """The marked words with their scales; that of CIFAR-10 where it is measured."""
    scales = (DIGITS, CIFAR10) if is_measured(item) else (DIGITS,)
    return ", ".join(f"{marked_word(item, scale)} ({SCALES[scale]})" for scale in scales)


def clause(effect: Effect) -> str:
    """What a claim says in a part, or what is measured; a reader never sees the part's key."""
    return effect.says or effect.sentence
