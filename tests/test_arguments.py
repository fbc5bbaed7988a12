"""Arguments of the wrong type are refused before anything happens."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
import torch

from bnlab.arguments import ArgumentError, checked, positive, require

Loss = Callable[[torch.Tensor], torch.Tensor]


@checked
def everything(
    net: torch.nn.Module | None = None,
    x: torch.Tensor | None = None,
    loss: Loss | None = None,
    names: str | Sequence[str] = (),
    batches: Iterable[torch.Tensor] = (),
    shape: tuple[int, int] = (1, 2),
    array: np.ndarray | None = None,
    options: Mapping[str, object] | None = None,
    rate: float = 1.0,
    count: int = 1,
    path: Path = Path(),
    seed: int = 0,
    anything: object = None,
) -> str:
    return "done"


@checked
def several(*names: str, open_end: object = 0) -> tuple[str, ...]:
    return names


GOOD = [
    {"net": torch.nn.ReLU(), "x": torch.ones(1), "loss": torch.sum},
    {"names": "one"},
    {"names": ["a", "b"], "batches": iter([torch.ones(1)])},
    {"shape": [3, 4], "array": [1.0, 2.0]},
    {"array": np.ones(3), "options": {"a": 1}, "path": "a/b"},
    {"rate": 3, "count": np.int64(3)},
    {"rate": np.float32(3), "count": torch.tensor(3)},
    {"anything": object()},
]
BAD = [
    ({"net": "resnet"}, "net must be a torch module or None, got 'resnet' (str)."),
    ({"x": [1.0]}, "x must be a tensor or None, got [1.0] (list)."),
    ({"loss": 3}, "loss must be a function or None, got 3 (int)."),
    ({"names": ["a", 1]}, "each of them text, got ['a', 1] (list)."),
    ({"names": iter("ab")}, "such as a list, each of them text, got <str"),
    ({"batches": 3}, "batches must be values in a row, each of them a tensor, got 3"),
    ({"shape": (1, 2, 3)}, "shape must be 2 values, each a whole number, got (1, 2, 3)"),
    ({"shape": (1, "b")}, "shape must be 2 values"),
    ({"array": iter(())}, "array must be values in a row, such as a list"),
    ({"options": [1]}, "options must be a dict or None, got [1] (list)."),
    ({"rate": "0.1"}, "rate must be a number, got '0.1' (str)."),
    ({"rate": True}, "rate must be a number, got True (bool)."),
    ({"count": 1.5}, "count must be a whole number, got 1.5 (float)."),
    ({"path": 3}, "path must be a path, got 3 (int)."),
    ({"seed": -1}, "seed must be 0 or more, got -1."),
    ({"x": "long " * 100}, "... (str)."),
]


@pytest.mark.parametrize("given", GOOD)
def test_what_the_annotations_allow_passes(given):
    assert everything(**given) == "done"


@pytest.mark.parametrize(("given", "sentence"), BAD)
def test_what_they_exclude_is_refused_by_name_and_by_place(given, sentence):
    with pytest.raises(ArgumentError) as caught:
        everything(**given)
    assert sentence in str(caught.value)
    assert len(str(caught.value)) < 200
    assert isinstance(caught.value, TypeError) and isinstance(caught.value, ValueError)


def test_places_are_looked_at_like_names():
    with pytest.raises(ArgumentError, match="x must be a tensor"):
        everything(None, 3)


def test_each_of_several_is_looked_at():
    assert several("a", "b", open_end=3) == ("a", "b")
    with pytest.raises(ArgumentError, match="names must be values in a row"):
        several("a", 3)


def test_wrong_names_and_too_many_arguments_are_python_s_own_errors():
    for given in ({"nett": None}, {"open_end": 1, "other": 2}):
        with pytest.raises(TypeError, match="unexpected keyword"):
            several(**given)


def test_require_and_positive_say_what_to_do():
    require(1 > 0, "never said")
    positive(width=1, depth=3.0)
    with pytest.raises(ArgumentError, match=r"^depth must be 1 or more, got 0\.$"):
        positive(width=1, depth=0)
