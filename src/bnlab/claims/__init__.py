"""The claims of the papers, their evidence and their verdicts.

``load("B1")`` reads the evidence that comes with the book, ``measure("B1")`` makes it anew.
"""

from __future__ import annotations

from bnlab import chapters
from bnlab.claims.order import in_order
from bnlab.verdicts import evidence
from bnlab.verdicts.evidence import Evidence
from bnlab.verdicts.interval import interval
from bnlab.verdicts.parts import Effect, Judgement, judge
from bnlab.verdicts.verdict import Change, Claim, Verdict, decide

CLAIMS: dict[str, Claim] = in_order(
    [claim for claims in chapters.collected("claims", "CLAIMS") for claim in claims],
    chapters.SERIES,
)


def claim(name: str) -> Claim:
    """The claim with this id, such as "B1"."""
    return evidence.find(CLAIMS, name)


def load(name: str, engine: str | None = None) -> Evidence:
    """The evidence that comes with the book for the claim with this id; see ``evidence.load``."""
    return evidence.load(claim(name), engine=engine)


def measure(name: str, **options: object) -> Evidence:
    """Measure the claim with this id here and now; see ``evidence.measure``."""
    return evidence.measure(claim(name), **options)


__all__ = [
    "CLAIMS",
    "Change",
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
