"""In how many digits products with a curvature matrix are computed."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from bnlab.norms.base import HALF


@contextlib.contextmanager
def full_products(tensors: Sequence[Tensor]) -> Iterator[None]:
    """Products of float32 matrices on a CUDA device in float32 inside, and not in TF32."""
    switches = [torch.backends.cuda.matmul, torch.backends.cudnn]
    if not any(tensor.is_cuda for tensor in tensors) or not _can_switch():
        yield
        return
    before = [switch.allow_tf32 for switch in switches]
    try:
        for switch in switches:
            switch.allow_tf32 = False
        yield
    finally:
        for switch, allowed in zip(switches, before, strict=True):
            switch.allow_tf32 = allowed


def is_coarse(tensors: Sequence[Tensor]) -> bool:
    """Whether products with these weights and outputs have fewer digits than float32."""
    if any(tensor.dtype in HALF for tensor in tensors):
        return True
    kinds = {tensor.device.type for tensor in tensors}
    return any(map(_autocast, kinds)) or ("cuda" in kinds and not _can_switch())


def _autocast(kind: str) -> bool:
    try:
        return torch.is_autocast_enabled(kind)
    except TypeError:  # before torch 2.4
        return torch.is_autocast_cpu_enabled() if kind == "cpu" else torch.is_autocast_enabled()


def _can_switch() -> bool:
    try:  # torch 2.9 refuses these switches where the newer ones were used
        return torch.backends.cuda.matmul.allow_tf32 in (True, False)
    except RuntimeError:
        return False
