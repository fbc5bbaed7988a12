"""Each public function, spoiled one argument at a time: it works or says in a sentence why not."""

from __future__ import annotations

import dataclasses
import functools
import inspect
import math
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch

import bnlab
from tests.project import public_calls, public_rest
from tests.project.public_calls import folders, public

SOURCE = str(Path(bnlab.__file__).parent)
CALLS = {
    name: call
    for module in (public_calls, public_rest)
    for maker, calls in inspect.getmembers(module, inspect.isfunction)
    if maker.endswith("_calls") and calls.__module__ == module.__name__
    for name, call in calls().items()
}
IDS_ALONE = ("show.chips", "show.how_far", "show.on_cifar10", "show.say_verdict")
NOT_CALLED = {
    "data.cifar10": "needs a download; its arguments are those of data.load",
    "data.cifar100": "needs a download; its arguments are those of data.load",
    "show.Drawing": "what other functions give back; figures need no torch",
    "show.source": "takes functions of the reader's own, see tests/show",
}
"""Public functions without a call here, and why."""

SPOILED: dict[str, Callable[[], object]] = {
    "None": lambda: None,
    "an object": object,
    "a word": lambda: "no such thing",
    "-1": lambda: -1,
    "an empty list": list,
    "a used-up iterator": lambda: iter(()),
    "not a number": lambda: math.nan,
}
BY_OTHERS = {
    ("measure.measure_signals", "y"),
    ("measure.measure_curvature", "y"),
    ("measure.measure_landscape", "x"),
    ("measure.measure_landscape", "y"),
    ("measure.measure_cancellation", "y"),
    ("data.digits", "split_seed"),
}
"""A loss may do without targets, and a net without inputs: what needs them, says so itself. The
digits are cached by their seed: the cache refuses what it cannot keep."""


def is_result(one: object) -> bool:
    """Whether a class only holds what the package found, or is an error that it raises."""
    if not inspect.isclass(one):
        return False
    made_by_readers = one.__name__ in ("Run", "RenormSchedule", "StepGrid", "Effect", "Claim")
    is_plain = dataclasses.is_dataclass(one) or issubclass(one, BaseException)
    return (is_plain and not made_by_readers) or getattr(one, "_is_protocol", False)


def test_every_public_function_has_a_call_here():
    known = {*CALLS, *IDS_ALONE, *NOT_CALLED, "claims.Claim", "claims.Effect"}
    missing = {name for name, one in public().items() if not is_result(one)} - known
    assert not missing, f"add a call that works, in public_calls or public_rest: {missing}"
    assert set(folders()) <= {*public_calls.PACKAGES, *NO_FACE}


NO_FACE = {"chapters", "draw", "engines", "methods", "runs", "verdicts"}
"""Packages whose names readers do not import; their own tests spoil them."""


def refused(error: Exception) -> bool:
    """Whether bnlab raised it on purpose, in a sentence; or a file is not there."""
    if isinstance(error, FileNotFoundError):
        return True
    last = traceback.extract_tb(error.__traceback__)[-1]
    on_purpose = last.filename.startswith(SOURCE) and (last.line or "").startswith("raise")
    return on_purpose and not isinstance(error, KeyError) and len(str(error)) > 10


def spoiled(call: Callable[[], dict]) -> Iterator[tuple[str, str, dict]]:
    """The arguments of a call with one of them spoiled, and which."""
    for name in call():
        for how, make in SPOILED.items():
            yield name, how, {**call(), name: make()}


@pytest.mark.parametrize("name", CALLS)
def test_a_spoiled_argument_is_refused_in_a_sentence_or_does_no_harm(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # a path that is a word is a file here
    function, call = public()[name], CALLS[name]
    function(**call())
    cryptic = []
    for argument, how, given in spoiled(call):
        try:
            function(**given)
        except Exception as error:
            if not refused(error) and (name, argument) not in BY_OTHERS:
                cryptic.append(f"{argument}={how}: {type(error).__name__}: {error}")
    assert not cryptic, "\n".join(cryptic)


@pytest.mark.parametrize("name", IDS_ALONE)
@pytest.mark.parametrize("given", ["B99", None, 3, ("B1",)])
def test_an_id_that_is_none_is_refused(name, given):
    with pytest.raises(ValueError, match=r"unknown claim|must be") as caught:
        public()[name](given)
    assert refused(caught.value)


def test_a_call_here_that_is_never_spoiled_is_noticed():
    """The test can fail: a function that lets torch complain is cryptic."""

    def careless(x: object) -> torch.Tensor:
        return torch.nn.functional.relu(x)

    with pytest.raises(Exception) as caught:
        functools.partial(careless, None)()
    assert not refused(caught.value)
