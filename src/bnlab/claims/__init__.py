"""The claims of the papers, their evidence and their verdicts.

``load("B1")`` reads the evidence that comes with the book, ``measure("B1")`` makes it anew.
"""

from __future__ import annotations

from bnlab.claims import evidence, learning_rates, signals
from bnlab.claims.evidence import Evidence
from bnlab.claims.verdict import Claim, Effect, Judgement, Verdict, decide, interval, judge

CLAIMS: dict[str, Claim] = {
    claim.id: claim
    for claim in sorted((*learning_rates.CLAIMS, *signals.CLAIMS), key=lambda claim: claim.id)
}


def claim(name: str) -> Claim:
    """The claim with this id, such as "B1"."""
    return evidence.find(CLAIMS, name)


def load(name: str) -> Evidence:
    """The evidence that comes with the book for the claim with this id."""
    return evidence.load(claim(name))


def measure(name: str, **options: object) -> Evidence:
    """Measure the claim with this id here and now; see ``evidence.measure``."""
    return evidence.measure(claim(name), **options)


__all__ = [
    "CLAIMS",
    "Claim",
    "Effect",
    "Evidence",
    "Judgement",
    "Verdict",
    "claim",
    "decide",
    "interval",
    "judge",
    "load",
    "measure",
]
