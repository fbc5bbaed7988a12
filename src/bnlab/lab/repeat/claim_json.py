"""A claim as the page needs it to judge: its effects, its core, and the words of a verdict."""

from __future__ import annotations

from dataclasses import fields

from bnlab.arguments import checked
from bnlab.verdicts import parts, verdict
from bnlab.verdicts.verdict import SCALES, Claim

SAID = {
    "whole": verdict.WHOLE,
    "core": verdict.CORE,
    "condition": verdict.CONDITION,
    "again": verdict.AGAIN,
}


@checked
def claim_json(claim: Claim) -> dict[str, object]:
    """A claim, ready for JSON, for ``judge.js`` beside this file.

    Each effect has the fields of ``Effect`` but for its prediction. ``least_seeds`` is how many
    seeds a verdict needs; ``said`` has the beginnings of the sentences in a verdict.

    Raises:
        ValueError: for a claim without effects, which has no verdict.
    """
    if not claim.effects:
        raise ValueError(f"claim {claim.id} has no effects, so there is no verdict to repeat.")
    return {
        "id": claim.id,
        "scale": claim.scale,
        "where": SCALES[claim.scale],
        "core": list(claim.core),
        "setting": claim.setting,
        "least_seeds": verdict.LEAST_SEEDS,
        "effects": [_effect(effect) for effect in claim.effects],
        "said": SAID,
    }


def _effect(effect: parts.Effect) -> dict[str, object]:
    names = [field.name for field in fields(effect) if field.name != "predicted"]
    return {name: getattr(effect, name) for name in names}
