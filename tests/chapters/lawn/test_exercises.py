"""The exercises of chapter 10: right answers pass, typical wrong ones get their own hint."""

import math

import pytest
import torch
from torch import nn

from bnlab.check import check
from bnlab.train import Run


@pytest.mark.parametrize("exercise", ["10.1", "10.2", "10.3"])
def test_no_answer_yet(exercise):
    assert check(exercise, None).passed is None


def test_grown_logits_right_and_as_a_net_does_it():
    assert check("10.1", (3.46, 0.031)).passed
    net = nn.Sequential(*(nn.Linear(2, 2, bias=False) for _ in range(3)))
    for layer in net:
        nn.init.eye_(layer.weight)
    x = torch.tensor([[2.0, 0.0]])
    assert net(x).tolist() == [[2.0, 0.0]]
    with torch.no_grad():
        for layer in net:
            layer.weight *= 1.2
    logits = net(x).detach()
    probability = logits.softmax(1)[0, 0]
    answer = (float(logits[0, 0] - logits[0, 1]), float(1 - probability))
    assert check("10.1", answer).passed


GAP = 2 * 1.2**3
LEFT = 1 / (1 + math.exp(GAP))


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        ((2.4, LEFT), "one layer's factor"),
        ((7.2, LEFT), "do not add"),
        ((2, LEFT), "passes its factor on"),
        ((GAP, 0.119), "before the weights have grown"),
        ((GAP, 0.969), "probability of the right class"),
        ((GAP, -0.0306), "without the sign"),
        ((GAP, 0.5), "How far is p from 1"),
        (3.46, "two numbers"),
    ],
)
def test_grown_logits_wrong(answer, hint):
    feedback = check("10.1", answer)
    assert feedback.passed is False
    assert hint in feedback.text


def row_step(weight, step):
    along = (step * weight).sum(1, keepdim=True) / (weight * weight).sum(1, keepdim=True)
    new = weight + step - along * weight
    return new * weight.norm(dim=1, keepdim=True) / new.norm(dim=1, keepdim=True)


def test_row_step_right():
    assert check("10.2", row_step).passed


def in_one_piece(weight, step):
    new = weight + step - (step * weight).sum() / (weight * weight).sum() * weight
    return new * weight.norm() / new.norm()


def not_scaled_back(weight, step):
    along = (step * weight).sum(1, keepdim=True) / (weight * weight).sum(1, keepdim=True)
    return weight + step - along * weight


def not_projected(weight, step):
    new = weight + step
    return new * weight.norm(dim=1, keepdim=True) / new.norm(dim=1, keepdim=True)


def to_norm_one(weight, step):
    return nn.functional.normalize(not_scaled_back(weight, step), dim=1)


@pytest.mark.parametrize(
    ("wrong", "hint"),
    [
        (in_one_piece, "LAWN as it is"),
        (not_scaled_back, "makes a row longer"),
        (not_projected, "before you add it"),
        (to_norm_one, "the norm that it had"),
        (lambda w, s: w + s, "Not right yet"),
        (lambda w, s: w.add_(s), "changes the weight"),
        (lambda w, s: w.norm(dim=1), "a tensor of the weight's shape"),
        (lambda w, s: None, "returns nothing yet"),
        (torch.zeros(3, 5), "the function itself"),
    ],
)
def test_row_step_wrong(wrong, hint):
    feedback = check("10.2", wrong)
    assert not feedback.passed
    assert hint in feedback.text


LRS = (0.0003, 0.001, 0.003, 0.01)
KNOBS = {"weight_decay": (0, 0.01, 0.1), "free_steps": (15, 30, 60)}


def plan(lrs=LRS, seeds=range(10), decays=KNOBS["weight_decay"], free=KNOBS["free_steps"], **also):
    arms = [("adam", {"weight_decay": value}) for value in decays]
    arms += [("lawn_adam", {"free_steps": value}) for value in free]
    return [
        Run(optimizer=name, optimizer_options=options, lr=lr, seed=seed, **also)
        for name, options in arms
        for lr in lrs
        for seed in seeds
    ]


def test_fair_plan_right():
    assert check("10.3", plan()).passed
    assert check("10.3", plan(label_noise=0.2, batch_size=1197, seeds=range(12))).passed


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (plan(decays=(0,)), "three values of weight_decay"),
        (plan(free=(30,)), "three values of free_steps"),
        (plan(decays=(0.01, 0.1, 1)), "weight_decay=0"),
        (plan(decays=(0, 0.001, 0.01, 0.1)), "as many tries"),
        (plan(decays=()), "Both optimizers belong"),
        (plan(lrs=(0.01,)), "4 learning rates"),
        (plan(lrs=(0.01, 0.011, 0.012, 0.013)), "4 learning rates"),
        (plan(seeds=range(8)), "some must choose"),
        (plan()[:-1], "holes"),
        (plan()[1:], "holes"),
        (plan() + plan()[:1], "twice"),
        (plan() + plan(steps=400), "more than optimizer"),
        ([*plan(), Run(optimizer="sgd")], "nothing else"),
        ([*plan(), Run(optimizer="adam", optimizer_options={"eps": 1e-4})], "leave other options"),
        (Run(), "list of Runs"),
    ],
)
def test_fair_plan_wrong(answer, hint):
    feedback = check("10.3", answer)
    assert feedback.passed is False
    assert hint in feedback.text
