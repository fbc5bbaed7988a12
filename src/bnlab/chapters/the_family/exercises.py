"""The exercises of chapter 01. Each check returns a hint, or nothing for a right answer."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn

from bnlab.norms import make_norm

N, C, H, W = 8, 6, 4, 4
GHOST, GROUP = 4, 2
SHARED = {
    "batch": N * H * W,
    "ghost_batch": GHOST * H * W,
    "layer": C * H * W,
    "group": GROUP * H * W,
    "instance": H * W,
}


def shared_numbers(answer: object) -> str:
    """01.1: how many numbers share one mean, for each name."""
    if not isinstance(answer, dict) or set(answer) != set(SHARED):
        return f"Give a dict with one number for each of {', '.join(SHARED)}."
    for name, right in SHARED.items():
        if answer[name] == right:
            continue
        means = N * C * H * W // right
        if answer[name] == means:
            return f"{name}: that is how many means there are. How many numbers share one of them?"
        if answer[name] == right // (H * W) or (right == H * W and answer[name] == 1):
            return f"{name}: the positions of an image count too. Multiply by {H} × {W}."
        if answer[name] == N * C * H * W:
            return f"{name}: not all numbers of the block share one mean."
        return (
            f"{name}: not yet. Write down which of sample, channel, row and column may vary "
            "without a change of the mean, and multiply their sizes."
        )
    return ""


def _group_norm(x: Tensor, group_size: int, eps: float, correction: int = 0) -> Tensor:
    rows = x.reshape(len(x), x.shape[1] // group_size, -1)
    mean = rows.mean(-1, keepdim=True)
    var = rows.var(-1, keepdim=True, correction=correction)
    return ((rows - mean) / (var + eps).sqrt()).reshape(x.shape)


def group_norm(answer: object) -> str:
    """01.2: a function (x, group_size, eps) that normalizes groups of channels."""
    if not callable(answer):
        return "Give the function itself, without calling it: check('01.2', group_norm)."
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(4, 12, 3, 5, generator=generator, dtype=torch.float64) * 3 + 1
    for group_size, eps in ((3, 0.1), (12, 1e-5), (1, 0.5)):
        hint = _compare_groups(answer, x, group_size, eps)
        if hint:
            return hint
    return ""


def _compare_groups(answer: Callable, x: Tensor, group_size: int, eps: float) -> str:
    given = x.clone()
    y = answer(given, group_size, eps)
    if y is None:
        return "Your function returns nothing yet. End it with return and a tensor."
    if not torch.equal(given, x):
        return "Your function changes x in place. Subtract and divide into a new tensor."
    if not isinstance(y, Tensor) or y.shape != x.shape:
        shape = tuple(y.shape) if isinstance(y, Tensor) else type(y).__name__
        return f"The output must have the shape of x, {tuple(x.shape)}, got {shape}."
    right = _group_norm(x, group_size, eps)
    if y.dtype == x.dtype and torch.allclose(y, right, atol=1e-9):
        return ""
    if y.dtype != x.dtype or torch.allclose(y, right, atol=1e-5, rtol=0):
        return (
            f"x is {x.dtype}, and somewhere on the way your numbers are not, so that digits are "
            "lost. Compute in the dtype of x, without .float() and without tensors of your own."
        )
    groups, biased = x.shape[1] // group_size, _group_norm(x, group_size, 0.0)
    of_rows = x.reshape(len(x), groups, -1)
    deviation = of_rows.var(-1, keepdim=True, correction=0).sqrt() + eps
    strided = x.reshape(len(x), group_size, groups, *x.shape[2:]).transpose(1, 2)
    wrong = {
        "You use the unbiased variance, divided by m - 1. Normalizers divide by m: "
        "var(..., correction=0).": _group_norm(x, group_size, eps, correction=1),
        "Take eps inside of the root: sqrt(var + eps), not sqrt(var) + eps.": (
            (of_rows - of_rows.mean(-1, keepdim=True)) / deviation
        ).reshape(x.shape),
        "eps is missing.": biased,
        "group_size counts the channels in a group, not the groups.": _group_norm(x, groups, eps),
        "A group is made of neighbouring channels: 0, 1, 2, then 3, 4, 5. Put the axis of the "
        "groups first when you reshape, that of the channels in a group second.": _group_norm(
            strided.reshape(x.shape), group_size, eps
        )
        .reshape(len(x), groups, group_size, *x.shape[2:])
        .transpose(1, 2)
        .reshape(x.shape),
        "Your mean runs over the samples too. A group lies within one sample.": _over_samples(
            x, group_size, eps
        ),
    }
    for hint, values in wrong.items():
        if torch.allclose(y, values, atol=1e-9):
            return hint
    return (
        f"With group_size={group_size} and eps={eps:g} the first number is "
        f"{float(y.flatten()[0]):.4g}, expected "
        f"{float(right.flatten()[0]):.4g}. Reshape x so that each row "
        "holds the numbers that share a mean."
    )


def _over_samples(x: Tensor, group_size: int, eps: float) -> Tensor:
    rows = x.reshape(len(x), x.shape[1] // group_size, -1)
    mean = rows.mean((0, 2), keepdim=True)
    var = rows.var((0, 2), keepdim=True, correction=0)
    return ((rows - mean) / (var + eps).sqrt()).reshape(x.shape)


def _cases() -> Iterator[tuple[str, nn.Module, bool]]:
    def norm(name: str, training: bool = True, **options: object) -> nn.Module:
        return make_norm(name, 4, **options).train(training)

    yield "batch in training mode", norm("batch"), True
    yield "batch in evaluation mode", norm("batch", training=False), False
    yield "layer", norm("layer"), False
    yield "ghost_batch with ghost_size=4", norm("ghost_batch", ghost_size=4), True
    yield "ghost_batch with ghost_size=1", norm("ghost_batch", ghost_size=1), False
    yield "group with group_size=2", norm("group", group_size=2), False
    # Random, but not because of the other samples.
    yield "Dropout in training mode", nn.Dropout(), False
    yield "noisy_batch in training mode", norm("noisy_batch"), True


def looks_at_others(answer: object) -> str:
    """01.3: a function (norm, x): does the first output depend on the other samples?"""
    if not callable(answer):
        return "Give the function itself, without calling it: check('01.3', looks_at_others)."
    x = torch.randn(8, 4, 3, 3, generator=torch.Generator().manual_seed(0))
    for name, norm, right in _cases():
        before, mode, given = copy.deepcopy(norm.state_dict()), norm.training, x.clone()
        with torch.random.fork_rng(devices=[]):
            found = answer(norm, given)
        if found is None:
            return "Your function returns nothing yet. End it with return True or False."
        after = norm.state_dict()
        if norm.training != mode or any(not torch.equal(before[k], after[k]) for k in before):
            return (
                f"After your call, {name} is another module: a pass in training mode moves the "
                "running statistics. Work on copy.deepcopy(norm), in the mode that it has."
            )
        if not torch.equal(given, x):
            return "Your function changes x in place. Work on x.clone()."
        if bool(found) != right:
            return _why(name, right)
    return ""


def _why(name: str, right: bool) -> str:
    if name.startswith("Dropout"):
        return (
            "You call Dropout dependent on the other samples. Its output changes from call to call "
            "anyway: give both calls the same random numbers, or ask a gradient instead."
        )
    if right:
        return (
            f"{name}: you say no, but the first output changes if the other samples do. Change "
            "their values, not only their order or their number: a mean does not see an order."
        )
    return f"{name}: you say yes, but no change of the other samples changes the first output."


EXERCISES = {
    "01.1": shared_numbers,
    "01.2": group_norm,
    "01.3": looks_at_others,
}
