"""Dropout before a normalizer (T7), from what was measured with it and without."""

from __future__ import annotations

import math
from collections.abc import Iterator

from bnlab.doctor.case import Case
from bnlab.doctor.code import names_code
from bnlab.doctor.finding import LOOK, WRONG, Finding, named

SMALL, LARGE = 0.05, 0.25
"""Changes of the log variance: smaller ones are not told; larger ones are called wrong."""


def check_dropout(case: Case) -> Iterator[Finding]:
    """Dropout that changes the variance at a normalizer with running statistics."""
    found = []
    for change in case.dropout:
        size = abs(math.log(change.ratio))
        if size > SMALL and size > 2 * change.error:
            found.append((size, change))
    if not found:
        return
    size, worst = max(found, key=lambda pair: pair[0])
    layers = tuple(change.layer for _, change in found)
    dropouts = tuple(dict.fromkeys(change.dropout for _, change in found))
    yield Finding(
        "dropout-before-norm",
        WRONG if size > LARGE else LOOK,
        layers,
        f"Dropout {named(dropouts)} comes before {named(layers)}: in training mode, the variance "
        f"that {named([worst.layer])} sees is {worst.ratio:.2f} times that without dropout "
        f"(p = {worst.p:g}), which is what it gets in evaluation mode, and its running variance "
        "holds the former.",
        "Put dropout behind the last BatchNorm, before the last linear layer, or do without it.",
        f"for name in {names_code(dropouts)}:\n"
        "    model.get_submodule(name).p = 0.0  # and one nn.Dropout before the last layer",
        {"ratio": worst.ratio, "p": worst.p},
    )
