"""How normalizers stand among the other layers (T6): what comes before, after, and twice."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from bnlab.doctor.case import Case
from bnlab.doctor.code import for_each, names_code
from bnlab.doctor.finding import LOOK, NOTE, WRONG, Finding, named
from bnlab.doctor.layers import UNKNOWN, Norm
from bnlab.doctor.passes.probe import FEATURES_LAST, WEIGHTED, Call

APART = 0.2
"""Distance of the statistics of two calls, in standard deviations, from which on it is told."""


def check_bias(case: Case) -> Iterator[Finding]:
    """A bias that the next layer's mean takes out again. It costs a little and harms nothing."""
    modules = dict(case.model.named_modules())
    norms = {norm.name: norm for norm in case.norms}
    pairs = []
    for source, name in dict.fromkeys(case.seen.direct):
        layer, norm = modules[source], norms[name]
        bias = getattr(layer, "bias", None) if isinstance(layer, WEIGHTED) else None
        alone = case.seen.trace.taken.get(source) == [name]
        if not (norm.centres and alone and norm.from_batch and bias is not None):
            continue
        if len(bias) == norm.num_features:
            pairs.append((source, name))
    if not pairs:
        return
    layers = tuple(source for source, _ in pairs)
    code = (
        f"for layer, norm in [{', '.join(str(pair) for pair in pairs)}]:\n"
        "    layer, norm = model.get_submodule(layer), model.get_submodule(norm)\n"
        "    if norm.running_mean is not None:\n"
        "        norm.running_mean -= layer.bias.detach()\n"
        "    layer.bias = None"
    )
    yield Finding(
        "bias-before-norm",
        NOTE,
        layers,
        f"The bias of {named(layers)} goes straight into BatchNorm, which subtracts the mean, and "
        "with it the bias. It costs a little memory and time, and harms nothing.",
        "Make the layer with bias=False; BatchNorm has a bias of its own.",
        code,
        {"layers": len(layers)},
    )


def check_norm_after_norm(case: Case) -> Iterator[Finding]:
    """A normalizer whose output nothing takes but another normalizer.

    Of LayerNorm and its like it is a note: transformers have a last one of the last block and one
    of the whole, and both are trained so.
    """
    norms = {norm.name: norm for norm in case.norms}
    pairs = [
        (norms[source], norms[name])
        for source, name in dict.fromkeys(case.seen.direct)
        if source in norms and source != name and not norms[source].activates
        if case.seen.trace.taken.get(source) == [name]
    ]
    told = [pair for pair in pairs if any(norm.of_batch for norm in pair)]
    for found, severity in ((told, LOOK), ([pair for pair in pairs if pair not in told], NOTE)):
        if found:
            yield _in_a_row(found, severity)


def _in_a_row(pairs: list[tuple[Norm, Norm]], severity: str) -> Finding:
    first, second = ([name] for name in (pairs[0][0].name, pairs[0][1].name))
    return Finding(
        "norm-after-norm",
        severity,
        tuple(dict.fromkeys(norm.name for pair in pairs for norm in pair)),
        f"{named(second)} normalizes what {named(first)} gives, with nothing between them, so that "
        f"weight and bias of {named(first)} count for nothing or little.",
        "Take one of them out.",
        f"for name in {names_code([second.name for _, second in pairs])}:\n"
        '    parent, _, last = name.rpartition(".")\n'
        "    setattr(model.get_submodule(parent), last, nn.Identity())",
        {"pairs": len(pairs)},
    )


def check_zero_gamma(case: Case) -> Iterator[Finding]:
    """A weight of zeros, unless the layer ends a branch that is added to something."""
    layers = case.seen.cut
    if not layers:
        return
    norms = [norm for norm in case.norms if norm.name in layers]
    yield Finding(
        "zero-gamma",
        WRONG,
        layers,
        f"The weight (gamma) of {named(layers)} is 0 in every channel, so that what comes out "
        "does not depend on what goes in; and no other path goes past the layer.",
        "Start it at 1. A start at 0 belongs at the end of a residual branch only.",
        for_each(norms, "nn.init.ones_(layer.weight)"),
        {"layers": len(layers)},
    )


def check_shared(case: Case) -> Iterator[Finding]:
    """One BatchNorm in several places: one pair of running statistics for several inputs."""
    calls: dict[str, list[Call]] = {}
    for call in case.seen.calls:
        if call.norm.tracks and case.training[call.norm.name]:
            calls.setdefault(call.norm.name, []).append(call)
    apart = {name: _apart(row) for name, row in calls.items() if len(row) > 1}
    if not apart:
        return
    layers = tuple(apart)
    worst = max(apart, key=apart.get)
    differ = apart[worst] > APART
    often = len(calls[worst])
    yield Finding(
        "shared-norm",
        (WRONG if apart[worst] > 1 else LOOK) if differ else NOTE,
        tuple(name for name in layers if apart[name] > APART) if differ else layers,
        f"{named([worst])} is called {often} times in one forward pass, and its inputs differ by "
        f"{apart[worst]:.2g} standard deviations: in training mode each call has statistics of "
        "its own, in evaluation mode all share one running mean and variance.",
        "Make a BatchNorm for each place; weight and bias may be shared."
        if differ
        else "Nothing has to be done while the inputs are alike.",
        "self.norm1, self.norm2 = nn.BatchNorm2d(channels), nn.BatchNorm2d(channels)"
        if differ
        else "",
        {"calls": often, "apart": apart[worst]},
    )


def _apart(calls: list[Call]) -> float:
    """The largest distance of two calls' statistics, in standard deviations: a median."""
    first, found = calls[0], 0.0
    for call in calls[1:]:
        eps = call.norm.eps
        spread = torch.maximum(first.var, call.var) + eps
        of_mean = (first.mean - call.mean).abs() / spread.sqrt()
        of_deviation = ((first.var + eps) / (call.var + eps)).log().abs() / 2
        distance = torch.maximum(of_mean, of_deviation)
        chance = 2.5 * torch.maximum(first.noise, call.noise)
        found = max(found, float(torch.where(distance > chance, distance, 0.0).median()))
    return found


def check_axis(case: Case) -> Iterator[Finding]:
    """Features on the last axis, channels on axis 1."""
    modules = dict(case.model.named_modules())
    norms = {norm.name: norm for norm in case.norms}
    found = {}
    for source, name in case.seen.aligned:
        shape = case.seen.shapes.get(name, ())
        last = isinstance(modules[source], FEATURES_LAST)
        if source in norms:
            last = norms[source].axis == -1 and norms[source].kind != UNKNOWN
        if last and norms[name].axis == 1 and len(shape) > 2:
            found[name] = (source, shape)
    if not found:
        return
    name, (source, shape) = next(iter(found.items()))
    yield Finding(
        "channel-axis",
        WRONG,
        tuple(found),
        f"{named([source])} gives features on the last axis, shape {shape}, and {named([name])} "
        f"takes axis 1 for the channels: it normalizes each of the {shape[1]} positions over the "
        f"{shape[-1]} features.",
        f"Make it for {shape[-1]} channels, and bring them to axis 1.",
        f"norm = nn.BatchNorm1d({shape[-1]})\nx = norm(x.transpose(1, -1)).transpose(1, -1)",
        {"positions": shape[1], "features": shape[-1]},
    )
