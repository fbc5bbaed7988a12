"""Trainings compute as their Run says, whatever the process has set for its other computations."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator
from typing import TypeVar

import torch

F = TypeVar("F", bound=Callable)


@contextlib.contextmanager
def own_context() -> Iterator[None]:
    """Compute inside in the types that tensors have, with gradients, on the device they name.

    Inside there is no autocast, no inference mode, no ``torch.no_grad``, no default device but the
    CPU, and products and convolutions of float32 are not rounded to TF32 or bfloat16 on their way.
    Afterwards everything is as it was. So numbers do not depend on the place a function is called
    from, and a result that is kept under the name of a Run is that of the Run alone.

    Source: https://pytorch.org/docs/stable/notes/numerical_accuracy.html, on reduced precision.
    """
    with contextlib.ExitStack() as stack:
        stack.enter_context(torch.inference_mode(False))
        stack.enter_context(torch.enable_grad())
        for kind in ("cpu", "cuda"):
            if _is_autocast(kind):
                stack.enter_context(torch.autocast(kind, enabled=False))
        if _default_device() != "cpu":
            stack.enter_context(torch.device("cpu"))
        for place, name, value, exact in _rounded():
            stack.callback(setattr, place, name, value)
            setattr(place, name, exact)
        yield


def in_own_context(function: F) -> F:
    """A function that computes inside ``own_context``; next to nothing is lost where it is so."""

    @functools.wraps(function)
    def wrapped(*args: object, **options: object) -> object:
        if _is_own():
            return function(*args, **options)
        with own_context():
            return function(*args, **options)

    return wrapped


def _is_own() -> bool:
    if torch.is_inference_mode_enabled() or not torch.is_grad_enabled():
        return False
    if _is_autocast("cpu") or _is_autocast("cuda") or _default_device() != "cpu":
        return False
    return not _rounded()


def _is_autocast(kind: str) -> bool:
    try:
        return torch.is_autocast_enabled(kind)
    except TypeError:  # torch 2.3
        return torch.is_autocast_cpu_enabled() if kind == "cpu" else torch.is_autocast_enabled()


def _default_device() -> str:
    return torch.empty(0).device.type  # a third of the time of get_default_device


def _rounded() -> list[tuple[object, str, object, object]]:
    """What says that products of float32 are rounded: place, name, value, and the exact one."""
    backends, name, exact = torch.backends, "fp32_precision", "ieee"
    if hasattr(backends, name):
        places = [backends.mkldnn.matmul, backends.mkldnn.conv]
        on_gpu = [backends.cuda.matmul, backends.cudnn.conv]
    else:  # torch 2.8; there TF32 alone, and on a GPU alone
        name, exact = "allow_tf32", False
        places, on_gpu = [], [backends.cuda.matmul, backends.cudnn]
    places += on_gpu if backends.cuda.is_built() else []
    values = [(place, name, getattr(place, name), exact) for place in places]
    return [one for one in values if one[2] not in (exact, "none")]
