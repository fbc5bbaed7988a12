"""Values: inputs whose variance is nothing beside eps, and weights that are not finite."""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch

from bnlab.doctor.case import Case
from bnlab.doctor.code import for_each
from bnlab.doctor.finding import LOOK, NOTE, WRONG, Finding, does, named
from bnlab.doctor.layers import Norm
from bnlab.doctor.passes.probe import Call

SHARE, DEAD = 0.5, 0.25
"""Of a layer's channels: how many have a variance below eps, or none at all, before it is told.
With fewer, single channels are dead, as in many trained nets, which is a note."""

NOTHING = 1e-12
"""A variance, over the mean squared, which is rounding."""

USUAL = 1e-5
"""torch's eps."""

LARGEST = 1e-3
"""The largest eps that libraries take. With it or less, layers of new nets often have variances
below eps, which passes; then only a variance below ``TINY`` times eps is told. With a larger one,
a variance that is not ``AMPLE`` times eps is."""

TINY, AMPLE = 0.01, 10.0


def check_weights(case: Case) -> Iterator[Finding]:
    """NaN in the weights."""
    broken = [
        name
        for name, parameter in case.model.named_parameters()
        if not bool(torch.isfinite(parameter.detach()).all())
    ]
    if broken:
        yield Finding(
            "weights-not-finite",
            WRONG,
            tuple(dict.fromkeys(name.rpartition(".")[0] for name in broken)),
            f"{named(broken)} {'holds' if len(broken) == 1 else 'hold'} NaN or infinity: the run "
            "has diverged, and nothing that the model gives means anything.",
            "Go back to the last checkpoint before it, and take a smaller learning rate.",
            'model.load_state_dict(torch.load("checkpoint.pt"))',
            {"parameters": len(broken)},
        )


def check_variance(case: Case) -> Iterator[Finding]:
    """Constant channels, and an eps larger than the variance."""
    if case.batch.samples == 1 or case.batch.all_alike:
        return
    calls = {call.norm: call for call in _before_a_cut(case)}
    shares = {norm.name: _constant(call) for norm, call in calls.items()}
    constant = {name: share for name, share in shares.items() if share > DEAD}
    few = {name: share for name, share in shares.items() if 0 < share <= DEAD}
    for found, severity in ((constant, WRONG), (few, NOTE)):
        if found:
            yield _dead(found, severity)
    small = {
        norm: share
        for norm, call in calls.items()
        if norm.name not in constant and (share := _below_eps(call)) > SHARE
    }
    told = {norm: share for norm, share in small.items() if _is_told(case, norm)}
    for found, severity in (
        (told, LOOK),
        ({n: s for n, s in small.items() if n not in told}, NOTE),
    ):
        if found:
            yield _below(found, calls, severity)


def _dead(shares: dict[str, float], severity: str) -> Finding:
    worst = max(shares, key=shares.get)
    return Finding(
        "constant-channels",
        severity,
        tuple(shares),
        f"Of the channels that {does(tuple(shares), 'take')}, some are the same for all samples "
        f"and positions, {100 * shares[worst]:.0f} % of them in {named([worst])}: normalizing them "
        "gives the bias.",
        "Look at the layer before: weights of zero, a ReLU that never fires, or an input that is "
        "constant.",
        numbers={"share": shares[worst]},
    )


def _before_a_cut(case: Case) -> list[Call]:
    """The calls up to a layer whose weight is zero: behind it all is constant for that reason."""
    names = [call.norm.name for call in case.seen.calls]
    cuts = [names.index(name) for name in case.seen.cut if name in names]
    return case.seen.calls[: min(cuts, default=len(names)) + 1]


def _constant(call: Call) -> float:
    return float((call.var <= NOTHING * call.mean.square()).double().mean())


def _below_eps(call: Call) -> float:
    eps = call.norm.eps
    return float((call.var < (AMPLE if eps > LARGEST else TINY) * eps).double().mean())


def _is_told(case: Case, norm: Norm) -> bool:
    """Whether a small variance is a finding; in a new model with a usual eps it passes."""
    inputs = [tensor for tensor in case.batch.tensors() if tensor.is_floating_point()]
    tiny = any(float(tensor.float().var(unbiased=False)) < norm.eps for tensor in inputs)
    return norm.eps > LARGEST or tiny or case.is_trained(norm)


def _below(small: dict[Norm, float], calls: dict[Norm, Call], severity: str) -> Finding:
    layers = tuple(norm.name for norm in small)
    worst = max(small, key=small.get)
    var = float(calls[worst].var.median())
    eps = min(USUAL, 10.0 ** math.floor(math.log10(var / 100))) if var else USUAL
    return Finding(
        "eps-too-large",
        severity,
        layers,
        f"eps = {worst.eps:g} is not small beside the variance of {100 * small[worst]:.0f} % of "
        f"the channels that {named([worst.name])} takes (median {var:.2g}), so that what comes "
        "out is shrunk: its variance is var / (var + eps), not 1.",
        "Take a smaller eps, or look at why the input is so small.",
        for_each(list(small), f"layer.eps = {eps:.0e}"),
        {"eps": worst.eps, "var": var, "share": small[worst]},
    )
