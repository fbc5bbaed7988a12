"""The exercises of chapter 11: right answers pass, typical wrong ones get their own hint."""

import itertools

import pytest
import torch

from bnlab.check import check
from bnlab.optim import adaptive_clip_grad
from bnlab.train import Run


@pytest.mark.parametrize("exercise", ["11.1", "11.2", "11.3", "11.4"])
def test_no_answer_yet(exercise):
    assert check(exercise, None).passed is None


def test_sum_of_signs_right_and_as_a_layer_does_it():
    assert check("11.1", (12, 0.066)).passed
    generator = torch.Generator().manual_seed(0)
    signs = 2.0 * torch.randint(2, (20000, 144), generator=generator) - 1
    sums = signs.sum(1)
    assert check("11.1", (float(sums.std()), float((sums.abs() < 1).float().mean()))).passed


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        ((144, 0.066), "that is the variance"),
        ((1, 0.066), "a single sign"),
        ((6, 0.066), "variances add up"),
        ((12, 0.683), "Yours is larger"),
        ((12, 6.6), "not per cent"),
        ((12, 0.033), "one side"),
        ((12, 0.934), "what lies outside"),
        ((12, 0.3), "below 1 in size"),
        (12, "two numbers"),
    ],
)
def test_sum_of_signs_wrong(answer, hint):
    feedback = check("11.1", answer)
    assert feedback.passed is False
    assert hint in feedback.text


def norms(tensor):
    return tensor.flatten(1).norm(dim=1).reshape(-1, 1, 1, 1)


def clipped(grad, weight):
    limit = 0.1 * norms(weight).clamp(min=1e-3)
    return grad * (limit / norms(grad)).clamp(max=1)


def test_clipped_right_and_as_the_package_clips():
    assert check("11.2", clipped).passed
    net = torch.nn.Sequential(torch.nn.Conv2d(2, 4, 3, bias=False))
    generator = torch.Generator().manual_seed(1)
    grad = torch.randn(net[0].weight.shape, generator=generator)
    net[0].weight.grad = grad.clone()
    adaptive_clip_grad(net, 0.1, exclude=[])
    torch.testing.assert_close(net[0].weight.grad, clipped(grad, net[0].weight.detach()))


@pytest.mark.parametrize(
    ("wrong", "hint"),
    [
        (lambda g, w: g * 0.1 * norms(w).clamp(min=1e-3) / norms(g), "short gradients longer"),
        (lambda g, w: g * 0.1 * w.norm() / g.norm(), "as one unit"),
        (lambda g, w: g * (0.1 * norms(w) / norms(g)).clamp(max=1), "can never move"),
        (lambda g, w: g / 0, "Do not divide"),
        (lambda g, w: g.clamp(-0.1, 0.1), "Not right yet"),
        (lambda g, w: norms(g), "the gradient's shape"),
        (lambda g, w: None, "returns nothing yet"),
        (torch.zeros(4), "the function itself"),
    ],
)
def test_clipped_wrong(wrong, hint):
    feedback = check("11.2", wrong)
    assert not feedback.passed
    assert hint in feedback.text


def steps(optimizer, gradients):
    weight = torch.zeros(1, dtype=torch.float64, requires_grad=True)
    taken, optimizer = [], optimizer([weight], lr=0.01)
    for gradient in gradients:
        before = weight.item()
        weight.grad = torch.tensor([gradient], dtype=torch.float64)
        optimizer.step()
        taken.append(before - weight.item())
    return taken


def test_halved_right_and_as_the_optimizers_do_it():
    sgd, adam = torch.optim.SGD, torch.optim.Adam
    answer = (
        steps(sgd, [0.5])[0] / steps(sgd, [1.0])[0],
        steps(adam, [0.5])[0] / steps(adam, [1.0])[0],
        steps(adam, [1.0, 0.5])[1] / steps(adam, [1.0, 1.0])[1],
    )
    assert check("11.3", answer).passed
    assert check("11.3", (0.5, 1, 0.93)).passed


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        ((0.25, 1, 0.93), "not squared"),
        ((1, 1, 0.93), "the gradient is halved"),
        ((0.5, 0.5, 0.93), "which is halved too"),
        ((0.5, 0.7, 0.93), "both of one gradient"),
        ((0.5, 1, 1), "one whole gradient and one half"),
        ((0.5, 1, 0.5), "that is SGD's"),
        ((0.5, 1, 0.737), "the first average"),
        ((0.5, 1, 0.8), "of their squares"),
        ((0.5, 1), "three numbers"),
    ],
)
def test_halved_wrong(answer, hint):
    feedback = check("11.3", answer)
    assert feedback.passed is False
    assert hint in feedback.text


LRS = (0.0003, 0.001, 0.003, 0.01)
SCALES, STARTS = ("mean_abs", "none"), ("centred", "positive")


def plan(norms=("batch", "none"), scales=SCALES, starts=STARTS, lrs=LRS, seeds=10, **also):
    return [
        Run(
            net="binary",
            norm=norm,
            net_options={"scale": scale, "first_weights": start},
            lr=lr,
            seed=seed,
            **also,
        )
        for norm, scale, start, lr, seed in itertools.product(
            norms, scales, starts, lrs, range(seeds)
        )
    ]


def test_what_is_missing_right():
    assert check("11.4", plan()).passed
    assert check("11.4", plan(optimizer="adam", depth=8, seeds=12)).passed
    told = [run for run in plan() if run.net_options["scale"] == "none"]
    silent = [
        run.replace(net_options={"first_weights": run.net_options["first_weights"]})
        for run in plan()
        if run.net_options["scale"] == "mean_abs"
    ]
    assert check("11.4", told + silent).passed  # mean_abs is what a Run has if nothing is said


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (plan(norms=("none",)), "Both nets belong"),
        (plan(scales=("mean_abs",)), "never vary scale"),
        (plan(starts=("positive",)), "never vary first_weights"),
        ([r for r in plan() if r.norm == "none" or r.net_options["scale"] == "none"], "Cross them"),
        (plan(lrs=(0.01,)), "4 learning rates"),
        (plan(lrs=(0.01, 0.011, 0.012, 0.013)), "4 learning rates"),
        (plan(seeds=8), "some must choose"),
        (plan()[:-1], "the same rates with the same seeds"),
        ([r for r in plan() if (r.lr, r.seed) != (0.01, 3)], "holes"),
        (plan() + plan()[:1], "twice"),
        (plan() + plan(steps=400), "more than norm"),
        (plan() + plan(norms=("layer",)), "nothing else"),
        ([*plan(), Run(net="resnet")], "nothing else"),
        (
            [*plan(), Run(net="binary", net_options={"alpha": 0.1})],
            "only scale and first_weights",
        ),
        (Run(), "list of Runs"),
    ],
)
def test_what_is_missing_wrong(answer, hint):
    feedback = check("11.4", answer)
    assert feedback.passed is False
    assert hint in feedback.text
