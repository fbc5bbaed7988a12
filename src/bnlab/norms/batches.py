"""A batch as data loaders give it, and a model called with it."""

from __future__ import annotations

import inspect
from collections.abc import Mapping

from torch import Tensor, nn

from bnlab.arguments import ArgumentError

Batch = Tensor | Mapping | tuple | list


def call(model: nn.Module, batch: Batch) -> object:
    """The output for a batch: a tensor, keyword arguments in a dict, or (inputs, targets, ...).

    Of a tuple or list the first is what the model is called with: a tensor, a dict, or several
    inputs in a tuple or list.

    Raises:
        ArgumentError: for a batch of another kind, or with which the model cannot be called.
    """
    inputs = batch
    if isinstance(batch, tuple | list) and batch:
        inputs = batch[0]
    if isinstance(inputs, Tensor):
        args, named = (inputs,), {}
    elif isinstance(inputs, Mapping):
        args, named = (), dict(inputs)
    elif isinstance(inputs, tuple | list) and inputs:
        args, named = tuple(inputs), {}
    else:
        raise ArgumentError(
            "a batch must be a tensor, a dict of keyword arguments, or a tuple or list (inputs, "
            f"targets), got {type(batch).__name__}{_of(batch)}."
        )
    _check(model, args, named)
    return model(*args, **named)


def _of(batch: object) -> str:
    return f" of {type(batch[0]).__name__}" if isinstance(batch, tuple | list) and batch else ""


def _check(model: nn.Module, args: tuple, named: dict[str, object]) -> None:
    try:
        signature = inspect.signature(model.forward)
    except (TypeError, ValueError):
        return  # of a function that does not tell
    try:
        signature.bind(*args, **named)
    except TypeError as error:
        names = ", ".join(signature.parameters)
        raise ArgumentError(
            f"{type(model).__name__} cannot be called with this batch: {error}. Its forward takes "
            f"({names}). Give the arguments by these names in a dict, or several inputs as the "
            "first of a tuple, ((a, b), targets)."
        ) from error
