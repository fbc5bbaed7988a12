"""The exercises of chapter 05. Each check returns a hint, or nothing for a right answer."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from bnlab.train import Run

FACTOR = 2.0
NORMS = ("none", "batch")
CLOSE = 1e-4  # of single precision: max less min loses digits
MISTAKES = {
    "You step uphill. A step of length s goes to w - s g.": {"sign": 1},
    "Your steps add up. Each one starts from the same weights w.": {"walk": True},
    "Beta: the way is s times the length of g, not s.": {"per_size": False},
    "Your looks are in eval mode. Stay in training mode, in which the gradient is taken.": {
        "training": False
    },
    "The range is taken over the given steps; the loss at w itself is not among them.": {
        "with_start": True
    },
}


def doubled_weights(answer: object) -> str:
    """05.1: what doubling the weights before BatchNorm does to loss, gradient and beta."""
    factors = _three_numbers(answer)
    if factors is None:
        return "Give three factors: (loss, gradient, beta)."
    loss, gradient, beta = factors
    if not math.isclose(loss, 1, rel_tol=CLOSE):
        return "The loss: BatchNorm divides by the deviation, which doubles too. What is left?"
    if math.isclose(gradient, FACTOR, rel_tol=CLOSE):
        return (
            "The gradient: write f(2w) = f(w) and differentiate by w. The chain rule gives the "
            "factor 2 on the left, so the slope at 2w is not larger but smaller."
        )
    if not math.isclose(gradient, 1 / FACTOR, rel_tol=CLOSE):
        return "The gradient is not right yet: write f(2w) = f(w) and differentiate both sides."
    if math.isclose(beta, 1 / FACTOR, rel_tol=CLOSE):
        return "Beta is change of the gradient over the way: a second derivative. Once more."
    if not math.isclose(beta, 1 / FACTOR**2, rel_tol=CLOSE):
        return "Beta is not right yet: differentiate f(2w) = f(w) a second time."
    return ""


def _three_numbers(answer: object) -> tuple[float, ...] | None:
    """Three numbers from a tuple, a list, an array or a tensor; None if it is something else."""
    parts = answer.tolist() if hasattr(answer, "tolist") else answer
    if not isinstance(parts, tuple | list) or len(parts) != 3:
        return None
    try:
        return tuple(float(part) for part in parts)
    except (TypeError, ValueError):
        return None


def _probe(
    model: nn.Sequential,
    x: Tensor,
    y: Tensor,
    steps: Sequence[float],
    *,
    sign: float = -1,
    walk: bool = False,
    per_size: bool = True,
    training: bool = True,
    with_start: bool = False,
) -> tuple[float, float, float]:
    """Loss range, largest change of the gradient and effective beta; or a typical wrong version."""
    model = copy.deepcopy(model).train(training)
    parameters = list(model.parameters())
    start = [p.detach().clone() for p in parameters]
    first = cross_entropy(model(x), y)
    g = torch.autograd.grad(first, parameters)
    size, losses, changes, betas, way = _norm(g), [], [], [], 0.0
    for s in steps:
        way = way + s if walk else s
        with torch.no_grad():
            for p, at, slope in zip(parameters, start, g, strict=True):
                p.copy_(at + sign * way * slope)
        loss = cross_entropy(model(x), y)
        there = torch.autograd.grad(loss, parameters)
        losses.append(loss.item())
        changes.append(_norm([a - b for a, b in zip(there, g, strict=True)]))
        betas.append(changes[-1] / (s * size if per_size else s))
    losses += [first.item()] * with_start
    return max(losses) - min(losses), max(changes), max(betas)


def _norm(parts: Sequence[Tensor]) -> float:
    return math.sqrt(sum(float(part.square().sum()) for part in parts))


def _cases() -> list[tuple[nn.Sequential, Tensor, Tensor, list[float]]]:
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(24, 6, generator=generator, dtype=torch.float64)
    y = torch.randint(4, (24,), generator=generator)
    cases = []
    for norm in (False, True):
        middle = [nn.BatchNorm1d(8)] if norm else []
        model = nn.Sequential(nn.Linear(6, 8), *middle, nn.Tanh(), nn.Linear(8, 4)).double()
        with torch.no_grad():
            for p in model.parameters():
                p.copy_(torch.randn(p.shape, generator=generator, dtype=torch.float64))
        cases += [(model, x, y, [0.05, 0.1, 0.4]), (model, x, y, [2.0, 0.5])]
    return cases


def probe(answer: object) -> str:
    """05.2: a function (model, x, y, steps) that gives loss range, change and beta."""
    if not callable(answer):
        return "Give the function itself, without calling it: check('05.2', probe)."
    for case in _cases():
        hint = _compare(answer, *case)
        if hint:
            return hint
    return ""


def _compare(
    answer: Callable, model: nn.Sequential, x: Tensor, y: Tensor, steps: list[float]
) -> str:
    before = copy.deepcopy(model.state_dict())
    modes = [module.training for module in model.modules()]
    found = answer(model, x, y, steps)
    if found is None:
        return "Your function returns nothing yet. End it with return and three numbers."
    if any(not torch.equal(before[name], p) for name, p in model.named_parameters()):
        return "Your function changes the weights of the model. Work on copy.deepcopy(model)."
    if any(not torch.equal(before[name], now) for name, now in model.state_dict().items()):
        return (
            "Your function changes the running statistics of the model: a forward pass in training "
            "mode moves them. Take the gradient on a copy, too."
        )
    if any(now.training != was for now, was in zip(model.modules(), modes, strict=True)):
        return "Your function leaves the model in another mode. Work on copy.deepcopy(model)."
    if any(p.grad is not None for p in model.parameters()):
        return "Your function leaves gradients in the model. Work on copy.deepcopy(model)."
    given = _three_numbers(found)
    if given is None:
        return "Return three numbers: (loss range, change of the gradient, beta)."
    return _judged(given, lambda **options: _probe(model, x, y, steps, **options))


def _judged(given: tuple[float, ...], probed: Callable) -> str:
    """A hint from the right numbers, and from those of each typical mistake."""
    right = probed()

    def near(wanted: tuple[float, ...], parts: slice = slice(None)) -> bool:
        pairs = zip(given[parts], wanted[parts], strict=True)
        return all(math.isclose(a, b, rel_tol=CLOSE) for a, b in pairs)

    if near(right):
        return ""
    for hint, options in MISTAKES.items():
        if near(probed(**options)):
            return hint
    names = ("loss range", "largest change of the gradient", "beta")
    at = next(k for k in range(3) if not near(right, slice(k, k + 1)))
    return f"The {names[at]} is {given[at]:.4g} in one of the tests, expected {right[at]:.4g}."


def smooth_plan(answer: object) -> str:
    """05.3: Runs and looks that could show when BatchNorm's loss is the smoother one."""
    if not isinstance(answer, tuple | list) or len(answer) != 2:
        return "Give two lists: (runs, looks). The looks are numbers of steps."
    runs, looks = answer
    if not isinstance(runs, list | tuple) or not all(isinstance(run, Run) for run in runs):
        return "The first part must be a list of Runs: [Run(norm=..., lr=..., ...), ...]."
    plan = set(runs)
    if len(plan) < len(runs):
        return "Some Runs are in your list twice. A seed that is counted twice is no second seed."
    if not {run.norm for run in plan} >= set(NORMS):
        return f"Compare two nets, {' and '.join(NORMS)}; a control may stand beside them."
    for run in sorted(plan, key=lambda r: (r.depth, r.lr, r.seed)):
        for norm in NORMS:
            if run.replace(norm=norm) not in plan:
                return (
                    f"Not paired: depth={run.depth}, lr={run.lr:g}, seed={run.seed} is there for "
                    f"{run.norm!r} but not for {norm!r} with all else equal."
                )
    return _settings(plan) or _looks(looks, min(run.steps for run in plan))


def _settings(plan: set[Run]) -> str:
    if len({run.replace(norm="none", lr=1.0, seed=0, depth=1) for run in plan}) > 1:
        return "Runs differ in more than normalizer, depth, learning rate and seed."
    if len({run.lr for run in plan}) < 2:
        return "Use at least 2 learning rates: the steps along the gradient are multiples of it."
    if len({run.depth for run in plan}) < 2:
        return "Use at least 2 depths: the gradients of a deep net with BatchNorm are large."
    places = {(run.depth, run.lr) for run in plan}
    few = min(len({r.seed for r in plan if (r.depth, r.lr) == place}) for place in places)
    if few < 8:
        return f"Some setting has only {few} seeds. Use at least 8, for a useful interval."
    return ""


def _looks(looks: object, steps: int) -> str:
    looks = looks.tolist() if hasattr(looks, "tolist") else looks
    if not isinstance(looks, list | tuple | range) or not all(isinstance(at, int) for at in looks):
        return "The second part must be a list of numbers of steps, such as [10, 30, 50]."
    if any(not 0 <= at < steps for at in looks):
        return f"A look at a step that no training reaches: looks lie in 0 to {steps - 1}."
    if not any(at <= steps / 3 for at in looks):
        return "No look is early, in the first third of the steps. The paper speaks of that time."
    if not any(at >= steps * 2 / 3 for at in looks):
        return "No look is late, in the last third of the steps. There the order may turn round."
    return ""


EXERCISES = {
    "05.1": doubled_weights,
    "05.2": probe,
    "05.3": smooth_plan,
}
