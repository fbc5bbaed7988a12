"""The exercises of chapter 03. Each check returns a hint, or nothing for a right answer."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from bnlab.nets import make_net
from bnlab.train import Run

TOLERANCE = 1e-3
NORMS = ("none", "batch")  # what 03.3 compares
SMALL_ENOUGH = 0.03  # a rate at which the net without a normalizer trains
LEARNS = (0.003, 3.0)  # at rates outside, no net learns anything in some hundred steps
STEPS_ENOUGH = 100
DEEP_ENOUGH = 2  # with one hidden layer both nets learn alike at all rates between those
WIDE_ENOUGH = 8  # narrower nets of six layers learn at no rate


def _experiment(factor: float) -> tuple[Tensor, Tensor]:
    """Normalized output and weight gradient of a linear layer whose weights are scaled."""
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(32, 8, generator=generator, dtype=torch.float64)
    target = torch.randn(32, 4, generator=generator, dtype=torch.float64)
    weight = torch.randn(4, 8, generator=generator, dtype=torch.float64) * factor
    weight.requires_grad_()
    z = x @ weight.T
    y = (z - z.mean(0)) / z.var(0, unbiased=False).sqrt()
    (gradient,) = torch.autograd.grad((y - target).square().mean(), weight)
    return y.detach(), gradient


def scaled_weights(answer: object) -> str:
    """03.1: by which factors output and gradient change when the weights are times 10."""
    if not isinstance(answer, tuple | list) or len(answer) != 2:
        return "Give two numbers: (factor of the output, factor of the gradient)."
    output, gradient = (float(part) for part in answer)
    (y1, g1), (y10, g10) = _experiment(1), _experiment(10)
    right = float(y10.norm() / y1.norm()), float(g10.norm() / g1.norm())
    if not math.isclose(output, right[0], rel_tol=TOLERANCE):
        return (
            "The output is not right yet. Write (z - mean) / std for z ten times as large: what "
            "happens to the mean, and what to the standard deviation?"
        )
    if math.isclose(gradient, right[0], rel_tol=TOLERANCE):
        return (
            "The output is right, the gradient is not. The loss as a function of the weights is "
            "constant along the ray through them. If w is ten times as long, how far must it move "
            "for the same change of direction?"
        )
    if not math.isclose(gradient, right[1], rel_tol=TOLERANCE):
        return (
            "The output is right, the gradient is not. Differentiate L(10 w) = L(w) on both sides, "
            "with respect to w."
        )
    return ""


def _relative_loss(model: nn.Module, x: Tensor, y: Tensor, lr: float, sign: float = -1) -> float:
    model = copy.deepcopy(model)
    loss = cross_entropy(model(x), y)
    gradients = torch.autograd.grad(loss, list(model.parameters()))
    with torch.no_grad():
        for parameter, gradient in zip(model.parameters(), gradients, strict=True):
            parameter += sign * lr * gradient
        return (cross_entropy(model(x), y) / loss).item()


def _cases() -> list[tuple[nn.Module, Tensor, Tensor, float]]:
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(48, 1, 8, 8, generator=generator, dtype=torch.float64)
    y = torch.randint(10, (48,), generator=generator)
    nets = [
        make_net("mlp", (1, 8, 8), 10, 3, 16, norm, seed=1).double() for norm in ("none", "batch")
    ]
    return [(net.train(), x, y, lr) for net in nets for lr in (0.05, 0.8)]


def relative_loss(answer: object) -> str:
    """03.2: a function (model, x, y, lr) that gives the relative loss after one step."""
    if not callable(answer):
        return "Give the function itself, without calling it: check('03.2', relative_loss)."
    for model, x, y, lr in _cases():
        hint = _compare(answer, model, x, y, lr)
        if hint:
            return hint
    return ""


def _compare(answer: Callable, model: nn.Module, x: Tensor, y: Tensor, lr: float) -> str:
    before = copy.deepcopy(model.state_dict())
    right = _relative_loss(model, x, y, lr)
    evaluated = _relative_loss(copy.deepcopy(model).eval(), x, y, lr)
    returned = answer(model, x, y, lr)
    if returned is None:
        return "Your function returns nothing yet. End it with return and a number."
    value = torch.as_tensor(returned).item()
    parameters = dict(model.named_parameters())
    moved = any(not torch.equal(before[name], p) for name, p in parameters.items())

    def near(wanted: float) -> bool:
        return math.isclose(value, wanted, rel_tol=1e-6)

    if any(p.grad is not None for p in model.parameters()):
        return (
            "Your function leaves gradients on the model that it is given, and they would add up. "
            "Work on copy.deepcopy(model)."
        )
    if moved:
        return (
            "Your function changes the weights of the model that it is given, so a second call "
            "starts elsewhere. Work on copy.deepcopy(model)."
        )
    if near(right):
        return ""
    start = cross_entropy(copy.deepcopy(model)(x), y).item()
    wrong = {
        _relative_loss(model, x, y, lr, sign=1): "You step uphill. Subtract lr times the gradient.",
        1 / right: "Upside down: divide the loss after the step by the loss before it.",
        right * start: "This is the loss after the step. Divide it by the loss before the step.",
        right - 1: "This is the relative change. The relative loss is 1 if nothing changes.",
        (right - 1) * start: "This is a difference of losses. The relative loss is a ratio.",
        evaluated: "You use evaluation mode. Training steps see the statistics of their batch.",
        1.0: "Nothing changed: is the loss after the step computed with the new weights?",
    }
    for number, hint in wrong.items():
        if near(number):
            return hint
    return (
        f"At lr={lr:g} your function gives {value:.4g}, expected {right:.4g}. Take one step of "
        "plain gradient descent on all parameters, and use the same batch before and after."
    )


def paired_plan(answer: object) -> str:
    """03.3: Runs that can tell whether BatchNorm helps at equal learning rates."""
    if not isinstance(answer, list | tuple) or not all(isinstance(run, Run) for run in answer):
        return "Give a list of Runs: [Run(norm=..., lr=..., seed=...), ...]."
    plan = set(answer)
    if len(plan) < len(answer):
        return "Some Runs are in your list twice. A seed that is counted twice is no second seed."
    if not set(NORMS) <= {run.norm for run in plan}:
        return "Compare at least two nets: norm='none' and norm='batch'."
    hint = _unpaired(plan) or _setting(plan)
    by_depth = ([run for run in plan if run.depth == d] for d in {run.depth for run in plan})
    return hint or next(filter(None, map(_rates_and_seeds, by_depth)), "")


def _unpaired(plan: set[Run]) -> str:
    """A hint if a Run has no twin; one with a further normalizer needs both twins."""
    for run in sorted(plan, key=lambda r: (r.lr, r.seed, r.depth, r.norm)):
        options = run.norm_options if run.norm in NORMS else {}
        for norm in NORMS:
            if run.replace(norm=norm, norm_options=options) not in plan:
                return (
                    f"Not paired: lr={run.lr:g}, seed={run.seed}, depth={run.depth} is there for "
                    f"{run.norm!r} but not for {norm!r} with all else equal. You could not tell "
                    "what made the difference."
                )
    return ""


def _setting(plan: set[Run]) -> str:
    """A hint if Runs differ in too much, or if no net can show anything in this setting."""
    same = {"norm": "none", "norm_options": {}, "lr": 1.0, "seed": 0, "depth": 1}
    settings = {run.replace(**same) for run in plan}
    if len(settings) > 1:
        return (
            "Runs differ in more than normalizer, learning rate, seed and depth. Change one thing "
            "only."
        )
    (setting,) = settings
    if setting.steps < STEPS_ENOUGH:
        return f"No net learns much in so few steps. Give each of them {STEPS_ENOUGH} or more."
    if setting.width < WIDE_ENOUGH:
        return f"A net so narrow learns at no rate. Make it {WIDE_ENOUGH} units wide or more."
    if max(run.depth for run in plan) < DEEP_ENOUGH:
        return (
            "With one hidden layer both nets learn about equally well at every rate that is "
            "usable, so nothing can be seen. Take a deeper net, for example depth=12."
        )
    return ""


def _rates_and_seeds(plan: list[Run]) -> str:
    """A hint if a net of this depth has too few learning rates that work, or too few seeds."""
    lrs = {run.lr for run in plan if LEARNS[0] <= run.lr <= LEARNS[1]}
    if len(lrs) < 3 or max(lrs) < 10 * min(lrs):
        return (
            f"Use at least 3 learning rates between {LEARNS[0]:g} and {LEARNS[1]:g}, over a factor "
            "of 10 or more: outside no net learns, and at a single rate, or at rates close "
            "together, you cannot see where the difference comes from."
        )
    if min(lrs) > SMALL_ENOUGH:
        return (
            f"None of your rates is {SMALL_ENOUGH:g} or less. At large rates only, the net without "
            "a normalizer fails and you have compared nothing."
        )
    few = min(len({run.seed for run in plan if run.lr == lr}) for lr in lrs)
    if few < 8:
        return f"Some learning rate has only {few} seeds. Use at least 8, for a useful interval."
    return ""


EXERCISES = {
    "03.1": scaled_weights,
    "03.2": relative_loss,
    "03.3": paired_plan,
}
