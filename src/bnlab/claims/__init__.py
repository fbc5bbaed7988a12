"""The claims of the papers, their evidence and their verdicts.

``load("B1")`` reads the evidence that comes with the book, ``measure("B1")`` makes it anew.
"""

from __future__ import annotations

from bnlab.claims import (
    batch_renorm,
    binary_nets,
    bn_nas,
    covariate_shift,
    evidence,
    group_size,
    lawn,
    learning_rates,
    mean_field,
    mimicnorm,
    signals,
    smoothness,
)
from bnlab.claims.evidence import Evidence
from bnlab.claims.verdict import Claim, Effect, Judgement, Verdict, decide, interval, judge

SERIES = {"S": 6, "B": 9, "W": 4, "L": 6, "R": 5, "M": 5, "LW": 4, "BNN": 3, "N": 5}
"""How many claims each paper has, by the first letters of their ids."""

_MODULES = (
    covariate_shift,
    smoothness,
    learning_rates,
    signals,
    mean_field,
    group_size,
    batch_renorm,
    mimicnorm,
    lawn,
    binary_nets,
    bn_nas,
)
_known = {claim.id: claim for module in _MODULES for claim in module.CLAIMS}
CLAIMS: dict[str, Claim] = {
    name: _known[name]
    for series, count in SERIES.items()
    for name in (f"{series}{number}" for number in range(1, count + 1))
}


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
