"""The exercises of chapter 10. Each check returns a hint, or nothing for a right answer."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from bnlab.optim import tangent
from bnlab.train import Run

SHARE, LAYERS = 1.2, 3
GAP = 2.0  # between the two logits of 10.1


def grown_logits(answer: object) -> str:
    """10.1: the gap of two logits when three layers grow by a fifth, and its gradient."""
    if not isinstance(answer, tuple | list) or len(answer) != 2:
        return "Give two numbers: (gap between the logits, size of the gradient)."
    gap, gradient = (float(part) for part in answer)
    if math.isclose(gap, GAP * SHARE, rel_tol=0.01):
        return "Gap: that is one layer's factor. The signal passes through three of them."
    if math.isclose(gap, GAP * SHARE * LAYERS, rel_tol=0.01):
        return "Gap: the layers' factors multiply; they do not add."
    if not math.isclose(gap, GAP * SHARE**LAYERS, rel_tol=0.01):
        return (
            "Gap: each layer without bias passes its factor on, and so does a ReLU. What is left?"
        )
    if math.isclose(gradient, _wrong(GAP), rel_tol=0.02):
        return "Gradient: that is its size before the weights have grown."
    if math.isclose(gradient, 1 - _wrong(gap), rel_tol=0.02):
        return "Gradient: that is p, the probability of the right class. The gradient is p - 1."
    if math.isclose(-gradient, _wrong(gap), rel_tol=0.02):
        return "Gradient: give its size, without the sign."
    if not math.isclose(gradient, _wrong(gap), rel_tol=0.02):
        return "Gradient: p is 1 / (1 + exp(-gap)) with two classes. How far is p from 1?"
    return ""


def _wrong(gap: float) -> float:
    return 1 / (1 + math.exp(gap))


def row_step(answer: object) -> str:
    """10.2: a function (weight, step) that moves each row across itself and keeps its norm."""
    if not callable(answer):
        return "Give the function itself, without calling it: check('10.2', row_step)."
    generator = torch.Generator().manual_seed(0)
    scale = torch.tensor([[1.0], [3.0], [0.2]])
    weight = scale * torch.randn(3, 5, generator=generator)
    return _compare(answer, weight, 0.3 * torch.randn(3, 5, generator=generator))


def _compare(answer: Callable, weight: Tensor, step: Tensor) -> str:
    before = weight.clone()
    found = answer(weight, step.clone())
    if found is None:
        return "Your function returns nothing yet. End it with return and the new weight."
    if not isinstance(found, Tensor) or found.shape != weight.shape:
        return f"Return a tensor of the weight's shape, {tuple(weight.shape)}."
    if not torch.equal(weight, before):
        return "Your function changes the weight that it is given. Compute a new one."
    right = torch.stack([_held(w, s) for w, s in zip(weight, step, strict=True)])
    if torch.allclose(found, right, atol=1e-5):
        return ""
    if torch.allclose(found, _held(weight, step), atol=1e-5):
        return "That is LAWN as it is: one norm for the whole matrix. Here each row keeps its own."
    moved = torch.stack([w + tangent(s, w) for w, s in zip(weight, step, strict=True)])
    if torch.allclose(found, moved, atol=1e-5):
        return (
            "The steps are right. But a step along the tangent makes a row longer: scale it back."
        )
    lengths = torch.linalg.vector_norm(found, dim=1)
    if torch.allclose(lengths, torch.linalg.vector_norm(weight, dim=1), rtol=1e-4):
        return "The norms are right. Take the part along the row out of its step before you add it."
    if torch.allclose(lengths, torch.ones(3), rtol=1e-4):
        return "All rows have norm 1 now. Give each one the norm that it had."
    return "Not right yet. For each row: take out of its step what lies along it, add, scale back."


def _held(weight: Tensor, step: Tensor) -> Tensor:
    new = weight + tangent(step, weight)
    return new * torch.linalg.vector_norm(weight) / torch.linalg.vector_norm(new)


def fair_plan(answer: object) -> str:
    """10.3: Runs that can tell whether LAWN is better than weight decay."""
    if not isinstance(answer, list | tuple) or not all(isinstance(run, Run) for run in answer):
        return "Give a list of Runs: [Run(optimizer=..., optimizer_options=..., lr=...), ...]."
    plan = set(answer)
    if len(plan) < len(answer):
        return "Some Runs are in your list twice. A seed that is counted twice is no second seed."
    if not {run.optimizer for run in plan} <= {"adam", "lawn_adam"}:
        return "Compare optimizer='adam' with optimizer='lawn_adam', and nothing else."
    settings = {run.replace(optimizer="sgd", optimizer_options={}, lr=1, seed=0) for run in plan}
    if len(settings) > 1:
        return (
            "Runs differ in more than optimizer, its options, rate and seed. Change nothing else."
        )
    knobs = {"adam": "weight_decay", "lawn_adam": "free_steps"}
    grids: dict[str, set] = {name: set() for name in knobs}
    for run in plan:
        if set(run.optimizer_options) - {knobs[run.optimizer]}:
            return "Vary weight_decay for adam and free_steps for lawn_adam; leave other options."
        knob = run.optimizer_options.get(knobs[run.optimizer], 0)
        grids[run.optimizer].add((knob, run.lr, run.seed))
    return _fair(grids, knobs)


def _fair(grids: dict[str, set], knobs: dict[str, str]) -> str:
    values = {name: [{one[at] for one in grid} for at in range(3)] for name, grid in grids.items()}
    if not all(grids.values()):
        return "Both optimizers belong in the plan: adam with weight decay, and lawn_adam."
    for name, knob in knobs.items():
        if len(values[name][0]) < 3:
            return f"{name}: try at least three values of {knob}; a rival must be tuned as well."
    if 0 not in values["adam"][0]:
        return "adam: take weight_decay=0 into the grid, so that you see what the decay is worth."
    if len(values["adam"][0]) != len(values["lawn_adam"][0]) or any(
        values["adam"][at] != values["lawn_adam"][at] for at in (1, 2)
    ):
        return (
            "Both need as many tries: the same rates, the same seeds, and as many values of "
            "weight_decay as of free_steps."
        )
    _, lrs, seeds = values["adam"]
    if len(lrs) < 4 or max(lrs) < 30 * min(lrs):
        return "Use at least 4 learning rates over a factor of 30 or more, the same for both."
    if any(len(grids[name]) < math.prod(map(len, values[name])) for name in grids):
        return "The grid has holes: take every option with every rate and every seed."
    if len(seeds) < 10:
        return (
            f"{len(seeds)} seeds: some must choose option and rate, and at least 8 others be "
            "counted. Use at least 10."
        )
    return ""


EXERCISES = {
    "10.1": grown_logits,
    "10.2": row_step,
    "10.3": fair_plan,
}
