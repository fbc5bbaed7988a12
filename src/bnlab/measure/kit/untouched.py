"""A measurement leaves the net as it found it, also when it is interrupted."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import torch
from torch import Tensor, nn


@contextlib.contextmanager
def untouched(net: nn.Module) -> Iterator[None]:
    """Give ``net`` back, on leaving, everything it had on entering, bit for bit.

    That is: parameters, their gradients and whether they require one, buffers, the mode of each
    module, and torch's random state on the CPU and on the devices of the net. The tensors are the
    same objects as before, so that an optimizer or a hook that holds one keeps it.

    Example:
        >>> net = nn.Sequential(nn.BatchNorm1d(2))
        >>> with untouched(net):
        ...     _ = net.train()(torch.ones(3, 2))
        >>> net[0].running_mean.tolist(), int(net[0].num_batches_tracked)
        ([0.0, 0.0], 0)
    """
    modes = [(module, module.training) for module in net.modules()]
    parameters = [
        (
            parameter,
            parameter.requires_grad,
            parameter.grad,
            _copy(parameter),
            _copy(parameter.grad),
        )
        for parameter in net.parameters()
    ]
    buffers = [
        (module, name, buffer, _copy(buffer))
        for module in net.modules()
        for name, buffer in module._buffers.items()
    ]
    devices = {tensor.device for tensor in net.parameters() if tensor.is_cuda}
    with torch.random.fork_rng(devices=list(devices)):
        try:
            yield
        finally:
            for module, mode in modes:
                module.training = mode
            with torch.no_grad():
                for parameter, requires_grad, gradient, value, slope in parameters:
                    parameter.requires_grad_(requires_grad)
                    parameter.copy_(value)
                    parameter.grad = gradient
                    if gradient is not None:
                        gradient.copy_(slope)
                for module, name, buffer, value in buffers:
                    module._buffers[name] = buffer  # normalizers assign new tensors
                    if buffer is not None:
                        buffer.copy_(value)


def _copy(tensor: Tensor | None) -> Tensor | None:
    return None if tensor is None else tensor.detach().clone()
