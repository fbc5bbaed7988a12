"""The exercises of chapter 12: right answers pass, typical wrong ones get their own hint."""

import itertools

import pytest
import torch

from bnlab.check import check
from bnlab.measure import rank_agreement
from bnlab.nets.supernet import MBConv
from bnlab.train import Run


@pytest.mark.parametrize("exercise", ["12.1", "12.2", "12.3", "12.4"])
def test_no_answer_yet(exercise):
    assert check(exercise, None).passed is None


ACCURACIES, SCORES = [91.0, 88, 84, 79, 70], [3.9, 4.4, 3.1, 3.5, 2.2]


def test_agreement_right_and_as_the_package_counts():
    tau = rank_agreement(ACCURACIES, SCORES).tau
    pairs = list(itertools.combinations(zip(ACCURACIES, SCORES, strict=True), 2))
    share = sum((a > b) == (s > t) for (a, s), (b, t) in pairs) / len(pairs)
    assert check("12.1", (tau, share)).passed
    assert check("12.1", [0.6, 0.8]).passed


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (0.6, "two numbers"),
        ((0.8, 0.8), "Take off the wrong ones"),
        ((6, 0.8), "Divide by the number"),
        ((0.4, 0.8), "ten pairs"),
        ((0.6, 0.6), "in how many"),
    ],
)
def test_agreement_wrong(answer, hint):
    feedback = check("12.1", answer)
    assert feedback.passed is False
    assert hint in feedback.text


def scaled(*names, biases=True):
    def inflate(block, factor):
        for name in names:
            norm = getattr(block, name)
            norm.weight.data *= factor
            if biases:
                norm.bias.data *= factor

    return inflate


def test_inflate_right():
    assert check("12.2", scaled("norm1", "norm2")).passed


def test_scales_before_another_normalizer_are_free_and_the_last_one_is_not():
    torch.manual_seed(1)
    block, x = MBConv(6, 6, 1, 3, 3, "batch").double(), torch.randn(32, 6, 8, 8).double()
    before = block(x)
    scaled("norm1", "norm2")(block, 10)
    torch.testing.assert_close(block(x), before, rtol=1e-3, atol=1e-3)
    scaled("norm3")(block, 10)
    torch.testing.assert_close(block(x) - x, 10 * (before - x), rtol=1e-3, atol=1e-2)


def scaled_convolution(block, factor):
    block.expand.weight.data *= factor


@pytest.mark.parametrize(
    ("wrong", "hint"),
    [
        (scaled(), "No scale is larger"),
        (scaled("norm1", "norm2", "norm3"), "added to the shortcut"),
        (scaled("norm3"), "added to the shortcut"),
        (scaled("norm1", "norm2", biases=False), "lets a factor pass"),
        (scaled("norm1"), "one more normalizer"),
        (scaled("norm2"), "one more normalizer"),
        (scaled_convolution, "Leave the convolutions"),
        (MBConv(6, 6, 1, 3, 3, "batch").norm1.weight.tolist(), "the function itself"),
    ],
)
def test_inflate_wrong(wrong, hint):
    feedback = check("12.2", wrong)
    assert feedback.passed is False
    assert hint in feedback.text


def total(table, path):
    return sum(row[op] for row, op in zip(table, path, strict=True))


def best(scores, costs, budget):
    paths = itertools.product(*(range(len(row)) for row in scores))
    return max((p for p in paths if total(costs, p) <= budget), key=lambda p: total(scores, p))


def dynamic(scores, costs, budget):
    """The same by dynamic programming: the best score at each cost so far."""
    known = {0: (0.0, ())}
    for row, prices in zip(scores, costs, strict=True):
        new = {}
        for spent, (score, path) in known.items():
            for op, (more, price) in enumerate(zip(row, prices, strict=True)):
                at = spent + price
                if at <= budget and (at not in new or score + more > new[at][0]):
                    new[at] = (score + more, (*path, op))
        known = new
    return max(known.values())[1]


@pytest.mark.parametrize("right", [best, dynamic])
def test_best_path_right(right):
    assert check("12.3", right).passed


def greedy(scores, costs, budget):
    """Layer by layer the best that leaves enough for the cheapest of the rest."""
    path = []
    for layer, row in enumerate(scores):
        rest = sum(map(min, costs[layer + 1 :]))
        left = budget - total(costs[:layer], path) - rest
        ops = [op for op in range(len(row)) if costs[layer][op] <= left]
        path.append(max(ops, key=row.__getitem__))
    return path


@pytest.mark.parametrize(
    ("wrong", "hint"),
    [
        (lambda s, c, b: [row.index(max(row)) for row in s], "Keep to the budget"),
        (lambda s, c, b: [row.index(min(row)) for row in s], "smallest score"),
        (lambda s, c, b: [row.index(max(row)) for row in c], "the budget is"),
        (lambda s, c, b: [row.index(min(row)) for row in c], "Layer by layer"),
        (greedy, "Layer by layer"),
        (lambda s, c, b: [0], "one number for each layer"),
        (lambda s, c, b: None, "returns nothing yet"),
        ((0, 1), "the function itself"),
    ],
)
def test_best_path_wrong(wrong, hint):
    feedback = check("12.3", wrong)
    assert not feedback.passed
    assert hint in feedback.text


OPS = ["k3e3", "k5e3", "k3e6"]
PATHS = [
    (*first, 0, *last) for first in itertools.permutations((0, 1, 2)) for last in ((1, 2), (2, 1))
]


def plan(paths=PATHS, seeds=range(4), **also):
    kind = {"net": "supernet", "depth": 6, "width": 8, **also}
    return [
        Run(net_options={"ops": OPS, "path": list(path)}, seed=seed, **kind)
        for path in paths
        for seed in seeds
    ]


def test_equal_sizes_right():
    assert check("12.4", plan()).passed
    assert check("12.4", plan(lr=0.03, steps=100, seeds=range(6))).passed


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (Run(), "list of Runs"),
        ([], "empty"),
        (plan() + plan()[:1], "twice"),
        ([*plan(), Run()], "reaches alone"),
        ([*plan(), plan()[0].replace(net_options={"ops": OPS}, seed=9)], "reaches alone"),
        (plan() + plan(steps=17), "more than path and seed"),
        (plan(width=128), "at most 12"),
        (plan(PATHS[:6]), "few to rank"),
        (plan()[1:], "holes"),
        (plan(seeds=range(2)), "noise"),
        (plan([*PATHS, (2, 2, 2, 2, 2, 2)]), "by size alone"),
    ],
)
def test_equal_sizes_wrong(answer, hint):
    feedback = check("12.4", answer)
    assert feedback.passed is False
    assert hint in feedback.text
