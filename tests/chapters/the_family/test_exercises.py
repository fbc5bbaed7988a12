"""The exercises of chapter 01: right answers pass, typical wrong ones get their own hint."""

import copy

import pytest
import torch

from bnlab.check import check

RIGHT = {"batch": 128, "ghost_batch": 64, "layer": 96, "group": 32, "instance": 16}


@pytest.mark.parametrize("exercise", ["01.1", "01.2", "01.3"])
def test_no_answer_yet(exercise):
    assert check(exercise, None).passed is None
    if exercise != "01.1":
        untouched = check(exercise, lambda *_: None)
        assert untouched.passed is None and "returns nothing yet" in untouched.text


def test_shared_numbers_right():
    assert check("01.1", RIGHT).passed


@pytest.mark.parametrize(
    ("change", "hint"),
    [
        ({"batch": 6}, "how many means there are"),
        ({"batch": 8}, "positions of an image count too"),
        ({"instance": 1}, "positions of an image count too"),
        ({"layer": 768}, "not all numbers"),
        ({"group": 17}, "group: not yet"),
        ({"grup": 32}, "one number for each of"),
    ],
)
def test_shared_numbers_wrong(change, hint):
    feedback = check("01.1", {**RIGHT, **change})
    assert feedback.passed is False and hint in feedback.text


def group_norm(x, group_size, eps, correction=0, groups=None, inside=True, dims=-1, strided=False):
    groups = groups(x, group_size) if groups else x.shape[1] // group_size
    size = x.shape[1] // groups
    if strided:
        y = group_norm(
            x.reshape(len(x), size, groups, *x.shape[2:]).transpose(1, 2).reshape(x.shape),
            size,
            eps,
        )
        y = y.reshape(len(x), groups, size, *x.shape[2:]).transpose(1, 2)
        return y.reshape(x.shape)
    rows = x.reshape(len(x), groups, -1)
    centred = rows - rows.mean(dims, keepdim=True)
    var = rows.var(dims, keepdim=True, correction=correction)
    deviation = (var + eps).sqrt() if inside else var.sqrt() + eps
    return (centred / deviation).reshape(x.shape)


def test_group_norm_right():
    assert check("01.2", group_norm).passed
    assert check(
        "01.2",
        lambda x, g, eps: torch.nn.functional.group_norm(x, x.shape[1] // g, eps=eps),
    ).passed


@pytest.mark.parametrize(
    ("options", "hint"),
    [
        ({"correction": 1}, "unbiased"),
        ({"groups": lambda x, size: size}, "counts the channels"),
        ({"inside": False}, "inside of the root"),
        ({"dims": (0, 2)}, "over the samples too"),
        ({"strided": True}, "neighbouring channels"),
    ],
)
def test_group_norm_wrong(options, hint):
    feedback = check("01.2", lambda x, size, eps: group_norm(x, size, eps, **options))
    assert feedback.passed is False and hint in feedback.text


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (lambda x, size, eps: group_norm(x, size, 0.0), "eps is missing"),
        (lambda x, size, eps: group_norm(x, size, eps)[0], "must have the shape of x"),
        (lambda x, size, eps: 3.0, "got float"),
        (lambda x, size, eps: x.mul_(2), "in place"),
        (lambda x, size, eps: 2 * x, "expected"),
        (lambda x, size, eps: group_norm(x.float(), size, eps), "Compute in the dtype of x"),
        (lambda x, *rest: group_norm(x.float(), *rest).double(), "Compute in the dtype of x"),
        (lambda x: x, "raised TypeError"),
        (3, "without calling it"),
    ],
)
def test_group_norm_other_mistakes(answer, hint):
    feedback = check("01.2", answer)
    assert feedback.passed is False and hint in feedback.text


def by_gradient(norm, x):
    norm, x = copy.deepcopy(norm), x.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(norm(x)[0].square().sum(), x)
    return bool(gradient[1:].abs().max() > 1e-6)


def by_replacing(norm, x, *, seed=True, on_copy=True, train=False, change=lambda x: 2 * x + 1):
    outputs = []
    for batch in (x, torch.cat([x[:1], change(x[1:])])):
        if seed:
            torch.manual_seed(0)
        module = copy.deepcopy(norm) if on_copy else norm
        outputs.append((module.train() if train else module)(batch)[0])
    return bool((outputs[0] - outputs[1]).abs().max() > 1e-6)


@pytest.mark.parametrize("answer", [by_gradient, by_replacing])
def test_looks_at_others_right(answer):
    state = torch.get_rng_state()
    assert check("01.3", answer).passed
    assert torch.equal(state, torch.get_rng_state())


@pytest.mark.parametrize(
    ("options", "hint"),
    [
        ({"seed": False}, "Dropout"),
        ({"on_copy": False}, "Work on copy.deepcopy"),
        ({"train": True}, "batch in evaluation mode: you say yes"),
        ({"change": lambda x: x.flip(0)}, "batch in training mode: you say no"),
    ],
)
def test_looks_at_others_wrong(options, hint):
    feedback = check("01.3", lambda norm, x: by_replacing(norm, x, **options))
    assert feedback.passed is False and hint in feedback.text


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (lambda norm, x: "batch" in type(norm).__name__.lower(), "batch in evaluation mode"),
        (lambda norm, x: bool(x.zero_().sum()), "Work on x.clone()"),
        (True, "without calling it"),
    ],
)
def test_looks_at_others_other_mistakes(answer, hint):
    feedback = check("01.3", answer)
    assert feedback.passed is False and hint in feedback.text
