"""The exercises of chapter 14. Each check returns a hint, or nothing for a right answer."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import nn

START, BATCHES, SLOW, USUAL = 0.0, 200, 0.001, 0.1
CLOSE = 0.006

CAUSES = ("statistics", "batch", "rate")
REPORTS = ("statistics", "batch", "batch", "rate")
"""What is behind the four reports of 14.3."""

HINTS = (
    "Report 1: training mode is right with the very same weights, and statistics computed anew "
    "bring everything back. What, then, was wrong?",
    "Report 2: statistics computed anew help little, so the training itself has failed. What "
    "must have been wrong during the training?",
    "Report 3: what does the output of an image depend on, besides the image and the weights?",
    "Report 4: at another rate the other net is ahead. What has been compared?",
)


def running_means(answer: object) -> str:
    """14.1: how far a running mean has come after 200 batches, with two momenta."""
    numbers = _two_numbers(answer)
    if numbers is None:
        return "Give two numbers: (with momentum 0.1, with momentum 0.001)."
    usual, slow = numbers
    right = tuple(1 - (1 - momentum) ** BATCHES for momentum in (USUAL, SLOW))
    if _near(usual, right[1]) and _near(slow, right[0]):
        return "The other way round: in PyTorch the momentum is the weight of the newest batch."
    if not _near(usual, right[0]):
        return (
            "Momentum 0.1 is not right yet. Each batch leaves 0.9 of what is missing; how much is "
            "that after 200 of them?"
        )
    hints = {
        right[1]: "",
        SLOW * BATCHES: "Momentum 0.001: nearly. Each batch adds a thousandth of what is still "
        "missing, and that becomes less.",
        1 - right[1]: "Momentum 0.001: that is what is missing. How far has the mean come?",
        SLOW: "Momentum 0.001: that is how far one batch brings it. There are 200.",
    }
    found = (hint for known, hint in hints.items() if _near(slow, known))
    return next(
        found,
        "Momentum 0.001 is not right yet. Each batch leaves 0.999 of what is missing.",
    )


def _two_numbers(answer: object) -> tuple[float, float] | None:
    """Both numbers of a pair, an array or a tensor; None for anything else."""
    try:
        first, second = (float(part) for part in answer)
    except (TypeError, ValueError):
        return None
    return first, second


def _near(a: float, b: float) -> bool:
    return math.isclose(a, b, abs_tol=CLOSE)


def really_frozen(answer: object) -> str:
    """14.2: a function (model) that freezes all BatchNorms, and nothing else."""
    if not callable(answer):
        return "Give the function itself, without calling it: check('14.2', freeze)."
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(1, 4, 3),
        nn.BatchNorm2d(4),
        nn.Sequential(nn.Flatten(), nn.Linear(16, 8), nn.BatchNorm1d(8), nn.Dropout(0.5)),
        nn.LayerNorm(8),
        nn.Linear(8, 3),
    )
    model.train()
    answer(model)
    return _wrong_parameters(model) or _wrong_modes(model, answer)


def _norms(model: nn.Module) -> list[nn.Module]:
    return [m for m in model.modules() if isinstance(m, nn.BatchNorm1d | nn.BatchNorm2d)]


def _wrong_parameters(model: nn.Module) -> str:
    norms = _norms(model)
    of_norms = {id(parameter) for norm in norms for parameter in norm.parameters()}
    learns = {id(p) for p in model.parameters() if p.requires_grad}
    rest = {id(p) for p in model.parameters()} - of_norms
    if not rest <= learns:
        return "Something else has stopped learning. Only the BatchNorms are to be frozen."
    if of_norms & learns and any(not learns & {id(p) for p in norm.parameters()} for norm in norms):
        return (
            "One BatchNorm is frozen and another is not. Look in nested modules, and at both "
            "BatchNorm1d and BatchNorm2d."
        )
    if of_norms & learns:
        return "gamma and beta of the BatchNorms still learn: take their gradients away, too."
    return ""


def _wrong_modes(model: nn.Module, answer: Callable) -> str:
    before = {id(norm): norm.running_mean.clone() for norm in _norms(model)}
    model(torch.randn(8, 1, 4, 4, generator=torch.Generator().manual_seed(0)) + 3)
    if any(not torch.equal(norm.running_mean, before[id(norm)]) for norm in _norms(model)):
        return "A running mean still moves in a forward pass. What decides whether it does?"
    others = [m for m in model.modules() if not isinstance(m, nn.BatchNorm1d | nn.BatchNorm2d)]
    if any(not module.training for module in others):
        return "All of the net is in evaluation mode, its dropout too. Only the BatchNorms should."
    model.train()
    answer(model)
    if any(norm.training for norm in _norms(model)):
        return "Called again after model.train(), your function must freeze the BatchNorms again."
    return ""


def causes(answer: object) -> str:
    """14.3: the cause behind each of four reports."""
    if isinstance(answer, str) or not isinstance(answer, list | tuple):
        return f"Give a list of four words, each one of {', '.join(CAUSES)}."
    if len(answer) != len(REPORTS):
        return f"There are four reports; you gave {len(answer)} words."
    for given in answer:
        if given not in CAUSES:
            return f"{given!r} is none of {', '.join(CAUSES)}."
    wrong = (
        hint for given, right, hint in zip(answer, REPORTS, HINTS, strict=True) if given != right
    )
    return next(wrong, "")


EXERCISES = {
    "14.1": running_means,
    "14.2": really_frozen,
    "14.3": causes,
}
