"""The exercises of chapter 09. Each check returns a hint, or nothing for a right answer."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn

from bnlab.measure import measure_memory
from bnlab.train import Run

PLAIN, CENTRED = 1 / math.pi, 0.0
METHODS = ("mimic_cifar", "mimic_imagenet")
TOLERANCE = 2e-3
CLASSES = 10
HIGH, LOW = 3.0, -1 / 3  # a logit with mean 0 and variance 1 that is high for one class in ten
SUREST = 1 / (1 + (CLASSES - 1) * math.exp(LOW - HIGH))


def cosines(answer: object) -> str:
    """09.1: the cosine of two inputs one layer after it was 0, plain and with weight mean."""
    if not isinstance(answer, tuple | list) or len(answer) != 2:
        return "Give two numbers: (without a normalizer, with weight mean)."
    plain, centred = (float(part) for part in answer)

    def near(value: float, right: float) -> bool:
        return math.isclose(value, right, abs_tol=TOLERANCE)

    if near(plain, 1 / (2 * math.pi)):
        return (
            "1/(2π) is the mean of the product. A cosine divides it by the two lengths: what is "
            "the mean of relu(u)² ?"
        )
    if near(plain, 0):
        return (
            "Without a normalizer: u and v are independent, but relu(u) and relu(v) both have a "
            "positive mean, and the mean of their product is the product of their means."
        )
    if not near(plain, PLAIN):
        return (
            "Without a normalizer: not right yet. Divide the mean of relu(u) relu(v) by the mean "
            "of relu(u)², for independent standard normal u and v."
        )
    if near(centred, PLAIN):
        return (
            "With weight mean: the next layer sees relu(u) minus its mean over the units. What is "
            "left of the product of two independent numbers when both have lost their mean?"
        )
    if not near(centred, CENTRED):
        return (
            "With weight mean: not right yet. Subtract from the product the product of the means."
        )
    return ""


def surest(answer: object) -> str:
    """09.2: the largest probability of the right class that normalized logits allow."""
    if isinstance(answer, tuple | list):
        return "Give one number: the probability that the net gives to the right class."
    value = float(answer)

    def near(right: float) -> bool:
        return math.isclose(value, right, abs_tol=TOLERANCE)

    if near(SUREST):
        return ""
    if near(1):
        return (
            "That needs logits as large as you like. Here each has mean 0 and variance 1 over the "
            "batch: it is a for one image in ten and b for the others. Which a and b?"
        )
    if near(HIGH) or near(HIGH - LOW):
        return "That is a logit, or a difference of logits. Put them through the softmax."
    if near(-math.log(SUREST)):
        return "That is the loss, in nats. The probability is exp(-loss)."
    if near(1 / (1 + math.exp(LOW - HIGH))):
        return "The softmax is a sum over all ten classes: nine of them are wrong."
    return (
        "Not right yet. Let a logit be a for the images of its class and b for the others: mean 0 "
        "says a + 9 b = 0, variance 1 says a^2 + 9 b^2 = 10. Then the softmax of one a and nine b."
    )


def _cases() -> list[tuple[str, nn.Module, Tensor]]:
    torch.manual_seed(0)
    mlp = nn.Sequential(nn.Linear(6, 8), nn.Sigmoid(), nn.Linear(8, 8), nn.Tanh(), nn.Linear(8, 3))
    norm = nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 3))
    conv = nn.Sequential(nn.Conv2d(2, 4, 3), nn.ReLU(inplace=True), nn.Conv2d(4, 4, 3), nn.ReLU())
    return [
        ("two hidden layers", mlp, torch.randn(16, 6)),
        ("a BatchNorm", norm, torch.randn(16, 6)),
        ("two convolutions", conv, torch.randn(4, 2, 8, 8)),
    ]


def kept(answer: object) -> str:
    """09.3: a function (net, x) that gives the bytes kept for the backward pass."""
    if not callable(answer):
        return "Give the function itself, without calling it: check('09.3', kept)."
    for case, net, x in _cases():
        hint = _compare(answer, case, net, x)
        if hint:
            return hint
    return ""


def _compare(answer: Callable, case: str, net: nn.Module, x: Tensor) -> str:
    memory = measure_memory(net, lambda out, _: out.sum(), x, torch.zeros(len(x)), mode="train")
    value = answer(net, x)
    if value is None:
        return "Your function returns nothing yet. End it with return and a number."
    value, right = float(value), memory.saved
    if value == right:
        return ""
    wrong = {
        right + memory.parameters: "You count parameters and buffers. They are there anyway.",
        right + memory.inputs: "You count x. It is there anyway.",
        right + memory.parameters + memory.inputs: (
            "You count parameters, buffers and x. They are there anyway: leave their storages out."
        ),
        right / x.element_size(): "You count numbers. Each of them has 4 bytes here.",
    }
    if value in wrong:
        return f"For a net with {case}: {wrong[value]}"
    hint = f"For a net with {case} you get {value:g} bytes, expected {right}."
    if value > right:
        return f"{hint} Two operations may keep the same storage: count it once."
    return f"{hint} The pack hook is called for every tensor that autograd keeps; add up all."


def fixup_plan(answer: object) -> str:
    """09.4: Runs that can tell whether MimicNorm is better than Fixup."""
    if not isinstance(answer, list | tuple) or not all(isinstance(run, Run) for run in answer):
        return "Give a list of Runs: [Run(net='resnet', method=..., steps=..., ...), ...]."
    plan = set(answer)
    if len(plan) < len(answer):
        return "Some Runs are in your list twice. A seed that is counted twice is no second seed."
    grids: dict[str, set] = {"mimic": set(), "fixup": set()}
    for run in plan:
        grids.setdefault(_method(run), set()).add((run.steps, run.lr, run.seed))
    if set(grids) != {"mimic", "fixup"} or not all(grids.values()):
        return (
            "Compare two methods and no others: method='mimic_cifar', and "
            "net_options={'branch': 'fixup'}, both with net='resnet' and norm='none'."
        )
    if len({_bare(run) for run in plan}) > 1:
        return (
            "Runs differ in more than method, steps, rate and seed (Fixup may have its "
            "scalar_lr). Change one thing only."
        )
    if grids["mimic"] != grids["fixup"]:
        return (
            "The two methods do not have the same steps, rates and seeds. Whoever gets more to "
            "choose from wins more often."
        )
    return _enough(grids["mimic"])


def _method(run: Run) -> str:
    if run.net != "resnet" or run.norm != "none":
        return "other"
    if run.method in METHODS:
        return "mimic"
    return "fixup" if run.net_options.get("branch") == "fixup" else "other"


def _bare(run: Run) -> Run:
    """The Run without what the two methods may differ in."""
    options = {k: v for k, v in run.optimizer_options.items() if k != "scalar_lr"}
    same = Run(net="resnet")
    changed = {name: getattr(same, name) for name in ("method", "method_options", "net_options")}
    return run.replace(
        **changed, optimizer_options=options, steps=same.steps, lr=same.lr, seed=0, eval_every=1
    )


def _enough(grid: set[tuple]) -> str:
    """A hint if there are too few numbers of steps, rates or seeds, or combinations are missing."""
    steps, lrs, seeds = ({place[at] for place in grid} for at in range(3))
    if len(steps) < 3 or max(steps) < 4 * min(steps):
        return (
            "Use at least 3 numbers of steps over a factor of 4 or more: one method may only be "
            "faster, and not better."
        )
    if len(lrs) < 4 or max(lrs) < 10 * min(lrs):
        return (
            "Use at least 4 learning rates over a factor of 10 or more: each method must be "
            "taken at its own best rate."
        )
    if len(grid) < len(steps) * len(lrs) * len(seeds):
        return "Not every number of steps has every rate and seed."
    if len(seeds) < 10:
        return (
            f"{len(seeds)} seeds: some must choose the rates, and at least 8 others be counted. "
            "Use at least 10."
        )
    return ""


EXERCISES = {"09.1": cosines, "09.2": surest, "09.3": kept, "09.4": fixup_plan}
