"""The exercises of chapter 04. Each check returns a hint, or nothing for a right answer."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn.functional import cosine_similarity, cross_entropy

from bnlab.train import Run

FACTOR, SHIFT = 1.25, 0.5  # the most that the paper's noise does to a whole channel
NORMS = ("none", "batch", "noisy_batch")
CLOSE = 1e-6
LEARNS = (0.003, 3.0)  # at rates outside, no net learns anything in some hundred steps
STEPS_ENOUGH = 100


def noisy_moments(answer: object) -> str:
    """04.1: mean and variance of a channel that was normalized and then scaled and shifted."""
    if not isinstance(answer, tuple | list) or len(answer) != 2:
        return "Give two numbers: (mean, variance)."
    mean, variance = (float(part) for part in answer)
    if math.isclose(mean, FACTOR * SHIFT):
        return "The mean: the shift is added after the factor, so the factor does not scale it."
    if not math.isclose(mean, SHIFT):
        return "The mean is not right yet. The mean of s a + m is s times the mean of a, plus m."
    if math.isclose(variance, FACTOR):
        return "The variance: a factor of s multiplies the deviation by s. And the variance?"
    if math.isclose(variance, FACTOR**2 + SHIFT**2):
        return "That is the mean square. A shift that all values share does not change a variance."
    if not math.isclose(variance, FACTOR**2):
        return "The variance is not right yet. Which of factor and shift can change a variance?"
    return ""


def _shift(
    model: nn.Sequential,
    layer: int,
    x: Tensor,
    y: Tensor,
    lr: float,
    moved: str = "before",
    sign: float = -1,
    added_up: bool = False,
) -> tuple[float, float]:
    """Distance and cosine of a layer's weight gradient when some layers have made their step.

    ``added_up``: the second gradient is added to the first, as without ``zero_grad``.
    """
    model = copy.deepcopy(model)
    parameters = list(model.parameters())
    slopes = torch.autograd.grad(cross_entropy(model(x), y), parameters)
    step = {id(p): slope for p, slope in zip(parameters, slopes, strict=True)}
    before = step[id(model[layer].weight)]
    chosen = {
        "before": model[:layer],
        "all": model,
        "own": model[layer : layer + 1],
        "up to it": model[: layer + 1],
    }[moved]
    with torch.no_grad():
        for p in chosen.parameters():
            p += sign * lr * step[id(p)]
    (after,) = torch.autograd.grad(cross_entropy(model(x), y), [model[layer].weight])
    after = before + after if added_up else after
    cosine = cosine_similarity(before.flatten(), after.flatten(), dim=0)
    return float((after - before).norm()), float(cosine)


def _cases() -> list[tuple[nn.Sequential, int, Tensor, Tensor, float]]:
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(24, 6, generator=generator, dtype=torch.float64)
    y = torch.randint(4, (24,), generator=generator)
    cases = []
    for norm in (False, True):
        layers: list[nn.Module] = []
        for fan_in, fan_out in ((6, 8), (8, 8), (8, 4)):
            linear = nn.Linear(fan_in, fan_out).double()
            with torch.no_grad():
                for p in linear.parameters():
                    p.copy_(torch.randn(p.shape, generator=generator, dtype=torch.float64) / 2)
            layers += [linear, *([nn.BatchNorm1d(fan_out).double()] if norm else []), nn.Tanh()]
        model = nn.Sequential(*layers[:-1])
        cases += [(model, 3 if norm else 2, x, y, 0.5), (model, 6 if norm else 4, x, y, 0.05)]
    return cases


def covariate_shift(answer: object) -> str:
    """04.2: a function (model, layer, x, y, lr) that gives distance and cosine."""
    if not callable(answer):
        return "Give the function itself, without calling it: check('04.2', shift)."
    for case in _cases():
        hint = _compare(answer, *case)
        if hint:
            return hint
    return ""


def _compare(
    answer: Callable, model: nn.Sequential, layer: int, x: Tensor, y: Tensor, lr: float
) -> str:
    before = copy.deepcopy(model.state_dict())
    found = answer(model, layer, x, y, lr)
    if found is None:
        return "Your function returns nothing yet. End it with return and two numbers."
    hint = _left_behind(model, before)
    if hint:
        return f"{hint} Work on copy.deepcopy(model)."
    if not isinstance(found, tuple | list) or len(found) != 2:
        return "Return two numbers: (distance, cosine)."
    given = tuple(float(part) for part in found)
    right = _shift(model, layer, x, y, lr)

    def near(wanted: tuple[float, float]) -> bool:
        pairs = zip(given, wanted, strict=True)
        return all(math.isclose(a, b, rel_tol=CLOSE, abs_tol=1e-12) for a, b in pairs)

    if near(right):
        return ""
    for hint, number in _mistakes(model, layer, x, y, lr).items():
        if near(number):
            return hint
    return (
        f"For layer {layer} your function gives ({given[0]:.4g}, {given[1]:.4g}), expected "
        f"({right[0]:.4g}, {right[1]:.4g}). Both gradients are of model[layer].weight, on the same "
        "batch."
    )


def _left_behind(model: nn.Sequential, before: dict[str, Tensor]) -> str:
    """What a function has changed in a model that it should have left alone."""
    if any(not torch.equal(before[name], p) for name, p in model.named_parameters()):
        return "Your function changes the weights of the model that it is given."
    if any(p.grad is not None for p in model.parameters()):
        model.zero_grad()
        return "Your function leaves gradients on the model that it is given."
    if any(not torch.equal(before[name], b) for name, b in model.named_buffers()):
        return (
            "Your function moves the running statistics of the model that it is given: BatchNorm "
            "counts each batch that it sees in training mode."
        )
    if not all(module.training for module in model.modules()):
        return "Your function puts the model that it is given into evaluation mode."
    return ""


def _mistakes(
    model: nn.Sequential, layer: int, x: Tensor, y: Tensor, lr: float
) -> dict[str, tuple[float, float]]:
    """What typical mistakes give, by their hints."""
    case, right = (model, layer, x, y, lr), _shift(model, layer, x, y, lr)
    return {
        "You let all layers make their step. Only those before the layer may move.": _shift(
            *case, moved="all"
        ),
        "You move the layer itself. It stays; those before it move.": _shift(*case, moved="own"),
        "You move the layer itself too: model[:layer] ends before it, model[:layer + 1] does "
        "not.": _shift(*case, moved="up to it"),
        "The second gradient is added to the first. Call model.zero_grad() before you go back "
        "through the net again.": _shift(*case, added_up=True),
        "You use evaluation mode. Training steps see the statistics of their batch.": _shift(
            copy.deepcopy(model).eval(), layer, x, y, lr
        ),
        "You step uphill. Subtract lr times the gradient.": _shift(*case, sign=1),
        "The other way round: (distance, cosine).": right[::-1],
        "This distance is squared. Take the root.": (right[0] ** 2, right[1]),
        "Nothing moved: is the second gradient taken after the step, and is the first one a copy "
        "(.clone()), not the tensor to which the second is added?": (0.0, 1.0),
    }


def noisy_plan(answer: object) -> str:
    """04.3: Runs that can tell whether stable inputs are why BatchNorm trains fast."""
    if not isinstance(answer, list | tuple) or not all(isinstance(run, Run) for run in answer):
        return "Give a list of Runs: [Run(norm=..., lr=..., depth=..., seed=...), ...]."
    plan = set(answer)
    if len(plan) < len(answer):
        return "Some Runs are in your list twice. A seed that is counted twice is no second seed."
    found = {run.norm for run in plan}
    if "noisy_batch" not in found:
        return (
            "No net has BatchNorm and unstable inputs. Without norm='noisy_batch' you cannot tell "
            "stability from whatever else BatchNorm does."
        )
    if not found >= set(NORMS):
        return f"Compare three nets at least: {', '.join(NORMS)}."
    hint = _unpaired(plan, found)
    if hint:
        return hint
    plan = {run for run in plan if run.norm == "none"}
    settings = {run.replace(lr=1.0, seed=0, depth=1) for run in plan}
    if len(settings) > 1:
        return "Runs differ in more than normalizer, depth, learning rate and seed."
    if next(iter(settings)).steps < STEPS_ENOUGH:
        return f"No net learns much in so few steps. Give each of them {STEPS_ENOUGH} or more."
    depths = {run.depth for run in plan}
    if len(depths) < 2:
        return "Use at least 2 depths: what noise does to a net depends on its depth."
    by_depth = ([run for run in plan if run.depth == depth] for depth in depths)
    return next(filter(None, map(_rates_and_seeds, by_depth)), "")


def _unpaired(plan: set[Run], norms: set[str]) -> str:
    """A hint if a Run lacks its partner with another normalizer and all else equal."""
    bare = {norm: {_without_norm(run) for run in plan if run.norm == norm} for norm in norms}
    for run in sorted(plan, key=lambda r: (r.depth, r.lr, r.seed)):
        for norm in (*NORMS, *sorted(norms - set(NORMS))):
            if _without_norm(run) not in bare[norm]:
                return (
                    f"Not paired: depth={run.depth}, lr={run.lr:g}, seed={run.seed} is there for "
                    f"{run.norm!r} but not for {norm!r} with all else equal."
                )
    return ""


def _without_norm(run: Run) -> Run:
    """What is left of a Run without its normalizer, whose options are its own."""
    return run.replace(norm="none", norm_options={})


def _rates_and_seeds(plan: list[Run]) -> str:
    """A hint if a depth has too few learning rates at which a net can learn, or too few seeds."""
    lrs = {run.lr for run in plan if LEARNS[0] <= run.lr <= LEARNS[1]}
    if len(lrs) < 3 or max(lrs) < 10 * min(lrs):
        return (
            f"Use at least 3 learning rates between {LEARNS[0]:g} and {LEARNS[1]:g}, over a factor "
            "of 10 or more, at each depth: outside no net learns, and which net is ahead depends "
            "on the rate."
        )
    few = min(len({run.seed for run in plan if run.lr == lr}) for lr in lrs)
    if few < 8:
        return f"Some setting has only {few} seeds. Use at least 8, for a useful interval."
    return ""


EXERCISES = {
    "04.1": noisy_moments,
    "04.2": covariate_shift,
    "04.3": noisy_plan,
}
