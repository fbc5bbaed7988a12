"""The exercises of chapter 11. Each check returns a hint, or nothing for a right answer."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable

import torch
from torch import Tensor

from bnlab.optim.agc import clip_units
from bnlab.train import Run

FAN_IN = 144  # weights of a filter: 16 channels of 3 x 3
SHARE = math.comb(FAN_IN, FAN_IN // 2) / 2**FAN_IN  # only a sum of zero lies between -1 and 1
ADAM = 0.9, 0.999  # decay of the two averages
CLIP, FLOOR = 0.1, 1e-3


def sum_of_signs(answer: object) -> str:
    """11.1: standard deviation of a sum of 144 signs, and the share of it in the window."""
    if not isinstance(answer, tuple | list) or len(answer) != 2:
        return "Give two numbers: (standard deviation, share between -1 and 1)."
    sd, share = (float(part) for part in answer)
    if math.isclose(sd, FAN_IN, rel_tol=0.02):
        return "Standard deviation: that is the variance. Each of the signs adds 1 to it."
    if math.isclose(sd, 1, rel_tol=0.02):
        return "Standard deviation: that is the one of a single sign. Variances add up."
    if not math.isclose(sd, math.sqrt(FAN_IN), rel_tol=0.02):
        return "Standard deviation: independent variances add up, and a sign has variance 1."
    if math.isclose(share, 0.683, abs_tol=0.02):
        return "Share: that would be so for a standard deviation of 1. Yours is larger."
    if math.isclose(share, 100 * SHARE, rel_tol=0.1):
        return "Share: give a share, not per cent."
    if math.isclose(share, SHARE / 2, rel_tol=0.1):
        return "Share: that is one side. The window reaches from -1 to 1."
    if math.isclose(share, 1 - SHARE, rel_tol=0.02):
        return "Share: that is what lies outside."
    if not math.isclose(share, SHARE, rel_tol=0.1):
        return (
            "Share: a normal number with your standard deviation; how often is it below 1 in size?"
        )
    return ""


def clipped(answer: object) -> str:
    """11.2: a function (grad, weight) that clips the gradient of each filter."""
    if not callable(answer):
        return "Give the function itself, without calling it: check('11.2', clipped)."
    generator = torch.Generator().manual_seed(0)
    size = torch.tensor([1.0, 0.1, 3.0, 0.0]).reshape(4, 1, 1, 1)
    weight = size * torch.randn(4, 2, 3, 3, generator=generator)
    longer = torch.tensor([1.0, 1.0, 0.001, 1.0]).reshape(4, 1, 1, 1)
    return _compare(answer, longer * torch.randn(weight.shape, generator=generator), weight)


def _compare(answer: Callable, grad: Tensor, weight: Tensor) -> str:
    found = answer(grad.clone(), weight.clone())
    if found is None:
        return "Your function returns nothing yet. End it with return and the new gradient."
    if not isinstance(found, Tensor) or found.shape != grad.shape:
        return f"Return a tensor of the gradient's shape, {tuple(grad.shape)}."
    if not torch.isfinite(found).all():
        return "Not all of it is finite. Do not divide by a norm that can be zero."
    if torch.allclose(found, clip_units(grad, weight, CLIP, FLOOR), atol=1e-7):
        return ""
    norms = [torch.linalg.vector_norm(t, dim=(1, 2, 3), keepdim=True) for t in (grad, weight)]
    limit = CLIP * norms[1].clamp(min=FLOOR)
    whole = CLIP * torch.linalg.vector_norm(weight) / torch.linalg.vector_norm(grad)
    for wrong, hint in (
        (grad * limit / norms[0], "You also make short gradients longer. Clip only those above."),
        (grad * whole, "That takes the tensor as one unit. Each filter has a limit of its own."),
        (
            grad * (CLIP * norms[1] / norms[0]).clamp(max=1),
            "A filter of zeros can never move now. Count each norm of weights as 1e-3 or more.",
        ),
    ):
        if torch.allclose(found, wrong, atol=1e-7):
            return hint
    return (
        "Not right yet. For each filter: its gradient may be at most 0.1 times as long as its "
        "weights; a longer one is scaled to that, a shorter one is left as it is."
    )


def halved(answer: object) -> str:
    """11.3: the first step of SGD and of Adam with half the gradient, and Adam's second step."""
    if not isinstance(answer, tuple | list) or len(answer) != 3:
        return "Give three numbers: (SGD's first step, Adam's first step, Adam's second step)."
    sgd, adam, second = (float(part) for part in answer)
    if math.isclose(sgd, 0.25, rel_tol=0.02):
        return "SGD: its step is the learning rate times the gradient. It is not squared."
    if not math.isclose(sgd, 0.5, rel_tol=0.02):
        return "SGD: its step is the learning rate times the gradient, and the gradient is halved."
    if math.isclose(adam, 0.5, rel_tol=0.02):
        return "Adam, first step: it divides by the root of the mean square, which is halved too."
    if not math.isclose(adam, 1, rel_tol=0.02):
        return "Adam, first step: one average over the root of the other, both of one gradient."
    if math.isclose(second, 1, rel_tol=0.01):
        return "Adam, second step: now the averages hold one whole gradient and one half one."
    if math.isclose(second, 0.5, rel_tol=0.02):
        return "Adam, second step: that is SGD's. Adam averages over what came before."
    if math.isclose(second, _average(ADAM[0], 0.5), rel_tol=0.005):
        return "Adam, second step: that is the first average. Divide by the root of the second."
    if not math.isclose(second, second_step(), rel_tol=0.01):
        return (
            "Adam, second step: the averages are (0.9 * 1 + 0.5) / 1.9 of the gradients and "
            "(0.999 * 1 + 0.25) / 1.999 of their squares."
        )
    return ""


def _average(decay: float, newest: float) -> float:
    return (decay + newest) / (decay + 1)  # of 1 and the newest, with the bias corrected


def second_step() -> float:
    """Adam's second step, in multiples of its first, if the second gradient is halved."""
    return _average(ADAM[0], 0.5) / math.sqrt(_average(ADAM[1], 0.25))


STARTS = tuple(itertools.product(("mean_abs", "none"), ("centred", "positive")))
"""What else could be at fault in 11.4: the scale of the filters, and their first weights."""


def what_is_missing(answer: object) -> str:
    """11.4: Runs that can tell whether BatchNorm is missing, or a scale, a start or a rate."""
    if not isinstance(answer, list | tuple) or not all(isinstance(run, Run) for run in answer):
        return "Give a list of Runs: [Run(net='binary', norm=..., net_options=..., lr=...), ...]."
    plan = set(answer)
    if len(plan) < len(answer):
        return "Some Runs are in your list twice. A seed that is counted twice is no second seed."
    if {run.net for run in plan} - {"binary"} or {run.norm for run in plan} - {"batch", "none"}:
        return "Compare binary nets with norm='batch' and norm='none', and nothing else."
    if len({run.replace(norm="none", net_options={}, lr=1, seed=0) for run in plan}) > 1:
        return "Runs differ in more than norm, net_options, rate and seed. Change nothing else."
    rest = {
        tuple(sorted((k, v) for k, v in run.net_options.items() if k not in KNOBS)) for run in plan
    }
    if len(rest) > 1:
        return "Of net_options, vary only scale and first_weights."
    grids: dict[tuple, set] = {}
    for run in plan:
        kind = tuple(run.net_options.get(key, default) for key, default in KNOBS.items())
        grids.setdefault((run.norm, *kind), set()).add((run.lr, run.seed))
    return _complete(grids)


KNOBS = {"scale": "mean_abs", "first_weights": "centred"}
"""The two options and what they are if nothing is said."""


def _complete(grids: dict[tuple, set]) -> str:
    kinds = set(grids)
    if {norm for norm, *_ in kinds} != {"batch", "none"}:
        return "Both nets belong in the plan, with BatchNorm and without."
    for place, (name, value) in enumerate(
        (("scale", "none"), ("first_weights", "positive")), start=1
    ):
        if len({kind[place] for kind in kinds}) < 2:
            other = KNOBS[name]
            return f"You never vary {name}: take both '{other}' and '{value}', in both nets."
    if kinds != {(norm, *start) for norm in ("batch", "none") for start in STARTS}:
        return "Cross them: both nets with both scales from both kinds of first weights."
    if len({frozenset(grid) for grid in grids.values()}) > 1:
        return "Every net needs the same rates with the same seeds."
    grid = next(iter(grids.values()))
    lrs, seeds = ({one[at] for one in grid} for at in (0, 1))
    if len(lrs) < 4 or max(lrs) < 30 * min(lrs):
        return "Use at least 4 learning rates over a factor of 30 or more, the same for all."
    if len(grid) < len(lrs) * len(seeds):
        return "The grid has holes: take every rate with every seed."
    if len(seeds) < 10:
        return (
            f"{len(seeds)} seeds: some must choose the rate, and at least 8 others be counted. "
            "Use at least 10."
        )
    return ""


EXERCISES = {
    "11.1": sum_of_signs,
    "11.2": clipped,
    "11.3": halved,
    "11.4": what_is_missing,
}
