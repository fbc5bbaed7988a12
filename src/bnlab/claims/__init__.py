"""The claims of the papers, their evidence and their verdicts.

``load("B1")`` reads the evidence that comes with the book, ``measure("B1")`` makes it anew.
"""

from __future__ import annotations

from bnlab import chapters
from bnlab.arguments import checked
from bnlab.claims.order import in_order
from bnlab.runs.own_context import in_own_context
from bnlab.verdicts import evidence
from bnlab.verdicts.evidence import Evidence
from bnlab.verdicts.interval import interval
from bnlab.verdicts.parts import Effect, Judgement, judge
from bnlab.verdicts.verdict import DIGITS, Change, Claim, Verdict, decide

CLAIMS: dict[str, Claim] = in_order(
    [claim for claims in chapters.collected("claims", "CLAIMS") for claim in claims],
    [claim for claims in chapters.collected("cifar10_claims", "CLAIMS") for claim in claims],
    chapters.SERIES,
)
"""All claims by id; each knows itself at the other scales, see ``Claim.at``."""


@checked
def claim(name: str, scale: str = DIGITS) -> Claim:
    """The claim with this id, such as "B1", on digits or as it is measured at another scale."""
    return evidence.find(CLAIMS, name).at(scale)


@checked
def load(name: str, engine: str | None = None, scale: str = DIGITS) -> Evidence:
    """The evidence that comes with the book for the claim with this id; see ``evidence.load``."""
    return evidence.load(claim(name), engine=engine, scale=scale)


@checked
@in_own_context
def measure(name: str, scale: str = DIGITS, **options: object) -> Evidence:
    """Measure the claim with this id here and now; see ``evidence.measure``."""
    return evidence.measure(claim(name, scale), **options)


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
