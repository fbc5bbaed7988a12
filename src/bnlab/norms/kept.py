"""What a look at a net must not change: the modes of its modules, and its buffers."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import torch
from torch import Tensor, nn


@contextlib.contextmanager
def kept_modes(net: nn.Module) -> Iterator[None]:
    """Put each module back into its own mode on leaving: a frozen part may be in another one."""
    saved = [(module, module.training) for module in net.modules()]
    try:
        yield
    finally:
        for module, mode in saved:
            module.training = mode


class Buffers:
    """The buffers of a net as they are now: running statistics, counters, keys of noise.

    Args:
        net: any module.
    """

    def __init__(self, net: nn.Module) -> None:
        self._saved = [
            (module, name, buffer, buffer.detach().clone())
            for module in net.modules()
            for name, buffer in module._buffers.items()
            if buffer is not None
        ]
        self._versions = [_version(buffer) for _, _, buffer, _ in self._saved]

    @torch.no_grad()
    def restore(self) -> None:
        """Put them back, as often as wanted; they are the same objects as before."""
        for i, (module, name, buffer, value) in enumerate(self._saved):
            # Normalizers change them in place, and torch's kernel of batch norm does so without a
            # new version; what inference mode made cannot change outside of it.
            now = _version(buffer)
            is_fixed = buffer.is_inference() and not torch.is_inference_mode_enabled()
            is_same = module._buffers[name] is not buffer and now is not None
            if not is_fixed and not (is_same and now == self._versions[i]):
                buffer.copy_(value)
                self._versions[i] = _version(buffer)
            module._buffers[name] = buffer


def _version(buffer: Tensor) -> int | None:
    """How often a tensor was changed in place; None where torch does not count."""
    return None if buffer.is_inference() else buffer._version


@contextlib.contextmanager
def kept_buffers(net: nn.Module) -> Iterator[None]:
    """Give the net its buffers back on leaving: a look in training mode moves no statistics."""
    saved = Buffers(net)
    try:
        yield
    finally:
        saved.restore()
