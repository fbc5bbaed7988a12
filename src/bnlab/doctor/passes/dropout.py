"""Dropout before a normalizer: the variance in training is not that of evaluation mode."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from bnlab.doctor.inputs import Batch
from bnlab.doctor.layers import Norm
from bnlab.doctor.passes.probe import Call, Probe, probe
from bnlab.doctor.passes.trace import WithoutDropout

DRAWS = 4


@dataclass(frozen=True)
class Change:
    """What dropout does to the input of one normalizer.

    Attributes:
        layer: the normalizer.
        dropout: the name of the last dropout before it.
        p: its share of zeros.
        ratio: variance with dropout over that without, a geometric mean over channels.
        error: standard error of the logarithm of the ratio.
    """

    layer: str
    dropout: str
    p: float
    ratio: float
    error: float


def dropout_changes(model: nn.Module, norms: list[Norm], batch: Batch, seen: Probe) -> list[Change]:
    """Compare passes with dropout and one without, in training mode, at each normalizer.

    Both normalize with the batch's own statistics, so what a change does further up is gone at the
    next normalizer, and each change belongs to the dropout just before it.
    """
    affected = [call for call in seen.calls if call.after and call.norm.tracks]
    if not affected:
        return []
    with WithoutDropout():
        off = probe(model, norms, batch)
    draws = [seen, *(probe(model, norms, batch) for _ in range(DRAWS - 1))]
    found = {}
    for index, call in enumerate(seen.calls):
        rows = [one.calls for one in (off, *draws)]
        if any(len(row) <= index or row[index].norm is not call.norm for row in rows):
            break  # the passes took different ways
        if call.after and call.norm.tracks:
            change = _change(call, [row[index] for row in rows])
            found.setdefault(call.norm.name, change)
    return [change for change in found.values() if change is not None]


def _change(call: Call, calls: list[Call]) -> Change | None:
    off, *on = (one.var for one in calls)
    alive = off > call.norm.eps * 1e-3
    if not bool(alive.any()):
        return None
    logs = (torch.stack(on).mean(0)[alive] / off[alive]).log()
    error = float(logs.std() / len(logs) ** 0.5) if len(logs) > 1 else 0.0
    name, p = call.after
    return Change(call.norm.name, name, p, float(logs.mean().exp()), error)
