"""The exercises of chapter 04: right answers pass, typical wrong ones get their own hint."""

import copy

import pytest
import torch
from torch.nn.functional import cosine_similarity, cross_entropy

from bnlab.check import check
from bnlab.train import Run


@pytest.mark.parametrize("exercise", ["04.1", "04.2", "04.3"])
def test_no_answer_yet(exercise):
    assert check(exercise, None).passed is None


def test_noisy_moments_right():
    assert check("04.1", (0.5, 1.5625)).passed


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        ((0.5, 1.25), "multiplies the deviation"),
        ((0.5, 1.8125), "mean square"),
        ((0.625, 1.5625), "added after the factor"),
        ((0, 1), "mean is not right"),
        ((0.5, 1), "variance is not right"),
        (0.5, "two numbers"),
    ],
)
def test_noisy_moments_wrong(answer, hint):
    feedback = check("04.1", answer)
    assert feedback.passed is False
    assert hint in feedback.text


def shift(
    model,
    layer,
    x,
    y,
    lr,
    *,
    moved="before",
    sign=-1,
    on_copy=True,
    how="both",
    zero=True,
    cloned=True,
    train=True,
):
    model = (copy.deepcopy(model) if on_copy else model).train(train)
    weight = model[layer].weight
    model.zero_grad()
    cross_entropy(model(x), y).backward()
    before = weight.grad.clone() if cloned else weight.grad
    chosen = {
        "before": model[:layer],
        "all": model,
        "own": model[layer],
        "up to it": model[: layer + 1],
        "none": model[:0],
    }[moved]
    with torch.no_grad():
        for p in chosen.parameters():
            p += sign * lr * p.grad
    if zero:
        model.zero_grad()
    cross_entropy(model(x), y).backward()
    distance = (weight.grad - before).norm()
    cosine = cosine_similarity(before.flatten(), weight.grad.flatten(), dim=0)
    results = {"both": (distance, cosine), "swapped": (cosine, distance), "one": distance}
    return {**results, "squared": (distance**2, cosine)}[how]


def by_functions(model, layer, x, y, lr):
    """Another right answer: nothing is copied but the state, and the layers get it as arguments."""
    state = {name: part.detach().clone() for name, part in model.state_dict().items()}
    names = [name for name, _ in model.named_parameters()]
    for name in names:
        state[name].requires_grad_()

    def gradients():
        loss = cross_entropy(torch.func.functional_call(model, state, (x,)), y)
        return dict(zip(names, torch.autograd.grad(loss, [state[n] for n in names]), strict=True))

    first = gradients()
    for name in names:
        if int(name.split(".")[0]) < layer:
            state[name] = (state[name] - lr * first[name]).detach().requires_grad_()
    one, two = (each[f"{layer}.weight"].flatten() for each in (first, gradients()))
    return (one - two).norm().item(), cosine_similarity(one, two, dim=0).item()


@pytest.mark.parametrize("answer", [shift, by_functions])
def test_covariate_shift_right(answer):
    assert check("04.2", answer).passed


@pytest.mark.parametrize(
    ("wrong", "hint"),
    [
        ({"moved": "all"}, "Only those before"),
        ({"moved": "own"}, "It stays"),
        ({"moved": "up to it"}, "ends before it"),
        ({"moved": "none"}, "Nothing moved"),
        ({"zero": False}, "zero_grad"),
        ({"zero": False, "cloned": False}, "a copy"),
        ({"train": False}, "evaluation mode"),
        ({"sign": 1}, "uphill"),
        ({"on_copy": False}, "deepcopy"),
        ({"how": "swapped"}, "other way round"),
        ({"how": "squared"}, "Take the root"),
        ({"how": "one"}, "two numbers"),
        ({"sign": -3}, "expected"),
    ],
)
def test_covariate_shift_wrong(wrong, hint):
    feedback = check("04.2", lambda *inputs: shift(*inputs, **wrong))
    assert feedback.passed is False
    assert hint in feedback.text


def leave_gradients(model, x, y):
    cross_entropy(copy.deepcopy(model)(x), y)
    for p in model.parameters():
        p.grad = torch.zeros_like(p)


@pytest.mark.parametrize(
    ("done", "hint"),
    [
        (leave_gradients, "leaves gradients"),
        (lambda model, x, y: model(x), "running statistics"),
        (lambda model, x, y: model.eval(), "evaluation mode"),
    ],
)
def test_the_right_numbers_do_not_excuse_what_is_left_on_the_model(done, hint):
    def answer(model, layer, x, y, lr):
        found = shift(model, layer, x, y, lr)
        done(model, x, y)
        return found

    feedback = check("04.2", answer)
    assert feedback.passed is False
    assert hint in feedback.text and "deepcopy" in feedback.text


def test_a_function_that_returns_nothing_or_is_none():
    assert "returns nothing yet" in check("04.2", lambda *_: None).text
    assert "the function itself" in check("04.2", 1.5).text


NORMS = ("none", "batch", "noisy_batch")


def plan(norms=NORMS, lrs=(0.03, 0.1, 0.3), depths=(6, 12), seeds=range(8), **setting):
    return [
        Run(norm=n, lr=lr, depth=d, seed=s, **setting)
        for n in norms
        for lr in lrs
        for d in depths
        for s in seeds
    ]


def test_noisy_plan_right():
    assert check("04.3", plan()).passed
    assert check("04.3", plan(seeds=range(20), steps=300)).passed
    assert check("04.3", plan(norms=(*NORMS, "layer"))).passed, "one more net does no harm"
    assert check("04.3", plan(lrs=(1e-4, 0.03, 0.1, 0.3))).passed, "nor one more rate"
    own_rates = plan(depths=(6,)) + plan(depths=(12,), lrs=(0.01, 0.03, 0.1))
    assert check("04.3", own_rates).passed, "each depth may have its own rates"
    strong = [
        run.replace(norm_options={"n_mu": 1.0}) if run.norm == "noisy_batch" else run
        for run in plan()
    ]
    assert check("04.3", strong).passed, "noise may be stronger"


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (plan(norms=("none", "batch")), "unstable inputs"),
        (plan(norms=("batch", "noisy_batch")), "three nets"),
        (plan(norms=(*NORMS, "layer"))[:-1], "Not paired"),
        (plan()[:-1], "Not paired"),
        (plan() + plan()[:1], "twice"),
        (plan(lrs=(0.3,)), "3 learning rates"),
        (plan(lrs=(1e-8, 1e-7, 1e-6)), "outside no net learns"),
        (plan(lrs=(30.0, 100.0, 300.0)), "outside no net learns"),
        (plan(lrs=(0.1, 0.2, 0.3)), "factor of 10"),
        (plan(depths=(6,)) + plan(depths=(12,), lrs=(0.3,)), "at each depth"),
        (plan(steps=1), "so few steps"),
        (plan(depths=(6,)), "2 depths"),
        (plan(seeds=range(3)), "only 3 seeds"),
        (plan() + plan(steps=400), "more than"),
        (Run(), "list of Runs"),
        ([], "unstable inputs"),
    ],
)
def test_noisy_plan_wrong(answer, hint):
    feedback = check("04.3", answer)
    assert feedback.passed is False
    assert hint in feedback.text
