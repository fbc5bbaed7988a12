"""The exercises of chapter 12. Each check returns a hint, or nothing for a right answer."""

from __future__ import annotations

import copy
import itertools
import math
from collections.abc import Callable, Sequence

import torch
from torch import nn

from bnlab.nets import make_net
from bnlab.nets.architecture import macs
from bnlab.nets.supernet import MBConv
from bnlab.train import Run

TAU, SHARE = 0.6, 0.8  # of the five nets of 12.1: two of ten pairs are in the wrong order


def agreement(answer: object) -> str:
    """12.1: tau of five nets, and how often the score prefers the better of two."""
    if not isinstance(answer, tuple | list) or len(answer) != 2:
        return "Give two numbers: (tau, share of the pairs)."
    tau, share = (float(part) for part in answer)
    if math.isclose(tau, SHARE, rel_tol=0.01):
        return "Tau: that is the share of the pairs in the right order. Take off the wrong ones."
    if math.isclose(tau, 6, rel_tol=0.01):
        return "Tau: you have right pairs minus wrong pairs. Divide by the number of all pairs."
    if not math.isclose(tau, TAU, rel_tol=0.01):
        return "Tau: five nets make ten pairs. In how many does the score order them wrongly?"
    if not math.isclose(share, SHARE, rel_tol=0.01):
        return "Share: of ten pairs, in how many has the better net the larger score?"
    return ""


def inflate(answer: object) -> str:
    """12.2: a function (block, factor) that enlarges each scale whose size does not matter."""
    if not callable(answer):
        return "Give the function itself, without calling it: check('12.2', inflate)."
    torch.manual_seed(0)
    block = MBConv(6, 6, 1, 3, 3, "batch").double().train()
    norms = (block.norm1, block.norm2, block.norm3)
    for norm in norms:
        nn.init.uniform_(norm.weight, 0.5, 1.5)
        nn.init.normal_(norm.bias)
    x = torch.randn(32, 6, 8, 8, dtype=torch.float64)
    expected, before, factor = block(x).detach(), copy.deepcopy(block), 10.0
    answer(block, factor)
    return _inflated(block, before, factor, x, expected)


def _inflated(block: MBConv, before: MBConv, factor: float, x: torch.Tensor, expected) -> str:
    grown = [
        bool(getattr(block, name).weight.abs().mean() > 5 * getattr(before, name).weight.mean())
        for name in ("norm1", "norm2", "norm3")
    ]
    if any(
        not torch.equal(getattr(block, name).weight, getattr(before, name).weight)
        for name in ("expand", "depthwise", "project")
    ):
        return "Leave the convolutions as they are. Change weights and biases of normalizers."
    if not any(grown):
        return "No scale is larger than before. Multiply weights of normalizers by the factor."
    if grown[2]:
        return (
            "norm3 is the last one: its output is added to the shortcut x, as it is. Nothing "
            "behind it can take the factor out again."
        )
    if not torch.allclose(block(x), expected, rtol=1e-2, atol=1e-2):
        return (
            "The block computes something else now. A ReLU lets a factor pass only if all of "
            "γz + β has it. What is still missing?"
        )
    if not all(grown[:2]):
        return "Right so far, but one more normalizer has another one behind it."
    return ""


def best_path(answer: object) -> str:
    """12.3: a function (scores, costs, budget) that gives the best path within the budget."""
    if not callable(answer):
        return "Give the function itself, without calling it: check('12.3', best)."
    generator = torch.Generator().manual_seed(4)
    for layers, ops in ((4, 3), (5, 5), (3, 6), (6, 4)):
        costs = torch.randint(1, 30, (layers, ops), generator=generator)
        scores = (costs / 60 + torch.rand(layers, ops, generator=generator)).tolist()
        budget = int(costs.min(1).values.sum() + 0.4 * (costs.max(1).values.sum()))
        hint = _path_hint(answer, scores, costs.tolist(), budget)
        if hint:
            return hint
    return ""


def _sum(table: list[list], path: Sequence[int]) -> float:
    return sum(row[op] for row, op in zip(table, path, strict=True))


def _path_hint(answer: Callable, scores: list[list], costs: list[list], budget: int) -> str:
    found = answer(copy.deepcopy(scores), copy.deepcopy(costs), budget)
    if found is None:
        return "Your function returns nothing yet. End it with return and the path."
    path = [int(op) for op in found]
    if len(path) != len(scores) or not all(0 <= op < len(scores[0]) for op in path):
        return f"A path has one number for each layer: {len(scores)} of them, each of an operation."
    if _sum(costs, path) > budget:
        if path == [row.index(max(row)) for row in scores]:
            return "That is the best of each layer, whatever it costs. Keep to the budget."
        return f"Your path costs {_sum(costs, path)}, and the budget is {budget}."
    if path == [row.index(min(row)) for row in scores]:
        return "That path has the smallest score. The largest is wanted."
    every = itertools.product(*(range(len(row)) for row in scores))
    most = max(_sum(scores, one) for one in every if _sum(costs, one) <= budget)
    if _sum(scores, path) < most - 1e-9:
        return (
            f"Your path has the score {_sum(scores, path):.2f}; one of {most:.2f} is within the "
            "budget, too. Layer by layer does not find it: layers share one budget."
        )
    return ""


LEAST_PATHS, LEAST_SEEDS, SPREAD = 10, 4, 1.02


def equal_sizes(answer: object) -> str:
    """12.4: Runs that tell whether a score knows more than the size of a net."""
    if not isinstance(answer, list | tuple) or not all(isinstance(run, Run) for run in answer):
        return "Give a list of Runs: [Run(net='supernet', net_options={...}, seed=...), ...]."
    plan = set(answer)
    if not plan:
        return "The list is empty."
    if len(plan) < len(answer):
        return "Some Runs are in your list twice. A seed that is counted twice is no second seed."
    if any(run.net != "supernet" or "path" not in run.net_options for run in plan):
        return (
            "The truth is what a net reaches alone: each Run is of the net 'supernet' and has a "
            "'path' in its net_options, beside 'ops'."
        )
    settings = {run.replace(seed=0, net_options={**run.net_options, "path": None}) for run in plan}
    if len(settings) > 1:
        return "Runs differ in more than path and seed. Then something else may order the nets."
    one = next(iter(plan))
    if one.data != "digits" or one.depth > 12 or one.width > 64:
        return "Take digits, at most 12 choice blocks and width 64, so that the check is quick."
    pairs = {(tuple(run.net_options["path"]), run.seed) for run in plan}
    paths, seeds = {path for path, _ in pairs}, {seed for _, seed in pairs}
    if len(paths) < LEAST_PATHS:
        return f"{len(paths)} architectures are few to rank. Take at least {LEAST_PATHS}."
    if len(pairs) < len(paths) * len(seeds):
        return "There are holes: train every architecture with every seed."
    if len(seeds) < LEAST_SEEDS:
        return (
            f"{len(seeds)} seeds: how well does one training agree with another? For this noise "
            f"ceiling take at least {LEAST_SEEDS}."
        )
    return _size_hint(one, paths)


def _size_hint(run: Run, paths: set[tuple[int, ...]]) -> str:
    options = {key: value for key, value in run.net_options.items() if key != "path"}
    net = make_net("supernet", (1, 8, 8), 10, run.depth, run.width, **options)
    sizes = [macs(net, path, (1, 8, 8)) for path in paths]
    if max(sizes) > SPREAD * min(sizes):
        return (
            f"The largest net does {max(sizes) / min(sizes):.2f} times the work of the smallest, "
            "so that a score could order them by size alone. Choose nets of one size: exchange "
            "the operations of layers that have the same shape."
        )
    return ""


EXERCISES = {
    "12.1": agreement,
    "12.2": inflate,
    "12.3": best_path,
    "12.4": equal_sizes,
}
