"""Refuses arguments of the wrong type before anything happens: one sentence, with the name.

What is here refuses arguments or hands them on as they are, so it changes no number: the code that
makes the evidence is the same with it and without it (``bnlab.verdicts.provenance``).
"""

from __future__ import annotations

import functools
import inspect
import numbers
import os
import re
import types
import typing
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

import torch

try:
    from torch.compiler import is_compiling
except ImportError:  # torch 2.2
    from torch._dynamo.external_utils import is_compiling

F = TypeVar("F", bound=Callable)


class ArgumentError(ValueError, TypeError):
    """An argument of the wrong type; a ValueError too, as a wrong value is."""


def require(holds: object, sentence: str) -> None:
    """Raise an ``ArgumentError`` with this sentence unless what an argument must be holds."""
    if not holds:
        raise ArgumentError(sentence)


def positive(**counts: float) -> None:
    """Raise an ``ArgumentError`` for the first of these counts that is not 1 or more."""
    for name, count in counts.items():
        require(count >= 1, f"{name} must be 1 or more, got {count}.")


def checked(function: F) -> F:
    """A function, or the ``__init__`` of a class, that refuses what its annotations exclude.

    Modules, tensors, functions, numbers, text, dicts, lists (and what kind of thing is in them) and
    classes of bnlab are told apart; a seed is 0 or more. What an annotation leaves open
    (``object``, a name for types alone) is not looked at. Where a sequence is wanted, what can be
    gone through only once (a generator) is refused: it would be found empty the second time.

    Raises:
        ArgumentError: from the function, for the first argument of a wrong type.
    """
    parameters = inspect.signature(function).parameters
    places = [name for name, one in parameters.items() if one.kind == one.POSITIONAL_OR_KEYWORD]
    rest = next((name for name, one in parameters.items() if one.kind == one.VAR_POSITIONAL), "")

    @functools.cache
    def kinds() -> dict[str, tuple[Kind, ...]]:
        names = inspect.unwrap(function).__globals__
        return {name: _of_parameter(one, names) for name, one in parameters.items()}

    @functools.wraps(function)
    def checking(*given: object, **named: object) -> object:
        if is_compiling():  # torch.compile cannot look at annotations
            return function(*given, **named)
        several = {rest: given[len(places) :]} if rest else {}
        for name, value in (*zip(places, given, strict=False), *{**named, **several}.items()):
            wanted = kinds().get(name, ())  # what is not a parameter, the function refuses itself
            if wanted and not any(one.fits(value) for one in wanted):
                raise ArgumentError(refusal(name, value, wanted))
            if name.endswith("seed") and isinstance(value, int) and value < 0:
                raise ArgumentError(f"{name} must be 0 or more, got {value}.")
        return function(*given, **named)

    return checking


def refusal(name: str, value: object, wanted: Iterable[Kind]) -> str:
    """The sentence: what the argument must be, and what it is."""
    text = re.sub(r"\s+", " ", repr(value))
    text = text if len(text) <= 60 else f"{text[:57]}..."
    words = " or ".join(dict.fromkeys(kind.words for kind in wanted))
    return f"{name} must be {words}, got {text} ({type(value).__name__})."


@dataclass(frozen=True)
class Kind:
    """What an argument may be.

    Attributes:
        words: it in words.
        fits: whether a value is of the kind.
    """

    words: str
    fits: Callable[[object], bool]


def _number(words: str, exact: type) -> Kind:
    def fits(value: object) -> bool:
        is_scalar = isinstance(value, torch.Tensor) and value.ndim == 0
        return not isinstance(value, bool) and (isinstance(value, exact) or is_scalar)

    return Kind(words, fits)


def _class(one: type, words: str) -> Kind:
    return Kind(words, lambda value: isinstance(value, one))


PLAIN = {
    type(None): _class(type(None), "None"),
    str: _class(str, "text"),
    int: _number("a whole number", numbers.Integral),
    float: _number("a number", numbers.Real),
    os.PathLike: _class(str | os.PathLike, "a path"),
    Mapping: _class(Mapping, "a dict"),
    Callable: Kind("a function", callable),
    torch.nn.Module: _class(torch.nn.Module, "a torch module"),
    torch.Tensor: _class(torch.Tensor, "a tensor"),
    torch.optim.Optimizer: _class(torch.optim.Optimizer, "a torch optimizer"),
}
SEVERAL = ("builtins", "collections.abc", "numpy")
"""Where the classes come from in whose place any values in a row will do."""


def _of_parameter(one: inspect.Parameter, names: dict[str, object]) -> tuple[Kind, ...]:
    """What a parameter may be; () if anything."""
    if one.kind == one.VAR_KEYWORD or one.annotation is one.empty:
        return ()
    kinds = _of(one.annotation, names)
    several = kinds and one.kind == one.VAR_POSITIONAL
    return (_with_items(ROW, kinds),) if several else kinds


def _of(annotation: object, names: dict[str, object]) -> tuple[Kind, ...]:
    if isinstance(annotation, str):
        try:
            annotation = eval(annotation, dict(names))
        except NameError:  # imported for types alone
            return ()
    if annotation is None:
        return (PLAIN[type(None)],)
    origin, inside = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in (typing.Union, types.UnionType):
        parts = [_of(part, names) for part in inside]
        return tuple(kind for part in parts for kind in part) if all(parts) else ()
    found = _of_class(origin or annotation)
    if found is None:
        return ()
    if not isinstance(origin, type) or not issubclass(origin, Iterable):
        return (found,)
    kinds = [_of(part, names) for part in inside if part is not ...]
    if origin is tuple and ... not in inside:
        return (_tuple(kinds),)
    return (_with_items(found, kinds[0]) if len(kinds) == 1 and kinds[0] else found,)


def _of_class(one: object) -> Kind | None:
    """The kind of a class; None if that leaves open what a value is."""
    if not isinstance(one, type) or one in (object, bool, type):
        return None
    for general in (Mapping, os.PathLike):
        if issubclass(one, general):
            return PLAIN[general]
    if one in PLAIN:
        return PLAIN[one]
    if one.__module__ in SEVERAL and issubclass(one, Iterable):
        return ROW if hasattr(one, "__len__") else ONCE
    return _class(one, f"a {one.__module__.partition('.')[0]} {one.__name__}")


def _row(once: bool) -> Kind:
    """Values in a row; those that are gone through ``once`` may come from a generator."""

    def fits(value: object) -> bool:
        is_row = hasattr(value, "__iter__") or hasattr(value, "__getitem__")
        return is_row and not isinstance(value, str) and (once or hasattr(value, "__len__"))

    return Kind("values in a row" if once else "values in a row, such as a list", fits)


ROW, ONCE = _row(once=False), _row(once=True)


def _tuple(kinds: list[tuple[Kind, ...]]) -> Kind:
    """So many values, each of its own kind."""

    def fits(value: object) -> bool:
        if not ROW.fits(value) or len(value) != len(kinds):
            return False
        return all(
            not wanted or any(kind.fits(item) for kind in wanted)
            for item, wanted in zip(value, kinds, strict=True)
        )

    words = {kind.words for wanted in kinds for kind in wanted}
    of = f", each {words.pop()}" if len(words) == 1 else ""
    return Kind(f"{len(kinds)} values{of}", fits)


def _with_items(row: Kind, items: tuple[Kind, ...]) -> Kind:
    def fits(value: object) -> bool:
        if not row.fits(value):
            return False
        looked_at = value if isinstance(value, list | tuple) else ()
        return all(any(kind.fits(item) for kind in items) for item in looked_at)

    words = " or ".join(kind.words for kind in items)
    return Kind(f"{row.words}, each of them {words}", fits)
