"""Titles of figures that say what the verdict says of its first parts."""

from __future__ import annotations

from collections.abc import Sequence

from bnlab.verdicts.evidence import Evidence
from bnlab.verdicts.verdict import LEAST_SEEDS


def titled(what: str, evidence: Evidence, places: Sequence[str]) -> str:
    """What is shown and, for each place, the word of its part; few seeds have no verdict."""
    if len(evidence.data["seeds"]) < LEAST_SEEDS:
        return what
    parts = zip(evidence.verdict.judgements, places, strict=False)
    return f"{what}: " + ", ".join(f"{one.word}{place}" for one, place in parts)
