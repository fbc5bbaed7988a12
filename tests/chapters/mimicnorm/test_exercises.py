"""The exercises of chapter 09: right answers pass, typical wrong ones get their own hint."""

import math

import pytest
import torch

from bnlab.chapters.mimicnorm.exercises import SUREST
from bnlab.check import check
from bnlab.train import Run


@pytest.mark.parametrize("exercise", ["09.1", "09.2", "09.3", "09.4"])
def test_no_answer_yet(exercise):
    assert check(exercise, None).passed is None


def test_cosines_right_and_as_wide_layers_have_them():
    assert check("09.1", (1 / math.pi, 0)).passed
    u, v = torch.randn(2, 400_000, generator=torch.Generator().manual_seed(0)).relu()
    plain = float(torch.cosine_similarity(u, v, dim=0))
    centred = float(torch.cosine_similarity(u - u.mean(), v - v.mean(), dim=0))
    assert abs(plain - 1 / math.pi) < 0.01 and abs(centred) < 0.01
    assert check("09.1", (0.318, 0)).passed


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        ((0, 0), "positive mean"),
        ((1 / (2 * math.pi), 0), "divides it by the two lengths"),
        ((0.5, 0), "Divide the mean"),
        ((1 / math.pi, 1 / math.pi), "lost their mean"),
        ((1 / math.pi, -0.2), "product of the means"),
        (0.3, "two numbers"),
    ],
)
def test_cosines_wrong(answer, hint):
    feedback = check("09.1", answer)
    assert feedback.passed is False
    assert hint in feedback.text


def test_surest_right_and_as_a_batch_of_one_hot_logits_has_it():
    logits = torch.eye(10).repeat(7, 1)
    normalized = (logits - logits.mean(0)) / logits.std(0, correction=0)
    assert check("09.2", float(normalized.softmax(1).max())).passed
    assert check("09.2", 0.757).passed


def test_no_logits_of_this_mean_and_variance_have_a_smaller_loss():
    generator = torch.Generator().manual_seed(0)
    z = torch.randn(40, 10, generator=generator).requires_grad_()
    y, adam = torch.arange(40) % 10, torch.optim.Adam([z], lr=0.05)
    for _ in range(1500):
        normalized = (z - z.mean(0)) / z.std(0, correction=0)
        loss = torch.nn.functional.cross_entropy(normalized, y)
        adam.zero_grad()
        loss.backward()
        adam.step()
    assert abs(loss.item() + math.log(SUREST)) < 1e-3


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (1, "as large as you like"),
        (3, "Put them through the softmax"),
        (10 / 3, "Put them through the softmax"),
        (0.2784, "exp(-loss)"),
        (0.9655, "nine of them are wrong"),
        (0.5, "mean 0 says"),
        ((0.5, 0.5), "one number"),
    ],
)
def test_surest_wrong(answer, hint):
    feedback = check("09.2", answer)
    assert feedback.passed is False
    assert hint in feedback.text


def recorded(net, x):
    """Storages that autograd keeps, with repetitions, and the net's output."""
    tensors = []
    with torch.autograd.graph.saved_tensors_hooks(lambda t: tensors.append(t) or t, lambda t: t):
        out = net(x)
    return [t.untyped_storage() for t in tensors], out


def kept(net, x, own=True, once=True):
    storages, _ = recorded(net, x)
    there = [x, *net.parameters(), *net.buffers()] if own else []
    there = {t.untyped_storage().data_ptr() for t in there}
    counted = [s for s in storages if s.data_ptr() not in there]
    if once:
        counted = {s.data_ptr(): s for s in counted}.values()
    return sum(s.nbytes() for s in counted)


def test_kept_right():
    assert check("09.3", kept).passed


@pytest.mark.parametrize(
    ("wrong", "hint"),
    [
        (lambda net, x: kept(net, x, own=False), "leave their storages out"),
        (lambda net, x: kept(net, x, once=False), "count it once"),
        (lambda net, x: kept(net, x) / 4, "4 bytes"),
        (lambda net, x: 0, "add up all"),
        (lambda net, x: None, "returns nothing yet"),
        (1536, "the function itself"),
    ],
)
def test_kept_wrong(wrong, hint):
    feedback = check("09.3", wrong)
    assert not feedback.passed
    assert hint in feedback.text


MIMIC = {"method": "mimic_cifar"}
FIXUP = {"net_options": {"branch": "fixup"}}


def plan(kinds=(MIMIC, FIXUP), steps=(150, 300, 600), lrs=(0.03, 0.1, 0.3, 1.0), seeds=range(10)):
    return [
        Run(net="resnet", depth=8, width=16, steps=s, lr=lr, seed=seed, **kind)
        for kind in kinds
        for s in steps
        for lr in lrs
        for seed in seeds
    ]


def test_fixup_plan_right():
    assert check("09.4", plan()).passed
    tenth = FIXUP | {"optimizer_options": {"scalar_lr": 0.1}}
    assert check("09.4", plan(kinds=(MIMIC, tenth), seeds=range(16))).passed


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (plan(kinds=(MIMIC,)), "two methods and no others"),
        (plan(kinds=(MIMIC, FIXUP, {"norm": "batch"})), "two methods and no others"),
        (plan(kinds=(MIMIC, FIXUP | {"label_noise": 0.1})), "more than method"),
        (plan(steps=(150,)), "only be faster"),
        (plan(steps=(150, 200, 250)), "only be faster"),
        (plan(lrs=(0.1,)), "4 learning rates"),
        (plan(seeds=range(8)), "some must choose the rates"),
        (plan()[:-1], "the same steps, rates and seeds"),
        (plan() + plan()[:1], "twice"),
        ([r for r in plan() if (r.steps, r.lr, r.seed) != (150, 0.1, 3)], "Not every number"),
        (Run(), "list of Runs"),
    ],
)
def test_fixup_plan_wrong(answer, hint):
    feedback = check("09.4", answer)
    assert feedback.passed is False
    assert hint in feedback.text
