"""The exercises of chapter 08. Each check returns a hint, or nothing for a right answer."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import nn

from bnlab.norms import GroupNorm
from bnlab.train import Run

SIZES = ((16, 4), (32, 4), (64, 4), (32, 1), (32, 32), (16, 32), (96, 8))
"""Channels of a layer and channels a group; a group may be larger than the layer."""


def pooled(answer: object) -> str:
    """08.1: mean over positions after instance norm, without and with a ReLU."""
    if not isinstance(answer, tuple | list) or len(answer) != 2:
        return "Give two numbers: (mean without ReLU, mean with ReLU)."
    without, after = (float(part) for part in answer)
    if math.isclose(without, 5):
        return (
            "That is the mean before the normalizer. Instance norm subtracts exactly this mean, "
            "which belongs to one sample and channel."
        )
    if not math.isclose(without, 0, abs_tol=1e-9):
        return "Without ReLU: what does (a - mean) sum to over the positions that share the mean?"
    if math.isclose(after, 0, abs_tol=1e-9):
        return "With ReLU: it cuts the negative half off. Only the positive half is averaged."
    if math.isclose(after, 1):
        return "With ReLU: 1 is what the positive positions have. Half of all positions are 0."
    if not math.isclose(after, 0.5):
        return (
            "With ReLU: not right yet. Half of the positions lie one standard deviation above "
            "the mean, half of them one below."
        )
    return ""


def group_layer(answer: object) -> str:
    """08.2: a function (num_features, group_size) that gives torch's GroupNorm."""
    if not callable(answer):
        return "Give the function itself, without calling it: check('08.2', group_layer)."
    for channels, size in SIZES:
        hint = _compare(answer, channels, size)
        if hint:
            return hint
    return ""


def _compare(answer: Callable, channels: int, size: int) -> str:
    case = f"For {channels} channels and groups of {size}"
    try:
        layer = answer(channels, size)
    except (ValueError, ZeroDivisionError) as error:
        return f"{case}: {error}. {_larger(channels, size)}"
    if layer is None:
        return "Your function returns nothing yet. End it with return and a layer."
    if not isinstance(layer, nn.GroupNorm):
        return f"Return a torch.nn.GroupNorm, not a {type(layer).__name__}."
    right = max(1, channels // size)
    if layer.num_channels != channels:
        return f"{case}: your layer is for {layer.num_channels} channels."
    if layer.num_groups == right:
        return _same_numbers(layer, channels, min(size, channels))
    if layer.num_groups == size:
        return (
            f"{case}: your layer has {size} groups of {channels // size} channels. torch's "
            "num_groups is the number of groups, the papers' group size the channels in one."
        )
    hint = f"{case}: your layer has {layer.num_groups} groups, expected {right}."
    return f"{hint} {_larger(channels, size)}".rstrip()


def _larger(channels: int, size: int) -> str:
    return "A group larger than the layer takes the whole layer." if size > channels else ""


def _same_numbers(layer: nn.GroupNorm, channels: int, size: int) -> str:
    x = torch.randn(2, channels, 3, 3, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        same = torch.allclose(layer(x), GroupNorm(channels, group_size=size)(x), atol=1e-5)
    return "" if same else "The groups are right, but the numbers differ: leave eps as it is."


def size_plan(answer: object) -> str:
    """08.3: Runs that can tell which group size trains fastest."""
    if not isinstance(answer, list | tuple) or not all(isinstance(run, Run) for run in answer):
        return "Give a list of Runs: [Run(norm=..., norm_options=..., lr=..., seed=...), ...]."
    plan = set(answer)
    if len(plan) < len(answer):
        return "Some Runs are in your list twice. A seed that is counted twice is no second seed."
    if any("num_groups" in run.norm_options for run in plan):
        return "Say group_size, not num_groups: where the width changes, so does the group size."
    if not {run.norm for run in plan} <= {"group", "layer"}:
        return "Compare group sizes only: norm='group' with a group_size, and norm='layer'."
    grids: dict[tuple, set] = {}
    for run in plan:
        kind = run.norm, run.norm_options.get("group_size", 0)
        grids.setdefault(kind, set()).add((run.lr, run.seed))
    if len(grids) < 4 or ("layer", 0) not in grids:
        return "Compare at least 3 group sizes and layer norm: two points show no trend."
    settings = {run.replace(norm="none", norm_options={}, lr=1.0, seed=0) for run in plan}
    if len(settings) > 1:
        return "Runs differ in more than group size, learning rate and seed. Change one thing only."
    if len({frozenset(grid) for grid in grids.values()}) > 1:
        return (
            "Not every group size has the same rates and seeds. Whoever gets more rates to choose "
            "from wins more often."
        )
    pairs = next(iter(grids.values()))
    lrs, seeds = ({pair[at] for pair in pairs} for at in (0, 1))
    if len(lrs) < 4 or max(lrs) < 30 * min(lrs):
        return (
            "Use at least 4 learning rates over a factor of 30 or more: the best rates of small "
            "and of large groups lie far apart."
        )
    if len(pairs) < len(lrs) * len(seeds):
        return "Not every rate has every seed."
    if len(seeds) < 10:
        return (
            f"{len(seeds)} seeds: some must choose the rates, and at least 8 others be counted. "
            "Use at least 10."
        )
    return ""


EXERCISES = {
    "08.1": pooled,
    "08.2": group_layer,
    "08.3": size_plan,
}
