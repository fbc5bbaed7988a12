"""A measurement leaves the net as it found it, also when it is interrupted."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator

import torch
from torch import Tensor, nn

from bnlab.arguments import require


@contextlib.contextmanager
def untouched(net: nn.Module) -> Iterator[None]:
    """Give ``net`` back, on leaving, everything it had on entering, bit for bit.

    That is: parameters, their gradients and whether they require one, buffers, the mode of each
    module, and torch's random state on the CPU and on the devices of the net. The tensors are the
    same objects as before, so that an optimizer or a hook that holds one keeps it. Only what has
    changed is written back, and no tensor counts as changed in place afterwards: a graph that was
    built before, between a forward and its backward pass, can still be used.

    Raises:
        ValueError: for a lazy module, whose weights do not exist yet.

    Example:
        >>> net = nn.Sequential(nn.BatchNorm1d(2))
        >>> with untouched(net):
        ...     _ = net.train()(torch.ones(3, 2))
        >>> net[0].running_mean.tolist(), int(net[0].num_batches_tracked)
        ([0.0, 0.0], 0)
    """
    _check_not_lazy(net)
    modes = [(module, module.training) for module in net.modules()]
    parameters = [(p, p.requires_grad, p.grad) for p in net.parameters()]
    buffers = [
        (module, name, buffer)
        for module in net.modules()
        for name, buffer in module._buffers.items()
    ]
    tensors = [tensor for p, _, gradient in parameters for tensor in (p, gradient)]
    values = _Values([*tensors, *(buffer for _, _, buffer in buffers)])
    devices = {tensor.device for tensor in net.parameters() if tensor.is_cuda}
    with torch.random.fork_rng(devices=list(devices)):
        try:
            yield
        finally:
            for module, mode in modes:
                module.training = mode
            for parameter, requires_grad, gradient in parameters:
                if parameter.requires_grad != requires_grad:
                    parameter.requires_grad_(requires_grad)
                if parameter.grad is not gradient:
                    parameter.grad = gradient
            for module, name, buffer in buffers:
                module._buffers[name] = buffer  # some normalizers assign new tensors
            values.restore()


class _Values:
    """What is in these tensors now, and how often each was changed in place so far."""

    def __init__(self, tensors: Iterable[Tensor | None]) -> None:
        self._saved = [(t, t.detach().clone()) for t in tensors if t is not None]
        self._versions = contextlib.ExitStack()
        for tensor, _ in self._saved:
            if not tensor.is_inference():
                self._versions.enter_context(
                    torch.autograd._unsafe_preserve_version_counter(tensor)
                )

    @torch.no_grad()
    def restore(self) -> None:
        """Write back what differs, unseen by torch's count of changes: the numbers are the same."""
        with self._versions:
            for tensor, value in self._saved:
                if not _same_bits(tensor, value):
                    tensor.copy_(value)


def _same_bits(a: Tensor, b: Tensor) -> bool:
    if a.layout != torch.strided or a.is_quantized:
        return False
    return torch.equal(_bits(a), _bits(b))


def _bits(tensor: Tensor) -> Tensor:
    flat = tensor.detach().resolve_conj().resolve_neg().reshape(-1)
    return flat.view(WHOLE[flat.element_size()])  # NaN differs from itself


WHOLE = {1: torch.uint8, 2: torch.int16, 4: torch.int32, 8: torch.int64, 16: torch.int64}


def _check_not_lazy(net: nn.Module) -> None:
    is_lazy = torch.nn.parameter.is_lazy
    for name, module in net.named_modules():
        own = [*module._parameters.values(), *module._buffers.values()]
        require(
            not any(is_lazy(tensor) for tensor in own),
            f"module {name!r} is lazy and has no weights yet: call the net once with a batch "
            "before it is measured.",
        )
