"""Weight decay on the parameters of normalizers (T5)."""

from __future__ import annotations

from collections.abc import Iterator

from bnlab.doctor.case import Case
from bnlab.doctor.finding import LOOK, Finding, named

SPLIT = """\
kinds = {kinds}
kept = {{p for m in model.modules() if type(m).__name__ in kinds for p in m.parameters(False)}}
for group in list(optimizer.param_groups):
    own = [p for p in group["params"] if p in kept]
    if own and group["weight_decay"]:
        group["params"] = [p for p in group["params"] if p not in kept]
        optimizer.add_param_group({{**group, "params": own, "weight_decay": 0.0}})"""


def check_decay(case: Case) -> Iterator[Finding]:
    """Groups of an optimizer that shrink gamma and beta."""
    decay = {
        parameter: group["weight_decay"]
        for optimizer in case.told.optimizers
        for group in optimizer.param_groups
        if group.get("weight_decay")
        for parameter in group["params"]
    }
    found = {
        norm: [decay[p] for p in norm.parameters.values() if p in decay and p.requires_grad]
        for norm in case.norms
    }
    decayed = [norm for norm, rates in found.items() if rates]
    if not decayed:
        return
    layers = tuple(norm.name for norm in decayed)
    largest = max(max(found[norm]) for norm in decayed)
    kinds = tuple(dict.fromkeys(type(norm.module).__name__ for norm in decayed))
    yield Finding(
        "weight-decay",
        LOOK,
        layers,
        f"Weight decay of {largest:g} also shrinks weight and bias (gamma and beta) of "
        f"{named(layers)}. They set the scale of the outputs and are few; recipes of today leave "
        "them out.",
        "Give them a group of their own without weight decay.",
        SPLIT.format(kinds=list(kinds)),
        {"weight_decay": largest, "layers": len(layers)},
    )
