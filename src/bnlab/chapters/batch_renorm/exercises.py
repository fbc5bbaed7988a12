"""The exercises of chapter 07. Each check returns a hint, or nothing for a right answer."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from bnlab.norms import make_norm
from bnlab.train import Run

FIRST, SECOND, MEAN, VARIANCE = 1.0, 5.0, 0.0, 4.0
NORMS = ("batch", "batch_renorm")
ROUNDED = 0.0101  # 0.7 stands for the root of 0.5
CLOSE = 1e-6
LEAST_STEPS = 100
LEARNS = 0.003, 3.0  # at rates outside, no net learns anything in some hundred steps


def batch_of_two(answer: object) -> str:
    """07.1: the output of the first of two samples, in training and in inference."""
    numbers = _two_numbers(answer)
    if numbers is None:
        return "Give two numbers: (training, inference)."
    training, inference = numbers
    right = -1.0, (FIRST - MEAN) / math.sqrt(VARIANCE)
    in_training = {
        right[0]: "",
        right[1]: "In training the running statistics do not count: take those of the two samples.",
        1.0: "That is the second sample. The first one is below the mean of the two.",
        -1 / math.sqrt(2): "Training divides by the root of the biased variance: the mean square "
        "distance.",
    }
    in_inference = {
        right[1]: "",
        right[0]: "In inference the other sample does not count, only the running statistics.",
        (FIRST - MEAN) / VARIANCE: "Inference divides by the deviation, not by the variance.",
        (SECOND - MEAN) / math.sqrt(VARIANCE): "That is the second sample, in inference.",
    }
    if _near(training, right[1]) and _near(inference, right[0]):
        return "The other way round: (training, inference)."
    hint = _first_near(training, in_training)
    if hint is None:
        return "Training is not right yet. What are mean and deviation of 1 and 5?"
    if hint:
        return hint
    hint = _first_near(inference, in_inference)
    if hint is None:
        return "Inference is not right yet: take the running mean and the running deviation."
    return hint


def _two_numbers(answer: object) -> tuple[float, float] | None:
    """Both numbers of a pair, an array or a tensor; None for anything else."""
    try:
        first, second = map(_number, answer)
    except (TypeError, ValueError):
        return None
    return first, second


def _number(part: object) -> float:
    return float(part.detach() if isinstance(part, Tensor) else part)


def _near(a: float, b: float) -> bool:
    """Whether a student who rounds to two digits, or adds an eps, means the same."""
    return math.isclose(a, b, abs_tol=ROUNDED)


def _first_near(number: float, hints: dict[float, str]) -> str | None:
    """The hint that belongs to a number; None if it is none of them."""
    return next((hint for known, hint in hints.items() if _near(number, known)), None)


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
    # Output and input gradient of a function; the gradient of a constant is zero.
    x = x.clone().requires_grad_()
    y = function(x, *rest)
    if y is None:
        return None
    weights = torch.arange(y.numel(), dtype=y.dtype).reshape(y.shape).cos()
    if not y.requires_grad:
        return y, torch.zeros_like(x)
    return y.detach(), torch.autograd.grad((y * weights).sum(), x)[0]


def _compare(answer: Callable, *case: object) -> str:
    x, mean, sd, *limits = case
    given = mean.clone(), sd.clone()
    found, right = _both(answer, x, *given, *limits), _both(_renorm, *case)
    if found is None:
        return "Your function returns nothing yet. End it with return and the output."
    if not (torch.equal(given[0], mean) and torch.equal(given[1], sd)):
        return "Do not change mean and sd: the running statistics are updated elsewhere."
    if found[0].dtype != right[0].dtype:
        return f"The output has {found[0].dtype}, x has {right[0].dtype}: keep the type of x."
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
    return next(filter(None, (check(plan) for check in (_setting, _tries, _seeds))), "")


def _setting(plan: set[Run]) -> str:
    """A hint if the Runs compare anything but these two normalizers on small batches."""
    if any(_is_batch_norm(run) for run in plan):
        return (
            "This Batch Renormalization is BatchNorm to the end, since its limits stay at r_max=1 "
            "and d_max=0. Let them open."
        )
    sizes = {run.batch_size for run in plan}
    if min(sizes) < 2:
        return "The deviation of a single sample is zero: nothing is left of it. Use 2 or more."
    if min(sizes) > 4 or max(sizes) < 32:
        return (
            "Use a batch size of 4 or less, and one of 32 or more as a control: without it you "
            "cannot tell that the size of the batch is the reason."
        )
    options = {(run.norm, repr(sorted(run.norm_options.items()))) for run in plan}
    if len(options) > len({run.norm for run in plan}):
        return "One normalizer has several settings (norm_options). Give it the same in all Runs."
    shared = {
        run.replace(norm="batch", norm_options={}, batch_size=2, lr=1, seed=0) for run in plan
    }
    if len(shared) > 1:
        return "Runs differ in more than normalizer, batch size, learning rate and seed."
    if shared.pop().steps < LEAST_STEPS:
        return f"Train for at least {LEAST_STEPS} steps: else you compare two starts."
    return ""


def _tries(plan: set[Run]) -> str:
    """A hint if some net has other learning rates to choose from, or too few that can work."""
    grids: dict[tuple[str, int], set[float]] = {}
    for run in plan:
        grids.setdefault((run.norm, run.batch_size), set()).add(run.lr)
    places = {(norm, size) for norm, _ in grids for _, size in grids}
    first = next(iter(grids.values()))
    if places != set(grids) or any(grid != first for grid in grids.values()):
        return "Not the same rates for each normalizer and batch size: nobody may have more tries."
    useful = {lr for lr in first if LEARNS[0] <= lr <= LEARNS[1]}
    if len(useful) < 4 or max(useful) < 10 * min(useful):
        return (
            f"Use at least 4 learning rates between {LEARNS[0]:g} and {LEARNS[1]:g}, over a factor "
            "of 10 or more. At one rate for all you compare one net at its best with another at "
            "somebody else's; and outside of these, no net learns."
        )
    return ""


def _seeds(plan: set[Run]) -> str:
    """A hint if there are too few seeds, or not the same for all."""
    seeds = {run.seed for run in plan}
    found: dict[tuple[str, int, float], set[int]] = {}
    for run in plan:
        found.setdefault((run.norm, run.batch_size, run.lr), set()).add(run.seed)
    for (norm, size, lr), some in found.items():
        if some != seeds:
            return f"Not paired: {norm}, batch size {size}, lr={lr:g} lacks seeds."
    if len(seeds) < 12:
        return (
            "Use at least 12 seeds: some of them choose the rates, and 8 others are needed for a "
            "useful interval."
        )
    return ""


def _is_batch_norm(run: Run) -> bool:
    """Whether Batch Renormalization is, to the last step, what it is compared with."""
    if run.norm != "batch_renorm":
        return False
    layer = make_norm("batch_renorm", 1, **run.norm_options)
    limits = layer.r_max, layer.d_max
    if layer.schedule is not None:
        limits = layer.schedule.at(run.steps - 1)
    return limits == (1, 0)


EXERCISES = {
    "07.1": batch_of_two,
    "07.2": renormalize,
    "07.3": fair_plan,
}
