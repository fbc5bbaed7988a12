"""Running statistics that do not fit (T1): right in training mode, chance in evaluation mode."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch

from bnlab.doctor.case import Case
from bnlab.doctor.code import for_each, recompute
from bnlab.doctor.finding import LOOK, NOTE, WRONG, Finding, named
from bnlab.doctor.layers import Norm
from bnlab.doctor.passes.probe import Call

FAR, TIMES_NOISE, VERY_FAR = 0.3, 2.5, 1.0
"""In standard deviations of the batch: less than ``FAR`` is not told, nor less than so many times
what another batch of this size would differ; ``VERY_FAR`` is called wrong."""

BEGUN = 10
"""A run of fewer batches than this has only begun: nobody expects its statistics to be right."""

SLOW = 0.01
"""A momentum below this is told after fewer batches, too."""

LONG = 20_000
"""Steps that no momentum should need."""

LEFT = 0.1
"""Share of the starting values that may be left in running statistics."""


@dataclass(frozen=True)
class Distance:
    """How far the running statistics of a layer are from those of the batch.

    Attributes:
        norm: the layer.
        mean: median over channels of the distance of the means, in standard deviations.
        var: median over channels of running variance over the batch's.
        size: median over channels of the larger of the two, as standard deviations.
        noise: the median of what another batch of this size would differ.
    """

    norm: Norm
    mean: float
    var: float
    size: float
    noise: float

    @property
    def is_far(self) -> bool:
        """Whether it is large, and larger than chance makes it."""
        return self.size > max(FAR, TIMES_NOISE * self.noise)


def check_statistics(case: Case) -> Iterator[Finding]:
    """NaN, statistics that never moved, a momentum too small, and statistics of other weights."""
    tracking = [norm for norm in case.norms if norm.tracks]
    broken = [norm for norm in tracking if not _is_finite(norm)]
    if broken:
        yield _not_finite(case, broken)
    moving = [norm for norm in tracking if norm not in broken and norm.momentum != 0]
    start = [norm for norm in moving if norm.at_start and case.is_trained(norm)]
    if start:
        yield _untouched(case, start)
    slow = [norm for norm in moving if case.training[norm.name] and _is_too_small(case, norm)]
    if slow:
        yield _too_small(case, slow)
    if case.told.representative:
        yield from _far(case, [norm for norm in moving if not norm.at_start and norm not in slow])


def _is_finite(norm: Norm) -> bool:
    values = norm.running.values()
    return all(bool(torch.isfinite(value.float()).all()) for value in values)


def _not_finite(case: Case, norms: list[Norm]) -> Finding:
    layers = tuple(norm.name for norm in norms)
    starts = {name: float(name != "running_mean") for norm in norms for name in norm.running}
    reset = for_each(norms, *(f"layer.{name}.fill_({start})" for name, start in starts.items()))
    return Finding(
        "statistics-not-finite",
        WRONG,
        layers,
        f"The running statistics of {named(layers)} hold NaN or infinity, so that evaluation mode "
        "gives NaN whatever the input. One batch with an overflow, often in half precision, is "
        "enough, and no later batch takes it out again.",
        "Set them back and compute them anew; keep the layer's input in float32.",
        f"{reset}\n{recompute(norms, case.batch.by_name)}",
        {"layers": len(norms)},
    )


def _untouched(case: Case, norms: list[Norm]) -> Finding:
    layers = tuple(norm.name for norm in norms)
    averaged = case.averages
    why = (
        "They are averages of others' weights, whose statistics nobody has computed."
        if averaged
        else "Either training went on in evaluation mode, or the weights were loaded without the "
        "buffers."
    )
    return Finding(
        "averaged-weights" if averaged else "statistics-untouched",
        WRONG,
        layers,
        f"The weights have been trained, but the running statistics of {named(layers)} are those "
        f"of a new layer: mean 0, variance 1, no batch seen. {why}",
        "Compute the statistics anew; call model.train() in the training loop, and save "
        "model.state_dict() as a whole.",
        recompute(norms, case.batch.by_name),
        {"batches": 0},
    )


def _is_too_small(case: Case, norm: Norm) -> bool:
    """Whether the momentum is too small for the run to come, or for any run."""
    if norm.momentum is None:
        return False
    steps = case.told.steps or LONG
    return (1 - norm.momentum) ** steps > LEFT


def _too_small(case: Case, norms: list[Norm]) -> Finding:
    steps = case.told.steps or LONG
    worst = min(norms, key=lambda norm: norm.momentum)
    left, enough = (1 - worst.momentum) ** steps, _enough(steps)
    layers = tuple(norm.name for norm in norms)
    return Finding(
        "momentum-too-small",
        WRONG,
        layers,
        f"With momentum {worst.momentum:g}, {steps} steps leave {100 * left:.0f} % of the starting "
        f"values in the running statistics of {named(layers)}.",
        f"Take a larger momentum: with {enough:.2g} less than 5 % are left.",
        for_each(norms, f"layer.momentum = {enough:.2g}"),
        {"momentum": worst.momentum, "steps": steps, "left": left},
    )


def _enough(steps: int) -> float:
    """The momentum that leaves 5 % of the starting values, or torch's default."""
    return max(0.1, 1 - 0.04 ** (1 / max(steps, 1)))


def _far(case: Case, norms: list[Norm]) -> Iterator[Finding]:
    distances = {one.norm: one for call in case.seen.calls if (one := _distance(call))}
    far = [distances[norm] for norm in norms if norm in distances and distances[norm].is_far]
    young = [one for one in far if _is_young(case, one.norm)]
    if young:
        yield _young(young)
    rest = [one for one in far if one not in young]
    slow = [one for one in rest if _left(one.norm) > LEFT and not case.averages]
    if slow:
        yield _slow(case, slow)
    other = [one for one in rest if one not in slow]
    if other:
        yield _other(case, other)


def _is_young(case: Case, norm: Norm) -> bool:
    few = norm.batches is None or 0 < norm.batches < BEGUN
    slow = norm.momentum is not None and norm.momentum < SLOW and (norm.batches or 0) > 2
    return few and not slow and not case.is_trained(norm)


def _left(norm: Norm) -> float:
    """The share of the starting values in the running statistics; 0 where it is not known."""
    if not norm.batches or norm.momentum is None:
        return 0.0
    return (1 - norm.momentum) ** norm.batches


def _distance(call: Call) -> Distance | None:
    """None for a layer that has no running mean or variance, or whose input was not finite."""
    running, eps = call.norm.running, call.norm.eps
    if call.values < 2 or "running_var" not in running or not bool(call.var.isfinite().all()):
        return None
    spread = call.var + eps
    var = running["running_var"].detach().double().cpu() + eps
    mean = running.get("running_mean")
    mean = call.mean if mean is None else mean.detach().double().cpu()
    of_mean = (mean - call.mean).abs() / spread.sqrt()
    ratio = var / spread
    size = torch.maximum(of_mean, ratio.log().abs() / 2)
    rows = (of_mean, ratio, size, call.noise)
    return Distance(call.norm, *(float(row.median()) for row in rows))


def _numbers(far: list[Distance]) -> tuple[Distance, dict[str, float]]:
    worst = max(far, key=lambda one: one.size)
    return worst, {"mean": worst.mean, "var": worst.var, "noise": worst.noise}


def _sentence(far: list[Distance], worst: Distance) -> str:
    layers = [one.norm.name for one in far]
    return (
        f"The running statistics of {named(layers)} are not those of this batch. In "
        f"{named([worst.norm.name])} the running mean is {worst.mean:.2g} standard deviations from "
        f"the batch's, and the running variance {worst.var:.2g} times the batch's (medians over "
        "the channels)"
    )


def _young(far: list[Distance]) -> Finding:
    worst, numbers = _numbers(far)
    return Finding(
        "statistics-young",
        NOTE,
        tuple(one.norm.name for one in far),
        f"{_sentence(far, worst)}. They have seen few batches, as training has only begun.",
        "Nothing has to be done; evaluation mode means little yet.",
        numbers=numbers,
    )


def _slow(case: Case, far: list[Distance]) -> Finding:
    worst, numbers = _numbers(far)
    norms = [one.norm for one in far]
    slowest = max(norms, key=_left)
    left, enough = _left(slowest), _enough(slowest.batches)
    return Finding(
        "momentum-too-small",
        WRONG,
        tuple(norm.name for norm in norms),
        f"{_sentence(far, worst)}. With momentum {slowest.momentum:g}, {slowest.batches} batches "
        f"have left {100 * left:.0f} % of the starting values in them.",
        "Take a larger momentum, and compute the statistics anew for the weights as they are.",
        for_each(norms, f"layer.momentum = {enough:.2g}")
        + f"\n{recompute(norms, case.batch.by_name)}",
        {**numbers, "momentum": slowest.momentum, "batches": slowest.batches, "left": left},
    )


def _other(case: Case, far: list[Distance]) -> Finding:
    worst, numbers = _numbers(far)
    norms = [one.norm for one in far]
    why = (
        "The weights are averages over a run, and the statistics are those of other weights."
        if case.averages
        else "Another batch of this size would differ by about "
        f"{worst.noise:.2g}. They belong to other weights (averaged or loaded ones), to other "
        "data, or to the last few batches of a run."
    )
    return Finding(
        "averaged-weights" if case.averages else "statistics-far",
        WRONG if worst.size > VERY_FAR or case.averages else LOOK,
        tuple(norm.name for norm in norms),
        f"{_sentence(far, worst)}. {why}",
        "If this batch is like the training data, compute the statistics anew for the weights as "
        "they are.",
        recompute(norms, case.batch.by_name),
        numbers,
    )
