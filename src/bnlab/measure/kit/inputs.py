"""What a net is called with: one tensor, or several by position or by name."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Iterator, Mapping

from torch import Tensor, nn

from bnlab.arguments import ArgumentError, Kind, refusal, require

HOLDS = Kind("a tensor, or a dict, tuple, list or dataclass that holds tensors", callable)


def forward(net: nn.Module, x: object) -> object:
    """The output of the net for ``x``, by the rule of ``as_arguments``."""
    if isinstance(x, Tensor):
        return net(x)
    args, named = as_arguments(net, x)
    try:
        return net(*args, **named)
    except (TypeError, AttributeError) as error:
        if x is not None:
            raise
        raise ArgumentError(f"x is None, and the net cannot do without it: {error}") from error


def as_arguments(net: nn.Module, x: object) -> tuple[tuple, dict[str, object]]:
    """How a net is called with ``x``: the arguments by position, and those by name.

    A tuple holds the arguments by position, and a dict those by name, if ``net.forward`` can be
    called so; else it is the one argument, as everything else is.

    Raises:
        ArgumentError: for a dict of one entry that can be meant either way.
    """
    if isinstance(x, Mapping) and x and all(isinstance(name, str) for name in x):
        if _takes(net, (), x):
            require(
                len(x) > 1 or not _is_only_parameter(net, next(iter(x))),
                f"x is a dict of one entry, {next(iter(x))!r}, which the net takes by that name: "
                "is the entry meant or the dict? Give (x,) for the dict as the only argument, "
                f"or (x[{next(iter(x))!r}],) for the entry.",
            )
            return (), dict(x)
    elif type(x) is tuple and _takes(net, x, {}):
        return x, {}
    return (x,), {}


def _takes(net: nn.Module, args: tuple, named: Mapping[str, object]) -> bool:
    try:
        inspect.signature(net.forward).bind(*args, **named)
    except (TypeError, ValueError):
        return False
    return True


def _is_only_parameter(net: nn.Module, name: str) -> bool:
    return list(inspect.signature(net.forward).parameters) == [name]


def tensors_in(value: object) -> Iterator[Tensor]:
    """All tensors in nested dicts, tuples, lists and dataclasses."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from tensors_in(item)
    elif isinstance(value, tuple | list):
        for item in value:
            yield from tensors_in(item)
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        for one in dataclasses.fields(value):
            yield from tensors_in(getattr(value, one.name))


def check_inputs(x: object) -> None:
    """Raise an ``ArgumentError`` unless ``x`` is a tensor or holds one."""
    if next(tensors_in(x), None) is None:
        raise ArgumentError(refusal("x", x, [HOLDS]))


def check_targets(y: object) -> None:
    """Raise an ``ArgumentError`` unless ``y`` is None, a tensor, or holds one."""
    if y is not None and next(tensors_in(y), None) is None:
        raise ArgumentError(refusal("y", y, [Kind(f"None, {HOLDS.words}", callable)]))


def samples_in(x: object) -> int:
    """How many samples a batch has: the common length of all its tensors.

    Raises:
        ArgumentError: if they differ in it, or have no axis.
    """
    lengths = {len(tensor) for tensor in tensors_in(x) if tensor.ndim}
    require(
        len(lengths) == 1,
        f"the tensors of x have the first lengths {sorted(lengths)}: give samples=, how many "
        "samples the batch has.",
    )
    return lengths.pop()
