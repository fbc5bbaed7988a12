"""The exercises of chapter 14: right answers pass, typical wrong ones get their own hint."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from bnlab.check import check


@pytest.mark.parametrize("exercise", ["14.1", "14.2", "14.3"])
def test_no_answer_yet(exercise):
    assert check(exercise, None).passed is None


@pytest.mark.parametrize(
    "answer", [(1, 0.18), (1.0, 0.181), np.array([1, 0.1814]), torch.tensor([1.0, 0.18])]
)
def test_running_means_right(answer):
    assert check("14.1", answer).passed


def test_running_means_are_those_of_torch():
    x = torch.tensor([[0.0], [2.0]])
    norms = [nn.BatchNorm1d(1, momentum=momentum) for momentum in (0.1, 0.001)]
    for _ in range(200):
        for norm in norms:
            norm(x)
    assert check("14.1", [norm.running_mean for norm in norms]).passed


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        ((0.18, 1), "other way round"),
        ((1, 0.2), "becomes less"),
        ((1, 0.82), "that is what is missing"),
        ((1, 0.001), "There are 200"),
        ((1, 0.5), "leaves 0.999"),
        ((0.1, 0.18), "leaves 0.9 of"),
        (1, "two numbers"),
        ("one", "two numbers"),
    ],
)
def test_running_means_wrong(answer, hint):
    feedback = check("14.1", answer)
    assert feedback.passed is False and hint in feedback.text


def freeze(model):
    for module in model.modules():
        if isinstance(module, _BatchNorm):
            module.eval()
            module.requires_grad_(False)


def gradients_alone(model):
    for module in model.modules():
        if isinstance(module, _BatchNorm):
            module.requires_grad_(False)


def mode_alone(model):
    for module in model.modules():
        if isinstance(module, _BatchNorm):
            module.eval()


def everything(model):
    model.eval()
    model.requires_grad_(False)


def mode_of_all(model):
    freeze(model)
    model.eval()


def without_nested(model):
    for module in model.children():
        if isinstance(module, _BatchNorm):
            module.eval()
            module.requires_grad_(False)


def once(model):
    if not getattr(model, "done", False):
        freeze(model)
    model.done = True


def test_freeze_right():
    assert check("14.2", freeze).passed


@pytest.mark.parametrize(
    ("wrong", "hint"),
    [
        (gradients_alone, "still moves in a forward pass"),
        (mode_alone, "gamma and beta"),
        (everything, "Something else has stopped learning"),
        (mode_of_all, "its dropout too"),
        (without_nested, "Look in nested modules"),
        (once, "Called again after model.train()"),
        (lambda model: None, "gamma and beta"),
        ("freeze", "the function itself"),
    ],
)
def test_freeze_wrong(wrong, hint):
    feedback = check("14.2", wrong)
    assert feedback.passed is False and hint in feedback.text


REPORTS = ["statistics", "batch", "batch", "rate"]


def test_causes_right():
    assert check("14.3", REPORTS).passed and check("14.3", tuple(REPORTS)).passed


@pytest.mark.parametrize("place", range(4))
def test_a_wrong_cause_gets_the_hint_of_its_report(place):
    answer = list(REPORTS)
    answer[place] = "rate" if answer[place] == "statistics" else "statistics"
    feedback = check("14.3", answer)
    assert feedback.passed is False and f"Report {place + 1}:" in feedback.text


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        ("statistics", "a list of four words"),
        (REPORTS[:3], "you gave 3"),
        ([*REPORTS[:3], "luck"], "'luck' is none of"),
    ],
)
def test_what_is_no_answer_to_the_reports(answer, hint):
    feedback = check("14.3", answer)
    assert feedback.passed is False and hint in feedback.text
