"""The exercises of chapter 07. Each check returns a hint, or nothing for a right answer."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from bnlab.train import Run

FIRST, SECOND, MEAN, VARIANCE = 1.0, 5.0, 0.0, 4.0
NORMS = ("batch", "batch_renorm")
CLOSE = 1e-6
LEAST_STEPS = 100


def batch_of_two(answer: object) -> str:
    """07.1: the output of the first of two samples, in training and in inference."""
    if not isinstance(answer, tuple | list) or len(answer) != 2:
        return "Give two numbers: (training, inference)."
    training, inference = (float(part) for part in answer)
    right = -1.0, (FIRST - MEAN) / math.sqrt(VARIANCE)

    def are(*numbers: float) -> bool:
        return all(math.isclose(a, b) for a, b in zip((training, inference), numbers, strict=True))

    if are(*right):
        return ""
    if are(*right[::-1]):
        return "The other way round: (training, inference)."
    if math.isclose(training, right[1]):
        return "In training the running statistics do not count: take those of the two samples."
    if math.isclose(training, -1 / math.sqrt(2), rel_tol=0.01):
        return "Training divides by the root of the biased variance: the mean square distance."
    if not math.isclose(training, right[0]):
        return "Training is not right yet. What are mean and deviation of 1 and 5?"
    if math.isclose(inference, right[0]):
        return "In inference the other sample does not count, only the running statistics."
    if math.isclose(inference, (FIRST - MEAN) / VARIANCE):
        return "Inference divides by the deviation, not by the variance."
    return "Inference is not right yet: subtract the running mean, divide by the running deviation."


def _renorm(
    x: Tensor,
    mean: Tensor,
    sd: Tensor,
    r_max: float,
    d_max: float,
    *,
    constant: bool = True,
    least: float | None = None,
    upside_down: bool = False,
    by_batch: bool = False,
    clip: bool = True,
) -> Tensor:
    """Batch Renormalization of a batch (N, C); the keywords are what goes wrong."""
    of_batch = x.std(0, correction=0)
    r = sd / of_batch if upside_down else of_batch / sd
    d = (x.mean(0) - mean) / (of_batch if by_batch else sd)
    if clip:
        r, d = r.clamp(1 / r_max if least is None else least, r_max), d.clamp(-d_max, d_max)
    if constant:
        r, d = r.detach(), d.detach()
    return (x - x.mean(0)) / of_batch * r + d


def _cases() -> list[tuple[Tensor, Tensor, Tensor, float, float]]:
    generator = torch.Generator().manual_seed(0)
    cases = []
    for size, r_max, d_max in ((4, 3.0, 5.0), (4, 1.2, 0.1), (2, 1.0, 0.0)):
        x = torch.randn(size, 6, generator=generator, dtype=torch.float64)
        x = x * torch.tensor([0.2, 0.5, 1, 1, 2, 5]) + 1
        mean = torch.randn(6, generator=generator, dtype=torch.float64)
        cases.append((x, mean, torch.full((6,), 0.8, dtype=torch.float64), r_max, d_max))
    return cases


def renormalize(answer: object) -> str:
    """07.2: a function (x, mean, sd, r_max, d_max) that gives the output in training."""
    if not callable(answer):
        return "Give the function itself, without calling it: check('07.2', renorm)."
    hints = (_compare(answer, *case) for case in _cases())
    return next((hint for hint in hints if hint), "")


def _both(function: Callable, x: Tensor, *rest: object) -> tuple[Tensor, Tensor] | None:
    # Output and input gradient of a function.
    x = x.clone().requires_grad_()
    y = function(x, *rest)
    if y is None:
        return None
    weights = torch.arange(y.numel(), dtype=y.dtype).reshape(y.shape).cos()
    return y.detach(), torch.autograd.grad((y * weights).sum(), x)[0]


def _compare(answer: Callable, *case: object) -> str:
    found, right = _both(answer, *case), _both(_renorm, *case)
    if found is None:
        return "Your function returns nothing yet. End it with return and the output."
    if found[0].shape != right[0].shape:
        return f"The output has shape {tuple(found[0].shape)}, x has {tuple(right[0].shape)}."

    def same(a: Tensor, b: Tensor) -> bool:
        return torch.allclose(a, b, rtol=CLOSE, atol=CLOSE)

    if same(found[0], right[0]):
        if same(found[1], right[1]):
            return ""
        return (
            "The output is right, its gradient is not: r and d count as constants. Use .detach(), "
            "on them alone."
        )
    wrong = {
        "r is the wrong way up: deviation of the batch over running deviation.": {
            "upside_down": True
        },
        "You do not clip. r lies between 1 / r_max and r_max, d between -d_max and d_max.": {
            "clip": False
        },
        "r has a lower limit too: 1 / r_max.": {"least": 0.0},
        "d is the distance of the means over the running deviation, not the batch's.": {
            "by_batch": True
        },
    }
    for hint, options in wrong.items():
        if same(found[0], _renorm(*case, **options)):
            return hint
    gap = float((found[0] - right[0]).abs().max())
    return (
        f"With r_max={case[3]:g} and d_max={case[4]:g} the output is off by up to {gap:.3g}. "
        "Take the biased variance, and no eps."
    )


def fair_plan(answer: object) -> str:
    """07.3: Runs that compare two normalizers on small batches, each at its own best rate."""
    if not isinstance(answer, list | tuple) or not all(isinstance(run, Run) for run in answer):
        return "Give a list of Runs: [Run(norm=..., batch_size=..., lr=..., seed=...), ...]."
    plan = set(answer)
    if len(plan) < len(answer):
        return "Some Runs are in your list twice. A seed that is counted twice is no second seed."
    norms = {run.norm for run in plan}
    if not set(NORMS) <= norms:
        return f"Compare {' and '.join(NORMS)}; others may stand beside them."
    if any(_is_batch_norm(run) for run in plan):
        return "Batch Renormalization with r_max=1 and d_max=0 is BatchNorm: let the limits open."
    sizes = {run.batch_size for run in plan}
    if min(sizes) > 4 or max(sizes) < 32:
        return (
            "Use a batch size of 4 or less, and one of 32 or more as a control: without it you "
            "cannot tell that the size of the batch is the reason."
        )
    grids = {
        (norm, size): {r.lr for r in plan if (r.norm, r.batch_size) == (norm, size)}
        for norm in norms
        for size in sizes
    }
    first = grids[NORMS[0], min(sizes)]
    if any(grid != first for grid in grids.values()):
        return "Not the same rates for each normalizer and batch size: nobody may have more tries."
    if len(first) < 4 or max(first) < 10 * min(first):
        return (
            "Use at least 4 learning rates over a factor of 10 or more. At one rate for all you "
            "compare one net at its best with another at somebody else's."
        )
    settings = {
        run.replace(norm="batch", norm_options={}, batch_size=2, lr=1, seed=0) for run in plan
    }
    if len(settings) > 1:
        return "Runs differ in more than normalizer, batch size, learning rate and seed."
    for place, grid in grids.items():
        for lr in grid:
            seeds = {r.seed for r in plan if (r.norm, r.batch_size, r.lr) == (*place, lr)}
            if seeds != {run.seed for run in plan}:
                return f"Not paired: {place[0]}, batch size {place[1]}, lr={lr:g} lacks seeds."
    if len({run.seed for run in plan}) < 12:
        return (
            "Use at least 12 seeds: some of them choose the rates, and 8 others are needed for a "
            "useful interval."
        )
    if min(run.steps for run in plan) < LEAST_STEPS:
        return f"Train for at least {LEAST_STEPS} steps: else you compare two starts."
    return ""


def _is_batch_norm(run: Run) -> bool:
    """Whether limits make Batch Renormalization what it is compared with."""
    options = {"r_max": 3.0, "d_max": 5.0, **run.norm_options}
    options |= options.get("schedule") or {}
    closed = (options["r_max"], options["d_max"]) == (1, 0)
    return run.norm == "batch_renorm" and closed


EXERCISES = {
    "07.1": batch_of_two,
    "07.2": renormalize,
    "07.3": fair_plan,
}
