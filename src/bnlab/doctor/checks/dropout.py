"""Dropout before a normalizer (T7), from what was measured with it and without."""

from __future__ import annotations

import math
from collections.abc import Iterator

from torch import nn

from bnlab.doctor.case import Case
from bnlab.doctor.code import names_code
from bnlab.doctor.finding import LOOK, NOTE, WRONG, Finding, named
from bnlab.doctor.passes.dropout import Change

NOTED, TOLD, LARGE = 0.05, 0.15, 0.3
"""Changes of the log variance from which on they are noted, told, and called wrong. Those of a
dropout of 0.1 somewhere in a residual branch, as in MobileViT, are not told."""


def check_dropout(case: Case) -> Iterator[Finding]:
    """Dropout that changes the variance at a normalizer with running statistics."""
    sizes = {change: abs(math.log(change.ratio)) for change in case.dropout}
    seen = {one: size for one, size in sizes.items() if size > max(NOTED, 2 * one.error)}
    told = [change for change, size in seen.items() if size > TOLD]
    if told:
        yield _changed(case, told, WRONG if max(map(seen.get, told)) > LARGE else LOOK)
    elif seen:
        yield _changed(case, list(seen), NOTE)


def _changed(case: Case, changes: list[Change], severity: str) -> Finding:
    worst = max(changes, key=lambda change: abs(math.log(change.ratio)))
    layers = tuple(change.layer for change in changes)
    dropouts = tuple(dict.fromkeys(change.dropout for change in changes))
    return Finding(
        "dropout-before-norm",
        severity,
        layers,
        f"Dropout in {named(dropouts)} comes before {named(layers)}: in training mode, the "
        f"variance that {named([worst.layer])} sees is {worst.ratio:.2f} times that without "
        f"dropout (p = {worst.p:g}), which is what it gets in evaluation mode; its running "
        "variance is that of training.",
        "Put dropout behind the last BatchNorm, before the last linear layer, or do without it.",
        _without(case, dropouts),
        {"ratio": worst.ratio, "p": worst.p},
    )


def _without(case: Case, dropouts: tuple[str, ...]) -> str:
    kind = nn.modules.dropout._DropoutNd
    layers = [name for name in dropouts if isinstance(case.model.get_submodule(name), kind)]
    if not layers:
        return "# the dropout is a call of a function: give it p=0, or take it out"
    return (
        f"for name in {names_code(layers)}:\n"
        "    model.get_submodule(name).p = 0.0  # and one nn.Dropout before the last layer"
    )
