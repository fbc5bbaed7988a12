"""Buffers that change in place: running statistics and counters.

Who holds the tensor sees it move: ``functional_call`` with buffers of its own, an ensemble under
``vmap``, replicas of a model, memory that is shared, a CUDA graph, which knows addresses alone.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar

import torch
from torch import Tensor, nn
from torch._C import _are_functorch_transforms_active as are_transforms_active
from torch._C import _functorch as functorch
from torch._functorch import pyfunctorch

try:
    from torch.compiler import is_compiling
except ImportError:  # torch 2.2
    from torch._dynamo.external_utils import is_compiling

_assigns: ContextVar[bool] = ContextVar("assigns", default=False)


@contextlib.contextmanager
def assigned() -> Iterator[None]:
    """Inside, buffers are exchanged for new tensors: then a step is a function of its inputs."""
    token = _assigns.set(True)
    try:
        yield
    finally:
        _assigns.reset(token)


def renew(
    module: nn.Module,
    name: str,
    value: Tensor,
    momentum: float | None = None,
    is_read: bool = False,
) -> None:
    """Let a buffer follow ``value``: s <- (1 - momentum) * s + momentum * value; None: s <- value.

    No gradient passes through it. A tensor that was made in inference mode cannot change outside
    of it, and is exchanged for an ordinary one; so is, where code is compiled, one that the output
    depends on: torch's compiler may compute what the backward pass needs once more, from the
    buffer as it is by then.

    Args:
        module: that has the buffer.
        name: of the buffer.
        value: of its shape and type.
        momentum: weight of ``value``.
        is_read: whether the output of this pass depends on the buffer.

    Raises:
        ValueError: under ``vmap``, where each of many inputs would move the one buffer elsewhere.
    """
    buffer, value = module._buffers[name], value.detach()
    if _must_be_exchanged(buffer, is_read):
        new = value if momentum is None else buffer.lerp(value, momentum)
        module._buffers[name] = new  # half the time of setattr
    elif is_compiling():
        _change(buffer, value, momentum)
    elif are_transforms_active():
        _change_below(module, name, value, momentum)
    else:
        _change(buffer, value, momentum)


def _must_be_exchanged(buffer: Tensor, is_read: bool) -> bool:
    if is_compiling():
        return is_read
    return _assigns.get() or (buffer.is_inference() and not torch.is_inference_mode_enabled())


def _change(buffer: Tensor, value: Tensor, momentum: float | None) -> None:
    if momentum is None:
        buffer.copy_(value)
    else:
        buffer.lerp_(value, momentum)


def _change_below(module: nn.Module, name: str, value: Tensor, momentum: float | None) -> None:
    # A transform lets nothing change that was made outside of it. Those that differentiate have no
    # part in a number without a gradient: we step below them, to where the buffer was made.
    buffer = module._buffers[name]
    level = functorch.maybe_current_level()
    if level is None or _level(buffer) == level:
        # torch has no rule to map lerp_, but one to map lerp.
        buffer.copy_(value if momentum is None else buffer.lerp(value, momentum))
    elif _level(value) == level and functorch.is_batchedtensor(value):
        raise ValueError(
            f"{type(module).__name__} in training mode would move its one {name} differently for "
            "each of the inputs of vmap. Call model.eval() first, or give every input buffers of "
            "its own: torch.func.functional_call(model, (parameters, buffers), inputs), mapped "
            "over the buffers too (torch.func.stack_module_state)."
        )
    else:
        inner = functorch.get_unwrapped(value) if _level(value) == level else value
        with pyfunctorch.temporarily_pop_interpreter_stack():
            _change_below(module, name, inner, momentum)


def _level(tensor: Tensor) -> int:
    return functorch.maybe_get_level(tensor)
