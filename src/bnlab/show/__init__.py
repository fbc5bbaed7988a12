"""What a chapter shows: boxes, sentences with measured numbers, and figures."""

from __future__ import annotations

from bnlab.claims import Evidence
from bnlab.errors import unknown
from bnlab.show import (
    batch_renorm,
    covariate_shift,
    group_size,
    group_training,
    learning_rates,
    mean_field,
    signals,
    smoothness,
)
from bnlab.show.boxes import claim_box, claims_table, say, verdict_box
from bnlab.show.family import methods_table
from bnlab.show.figure import Drawing
from bnlab.show.forest import forest
from bnlab.show.guide import guide, say_guide
from bnlab.show.scoreboard import say_failed, say_sum, scoreboard
from bnlab.show.source import source
from bnlab.show.style import STYLE

FIGURES = {
    **learning_rates.FIGURES,
    **signals.FIGURES,
    **covariate_shift.FIGURES,
    **smoothness.FIGURES,
    **mean_field.FIGURES,
    **batch_renorm.FIGURES,
    **group_size.FIGURES,
    **group_training.FIGURES,
}


def plot(evidence: Evidence) -> Drawing:
    """The figure that belongs to a claim, drawn from any evidence for it.

    Raises:
        ValueError: if the claim has none.
    """
    name = evidence.claim.id
    if name not in FIGURES:
        raise ValueError(unknown("figure for claim", name, FIGURES))
    return FIGURES[name](evidence)


__all__ = [
    "STYLE",
    "Drawing",
    "claim_box",
    "claims_table",
    "forest",
    "guide",
    "methods_table",
    "plot",
    "say",
    "say_failed",
    "say_guide",
    "say_sum",
    "scoreboard",
    "source",
    "verdict_box",
]
