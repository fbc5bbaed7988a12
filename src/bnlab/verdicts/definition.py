"""What a claim measures, as a digest: so that a later change of it does not go unnoticed."""

from __future__ import annotations

import hashlib
import json

from bnlab.verdicts.provenance import forms
from bnlab.verdicts.verdict import Claim

MEASURING = ("bnlab.chapters.", "bnlab.verdicts.tuning", "bnlab.verdicts.ties")
"""Modules that say what is measured; the others say how a net is built, trained and looked into."""

DEFINES = ("name", "unit", "margin", "kind", "target", "upper")


def definition(claim: Claim) -> str:
    """Sixteen hexadecimal digits that name the measures of a claim.

    They cover its effects with their margins, its core, and all definitions that ``measure`` and
    ``values`` reach in the modules of ``MEASURING``. A new kernel, another wording or a moved
    function changes nothing.

    Raises:
        ProvenanceError: if ``measure`` or ``values`` is no function at the top of a module.
    """
    effects = [[getattr(effect, name) for name in DEFINES] for effect in claim.effects]
    code = {form for start in (claim.measure, claim.values) for form in forms(start, MEASURING)}
    text = json.dumps([effects, sorted(claim.core), sorted(code)])
    return hashlib.sha256(text.encode()).hexdigest()[:16]
