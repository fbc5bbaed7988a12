"""The exercises of chapter 05: right answers pass, typical wrong ones get their own hint."""

import copy
from fractions import Fraction

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from bnlab.check import check
from bnlab.train import Run


@pytest.mark.parametrize("exercise", ["05.1", "05.2", "05.3"])
def test_no_answer_yet(exercise):
    assert check(exercise, None).passed is None


def test_doubled_weights_right():
    right = [1, 0.5, 0.25]
    for answer in (tuple(right), right, np.array(right), torch.tensor(right)):
        assert check("05.1", answer).passed
    assert check("05.1", tuple(torch.tensor(right))).passed
    assert check("05.1", (Fraction(1), Fraction(1, 2), Fraction(1, 4))).passed


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        ((2, 0.5, 0.25), "The loss"),
        ((1, 2, 4), "not larger but smaller"),
        ((1, 1, 1), "gradient is not right"),
        ((1, 0.5, 0.5), "second derivative"),
        ((1, 0.5, 1), "second time"),
        (0.5, "three factors"),
        ((1, 0.5), "three factors"),
        (("same", "half", "quarter"), "three factors"),
        (np.ones((3, 3)), "three factors"),
        ((1, 0.5, 4), "second time"),
        ((1, float("nan"), 0.25), "gradient is not right"),
    ],
)
def test_doubled_weights_wrong(answer, hint):
    feedback = check("05.1", answer)
    assert feedback.passed is False
    assert hint in feedback.text


def gradient(net, x, y):
    loss = cross_entropy(net(x), y)
    return loss.item(), torch.cat(
        [part.flatten() for part in torch.autograd.grad(loss, list(net.parameters()))]
    )


def probe(
    model,
    x,
    y,
    steps,
    *,
    sign=-1,
    walk=False,
    way=True,
    on_copy=True,
    still=True,
    how="all",
    mode=True,
    start=False,
    leave=None,
):
    value, g = gradient(copy.deepcopy(model).train(mode) if still else model, x, y)
    net = copy.deepcopy(model).train(mode) if on_copy else model
    if leave == "mode":
        model.eval()
    if leave == "gradients":
        next(model.parameters()).grad = torch.zeros_like(next(model.parameters()))
    w = nn.utils.parameters_to_vector(net.parameters()).detach().clone()
    losses, changes, betas, at = [value] * start, [], [], 0
    for s in steps:
        at = at + s if walk else s
        nn.utils.vector_to_parameters(w + sign * at * g, net.parameters())
        loss, there = gradient(net, x, y)
        losses.append(loss)
        changes.append(float((there - g).norm()))
        betas.append(changes[-1] / (s * float(g.norm()) if way else s))
    found = max(losses) - min(losses), max(changes), max(betas)
    return {"all": found, "two": found[:2], "last": (*found[:2], betas[-1]), "text": ("a", 1, 2)}[
        how
    ]


def test_probe_right():
    assert check("05.2", probe).passed


@pytest.mark.parametrize("form", [list, np.array, torch.tensor])
def test_three_numbers_of_any_kind_pass(form):
    """A tensor of this kind has single precision."""
    assert check("05.2", lambda *inputs: form(probe(*inputs))).passed


def test_a_probe_on_flat_weights_passes():
    """The way of the page: a loss of one vector, here with its own buffers."""

    def flat(model, x, y, steps):
        names, shapes = zip(*((n, p.shape) for n, p in model.named_parameters()), strict=True)
        sizes = [shape.numel() for shape in shapes]
        w = nn.utils.parameters_to_vector(model.parameters()).detach()

        def loss(w):
            parts = (p.view(s) for p, s in zip(w.split(sizes), shapes, strict=True))
            buffers = {n: b.clone() for n, b in model.named_buffers()}
            given = dict(zip(names, parts, strict=True)) | buffers
            return cross_entropy(torch.func.functional_call(model, given, (x,)), y)

        g = torch.func.grad(loss)(w)
        changes = [(torch.func.grad(loss)(w - s * g) - g).norm() for s in steps]
        losses = [loss(w - s * g) for s in steps]
        betas = [c / (s * g.norm()) for c, s in zip(changes, steps, strict=True)]
        return max(losses) - min(losses), max(changes), max(betas)

    assert check("05.2", flat).passed


@pytest.mark.parametrize(
    ("wrong", "hint"),
    [
        ({"sign": 1}, "uphill"),
        ({"walk": True}, "add up"),
        ({"way": False}, "the way is s times"),
        ({"on_copy": False}, "deepcopy"),
        ({"still": False}, "running statistics"),
        ({"how": "two"}, "three numbers"),
        ({"how": "last"}, "beta is"),
        ({"sign": -2}, "expected"),
        ({"how": "text"}, "three numbers"),
        ({"mode": False}, "eval mode"),
        ({"start": True}, "loss at w itself"),
        ({"leave": "mode"}, "another mode"),
        ({"leave": "gradients"}, "leaves gradients"),
    ],
)
def test_probe_wrong(wrong, hint):
    feedback = check("05.2", lambda *inputs: probe(*inputs, **wrong))
    assert feedback.passed is False
    assert hint in feedback.text


def test_a_function_that_returns_nothing_or_is_none():
    assert "returns nothing yet" in check("05.2", lambda *_: None).text
    assert "the function itself" in check("05.2", 1.5).text


LOOKS = [10, 50, 300, 590]


def runs(norms=("none", "batch"), lrs=(0.03, 0.1), depths=(6, 15), seeds=range(8), steps=600):
    return [
        Run(norm=n, lr=lr, depth=d, seed=s, steps=steps)
        for n in norms
        for lr in lrs
        for d in depths
        for s in seeds
    ]


def test_smooth_plan_right():
    assert check("05.3", (runs(), LOOKS)).passed
    assert check("05.3", [runs(seeds=range(12)), range(0, 600, 50)]).passed
    assert check("05.3", [runs(), np.arange(0, 600, 50)]).passed
    assert check("05.3", (runs(norms=("none", "batch", "layer")), LOOKS)).passed


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (runs(), "two lists"),
        ((Run(), LOOKS), "list of Runs"),
        ((runs(norms=("batch",)), LOOKS), "two nets"),
        ((runs(norms=("none", "layer")), LOOKS), "two nets"),
        ((runs()[:-1], LOOKS), "Not paired"),
        ((runs() + runs()[:1], LOOKS), "twice"),
        ((runs(lrs=(0.1,)), LOOKS), "2 learning rates"),
        ((runs(depths=(6,)), LOOKS), "2 depths"),
        ((runs(seeds=range(3)), LOOKS), "only 3 seeds"),
        ((runs() + runs(steps=900), LOOKS), "more than"),
        ((runs(), [300, 590]), "No look is early"),
        ((runs(), [10, 50]), "No look is late"),
        ((runs(), [10, 600]), "no training reaches"),
        ((runs(), 10), "list of numbers"),
    ],
)
def test_smooth_plan_wrong(answer, hint):
    feedback = check("05.3", answer)
    assert feedback.passed is False
    assert hint in feedback.text
