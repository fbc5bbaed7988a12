"""The exercises of chapter 02: right answers pass, typical wrong ones get their own hint."""

import numpy as np
import pytest

from bnlab.check import check
from bnlab.measure import fit_growth


@pytest.mark.parametrize("exercise", ["02.1", "02.2", "02.3"])
def test_no_answer_yet(exercise):
    assert check(exercise, None).passed is None
    if exercise != "02.1":
        untouched = check(exercise, lambda _: None)
        assert untouched.passed is None and "returns nothing yet" in untouched.text
        assert "without calling it" in check(exercise, 3).text


@pytest.mark.parametrize("answer", [(19, 2**18), [19.0, 262144]])
def test_variances_right(answer):
    assert check("02.1", answer).passed


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        ((18, 2**18), "The stream itself"),
        ((2**18, 2**18), "Variances of independent parts add"),
        ((19, 19), "and this grows"),
        ((19, 36), "and this grows"),
        ((19, 2**17), "One block doubles"),
        (19, "two numbers"),
        ((19, None), "two numbers"),
    ],
)
def test_variances_wrong(answer, hint):
    feedback = check("02.1", answer)
    assert feedback.passed is False and hint in feedback.text


def similarity(a, centre=False, unit=True, diagonal=False, dims=0, divide="pairs"):
    rows = a.transpose(0, dims).flatten(1)
    if centre:
        rows = rows - rows.mean(1, keepdim=True)
    if unit:
        rows = rows / rows.norm(dim=1, keepdim=True)
    gram, n = rows @ rows.T, len(rows)
    total = gram.sum() - (0 if diagonal else gram.trace())
    return total / {"pairs": n * (n - 1), "all": n * n, "one": 1}[divide]


def test_similarity_right():
    assert check("02.2", similarity).passed
    assert check("02.2", lambda a: similarity(a).item()).passed


@pytest.mark.parametrize(
    ("options", "hint"),
    [
        ({"centre": True}, "subtract a mean"),
        ({"unit": False}, "Divide each vector by its length"),
        ({"diagonal": True, "divide": "all"}, "no pair"),
        ({"dims": 1}, "compare channels"),
        ({"divide": "one"}, "Divide by their number"),
        ({"divide": "all"}, "You divide by n²"),
    ],
)
def test_similarity_wrong(options, hint):
    feedback = check("02.2", lambda a: similarity(a, **options))
    assert feedback.passed is False and hint in feedback.text


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (lambda a: a.flatten(1) @ a.flatten(1).T, "not a tensor of 36"),
        (lambda a: a.mul_(2).sum(), "Divide into a new tensor"),
        (lambda a: 0.123, "expected"),
    ],
)
def test_similarity_other_mistakes(answer, hint):
    feedback = check("02.2", answer)
    assert feedback.passed is False and hint in feedback.text


def law(values):
    depth = np.arange(1, len(values) + 1)
    straight, logarithmic = (np.corrcoef(depth, v)[0, 1] for v in (values, np.log(values)))
    return "exponential" if logarithmic > straight else "linear"


def test_law_right():
    assert check("02.3", law).passed


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (lambda v: "exponential" if v[-1] / v[0] > 10 else "linear", "How large the growth is"),
        (lambda v: "exponential" if v[-1] / v[0] > 100 else "linear", "How large the growth is"),
        (lambda v: "linear", "always says 'linear'"),
        (lambda v: fit_growth(v).better, "one of two words"),
        (lambda v: True, "one of two words"),
        (lambda v: 1 / 0, "raised ZeroDivisionError"),
    ],
)
def test_law_wrong(answer, hint):
    feedback = check("02.3", answer)
    assert feedback.passed is False and hint in feedback.text
