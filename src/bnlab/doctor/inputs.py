"""The reader's batch: how a model is called with it, and what is in what comes out."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from bnlab.arguments import require


@dataclass(frozen=True, eq=False)
class Batch:
    """What the model is called with.

    Attributes:
        args: by position.
        kwargs: by name.
        samples: how many samples it holds, N.
        left_out: items that the model does not take, in a sentence; or empty.
    """

    args: tuple = ()
    kwargs: dict = field(default_factory=dict)
    samples: int = 1
    left_out: str = ""

    @property
    def all_alike(self) -> bool:
        """Whether all samples are the same one."""
        rows = [one for one in self.tensors() if one.ndim and len(one) == self.samples]
        return self.samples > 1 and all(bool((one == one[:1]).all()) for one in rows)

    @property
    def by_name(self) -> bool:
        """Whether the inputs are given by name."""
        return bool(self.kwargs)

    def call(self, model: nn.Module) -> object:
        """What the model makes of it."""
        plain = model._modules.get("_orig_mod")  # of a compiled model, which calls no hooks
        return (model if plain is None else plain)(*self.args, **self.kwargs)

    def tensors(self) -> list[Tensor]:
        """All tensors in it."""
        return list(tensors_in([self.args, self.kwargs]))

    def mapped(self, change: Callable[[Tensor], Tensor]) -> Batch:
        """The same with each tensor that has one row a sample changed by a function."""

        def put(value: object) -> object:
            if isinstance(value, Tensor):
                return change(value) if value.ndim and len(value) == self.samples else value
            if isinstance(value, Mapping):
                return {key: put(item) for key, item in value.items()}
            if isinstance(value, list | tuple) and not hasattr(value, "_fields"):
                return type(value)(put(item) for item in value)
            return value

        return Batch(put(self.args), put(self.kwargs), self.samples, self.left_out)


def tensors_in(value: object) -> Iterator[Tensor]:
    """The tensors in a tensor, a dict, a sequence, or an object of a library that holds some."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from tensors_in(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from tensors_in(item)
    elif hasattr(value, "__dict__") and not isinstance(value, type | nn.Module):
        for item in vars(value).values():
            if isinstance(item, Tensor):
                yield item


def read_batch(model: nn.Module, batch: object) -> Batch:
    """How ``model`` is called with ``batch``.

    A tensor is the one input. A dict holds inputs by name; if the model takes one input and has no
    such names, the dict is that input. Of a tuple or list, the model is given as many items as its
    ``forward`` requires, from the first on, as a DataLoader gives inputs before targets.

    Raises:
        ArgumentError: for anything else, no samples, NaN, or tensors on another device.
    """
    kinds = Tensor | Mapping | list | tuple
    require(
        isinstance(batch, kinds) and (isinstance(batch, Tensor) or len(batch)),
        "batch must be a tensor, a tuple or list of inputs, or a dict of inputs by name, got "
        f"{type(batch).__name__}{' without items' * isinstance(batch, kinds)}.",
    )
    found = _arranged(model, batch)
    tensors = found.tensors()
    require(tensors, "batch holds no tensor. Give what the model is called with, as tensors.")
    require(tensors[0].ndim > 0, "batch must have a first axis of samples, got a single number.")
    _check(model, tensors)
    first = (found.args or tuple(found.kwargs.values()))[0]
    samples = len(first) if isinstance(first, list | tuple) else len(tensors[0])
    require(samples > 0, "batch has no samples.")
    return Batch(found.args, found.kwargs, samples, found.left_out)


def _arranged(model: nn.Module, batch: object) -> Batch:
    if isinstance(batch, Tensor):
        return Batch((batch,))
    parameters = list(inspect.signature(_inner(model).forward).parameters.values())
    plain = [
        one for one in parameters if one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD)
    ]
    required = [one.name for one in plain if one.default is one.empty]
    if isinstance(batch, Mapping):
        takes = {one.name for one in parameters}
        if not any(one.kind is one.VAR_KEYWORD for one in parameters) and not takes & set(batch):
            require(
                len(required) == 1,
                f"batch is a dict of {', '.join(map(repr, batch))}, but forward takes "
                f"{', '.join(sorted(takes))}. Name the inputs as forward does.",
            )
            return Batch((batch,))
        return Batch(kwargs={str(key): value for key, value in batch.items()})
    takes_all = any(one.kind is one.VAR_POSITIONAL for one in parameters)
    taken = len(batch) if takes_all else max(1, min(len(required), len(batch)))
    rest = len(batch) - taken
    said = f"forward requires {taken} of the {len(batch)} items of batch; the last {rest} were not "
    return Batch(tuple(batch[:taken]), left_out=f"{said}given to it." if rest else "")


def _inner(model: nn.Module) -> nn.Module:
    """The module in a wrapper that hands on what it is called with: DataParallel, an average."""
    for name in ("module", "_orig_mod"):
        inside = model._modules.get(name)
        if inside is not None and len(model._modules) == 1:
            return _inner(inside)
    return model


def _check(model: nn.Module, tensors: list[Tensor]) -> None:
    places = {p.device for p in model.parameters()}
    for tensor in tensors:
        if len(places) == 1 and tensor.device not in places:
            (place,) = places
            require(
                tensor.ndim == 0,
                f"batch is on {tensor.device} and the model on {place}. Call "
                f'batch.to("{place}") first.',
            )
        if tensor.device.type != "meta" and tensor.is_floating_point():
            require(
                bool(torch.isfinite(tensor).all()),
                "batch holds NaN or infinity. Look at the data, or give another batch.",
            )
