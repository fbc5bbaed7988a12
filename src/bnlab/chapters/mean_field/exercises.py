"""The exercises of chapter 06. Each check returns a hint, or nothing for a right answer."""

from __future__ import annotations

import math
from collections.abc import Callable

from bnlab.train import Run

UNITS, GAMMA, MOMENTUM = 300, 2.0, 0.9
CLOSE = 1e-3
CASES = (
    ([1000] * 4, 1.0, 0.0),
    ([64, 300, 300, 300], 0.5, 0.0),
    ([64, 300, 300, 300], 0.5, 0.3),  # only here does it matter which layer's q one takes
    ([20, 50], 2.0, 0.1),
    ([30], 1.0, 0.5),
)
"""Fan-ins, gamma, and how much two images have in common."""

FEWEST_STEPS = 40  # about five epochs of the chapter's nets
VARIANCES = (2.0, 0.5)  # of weights times fan-in, and of biases: the paper's


def last_layer_rate(answer: object) -> str:
    """06.1: eta* of a net whose eigenvalue is that of the last layer, N gamma^2 / 2 pi."""
    given = float(answer)
    eigenvalue = UNITS * GAMMA**2 / (2 * math.pi)
    right = 2 * (1 + MOMENTUM) / eigenvalue

    def near(wanted: float) -> bool:
        return math.isclose(given, wanted, rel_tol=0.02)

    if near(right):
        return ""
    hints = {
        "That is the rate without momentum. Heavy ball multiplies it by 1 + momentum.": 2
        / eigenvalue,
        "γ counts squared: it scales the outputs of the layer, and the eigenvalue is a mean "
        "square.": right * GAMMA,
        "That is the eigenvalue itself. The rate is 2 (1 + momentum) divided by it.": eigenvalue,
        "Which way does it go? Momentum allows a larger rate here, not a smaller one.": 2
        * (1 - MOMENTUM)
        / eigenvalue,
    }
    for hint, wrong in hints.items():
        if near(wrong):
            return hint
    return "Not right yet. First λ = N γ² / (2π), then η* = 2 (1 + momentum) / λ."


def _bound(fan_in: list[int], gamma: float, alike: float = 0.0, kind: str = "") -> float:
    """The paper's bound for BatchNorm; ``alike`` is q_hat_xy of the input, ``kind`` a mistake."""
    weight, bias = VARIANCES
    signals = [(1.0, 0.0 if kind == "input" else alike)]
    signals += [(gamma**2 / 2, gamma**2 / (2 * math.pi))] * (len(fan_in) - 1)
    total, back = 0.0, 1.0
    for layer in reversed(range(len(fan_in))):
        same, both = signals[layer]
        chosen = same if kind == "one input" else both
        total += (1 if kind == "no width" else fan_in[layer]) * chosen * back
        below = signals[layer if kind == "layer" else max(layer - 1, 0)]
        size = below[0] - below[1] if kind == "variance" else below[0]
        second = weight * size + (0 if kind == "variance" else bias)
        back *= gamma**2 * weight / ((2 if kind == "half" else 4) * second)
    return total


MISTAKES = {
    "one input": "You take q̂ of one input. The bound has q̂_xy, of two: γ²/2π, and at the input "
    "the third argument.",
    "half": "Two inputs pass a ReLU together a quarter of the time: divide by 4, not by 2.",
    "no width": "Each layer counts N times: multiply by its fan-in.",
    "variance": (
        "You divide by the variance, q - q_xy. That is the correction; this exercise is about "
        "the paper's recursion, which divides by q."
    ),
    "input": "At the input q̂_xy is the third argument. Two images have something in common there.",
    "layer": (
        "You divide by the q of another layer. Equation 4 goes from layer l + 1 down to layer l, "
        "and divides by the q of layer l."
    ),
}


def bound(answer: object) -> str:
    """06.2: a function (fan_in, gamma, q_hat_xy) that gives the paper's bound for BatchNorm."""
    if not callable(answer):
        return "Give the function itself, without calling it: check('06.2', bound)."
    for case in CASES:
        hint = _compare(answer, *case)
        if hint:
            return hint
    return ""


def _compare(answer: Callable, fan_in: list[int], gamma: float, alike: float) -> str:
    found = answer(list(fan_in), gamma, alike)
    if found is None:
        return "Your function returns nothing yet. End it with return and a number."
    given, right = float(found), _bound(fan_in, gamma, alike)

    def near(wanted: float) -> bool:
        return math.isclose(given, wanted, rel_tol=CLOSE, abs_tol=1e-12)

    if near(right):
        return ""
    for kind, hint in MISTAKES.items():
        if near(_bound(fan_in, gamma, alike, kind)):
            return hint
    return (
        f"For fan_in={fan_in}, gamma={gamma:g} and q_hat_xy={alike:g} your function gives "
        f"{given:.5g}, expected {right:.5g}. Go from the last layer, where q̃_xy is 1, to the first."
    )


def gamma_plan(answer: object) -> str:
    """06.3: Runs that can tell whether a smaller gamma at the start gives a lower loss."""
    if not isinstance(answer, list | tuple) or not all(isinstance(run, Run) for run in answer):
        return "Give a list of Runs: [Run(norm='batch', gamma=..., lr=..., seed=...), ...]."
    plan = set(answer)
    if len(plan) < len(answer):
        return "Some Runs are in your list twice. A seed that is counted twice is no second seed."
    if not plan or {run.norm for run in plan} != {"batch"}:
        return "Use norm='batch' in all Runs, and at least one: only normalizers have a γ."
    if len({run.replace(gamma=1.0, lr=1.0, seed=0) for run in plan}) > 1:
        return "Runs differ in more than gamma, learning rate and seed."
    if next(iter(plan)).loss != "squared_error":
        return "The theory is about the squared error: set loss='squared_error'."
    gammas = sorted({run.gamma for run in plan})
    if len(gammas) < 3:
        return "Use at least 3 values of γ: two cannot show a trend."
    if gammas[-1] < 4 * gammas[0]:
        return f"γ from {gammas[0]:g} to {gammas[-1]:g} is too narrow: span a factor of 4 or more."
    if next(iter(plan)).steps < FEWEST_STEPS:
        return f"These trainings have hardly begun: take at least {FEWEST_STEPS} steps."
    for gamma in gammas:
        lrs = {run.lr for run in plan if run.gamma == gamma}
        if len(lrs) < 4 or max(lrs) < 4 * min(lrs):
            return (
                f"γ = {gamma:g} has the rates {sorted(lrs)}. Each γ needs a rate of its own: try "
                "at least 4 for each, over a factor of 4 or more. Else a γ may win only because "
                "your rate suits it."
            )
    return _seeds(plan)


def _seeds(plan: set[Run]) -> str:
    places = {(run.gamma, run.lr): set() for run in plan}
    for run in plan:
        places[run.gamma, run.lr].add(run.seed)
    if len(set(map(frozenset, places.values()))) > 1:
        return "Not paired: every γ and rate should have the same seeds."
    few = len(next(iter(places.values())))
    if few < 8:
        return f"There are only {few} seeds. Use at least 8, for a useful interval."
    return ""


EXERCISES = {
    "06.1": last_layer_rate,
    "06.2": bound,
    "06.3": gamma_plan,
}
