"""What a chapter shows: boxes, sentences with measured numbers, and figures."""

from __future__ import annotations

from bnlab import chapters
from bnlab.arguments import checked
from bnlab.chapters.the_family.table import methods_table
from bnlab.draw.figure import Drawing
from bnlab.draw.style import STYLE
from bnlab.errors import unknown
from bnlab.show.boxes import (
    claim_box,
    claims_table,
    how_far,
    say,
    say_together,
    say_verdict,
    verdict_box,
)
from bnlab.show.chips import chips
from bnlab.show.compatibility import compatibility
from bnlab.show.findings import findings
from bnlab.show.forest import forest
from bnlab.show.guide import guide, say_guide
from bnlab.show.lectures import demonstrations, plan
from bnlab.show.scales import say_scales, scales
from bnlab.show.scenes import scenes
from bnlab.show.scoreboard import say_failed, say_sum, scoreboard
from bnlab.show.second_scale import on_cifar10
from bnlab.show.short import in_short
from bnlab.show.source import source
from bnlab.verdicts.evidence import Evidence

FIGURES = {
    name: figure
    for figures in chapters.collected("figures", "FIGURES")
    for name, figure in figures.items()
}


@checked
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
    "chips",
    "claim_box",
    "claims_table",
    "compatibility",
    "demonstrations",
    "findings",
    "forest",
    "guide",
    "how_far",
    "in_short",
    "methods_table",
    "on_cifar10",
    "plan",
    "plot",
    "say",
    "say_failed",
    "say_guide",
    "say_scales",
    "say_sum",
    "say_together",
    "say_verdict",
    "scales",
    "scenes",
    "scoreboard",
    "source",
    "verdict_box",
]
