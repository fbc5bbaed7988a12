"""Loss and accuracy of a net, which stays as it was."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

SLICE = 512  # images evaluated at a time


@contextlib.contextmanager
def kept_modes(net: nn.Module) -> Iterator[None]:
    """Put each module back into its own mode on leaving: a frozen part may be in another one."""
    saved = [(module, module.training) for module in net.modules()]
    try:
        yield
    finally:
        for module, mode in saved:
            module.training = mode


@contextlib.contextmanager
def kept_buffers(net: nn.Module) -> Iterator[None]:
    """Give the net its buffers back on leaving: a look in training mode moves no statistics."""
    saved = {name: buffer.clone() for name, buffer in net.named_buffers()}
    try:
        yield
    finally:
        for name, value in saved.items():
            net.get_buffer(name).copy_(value)


@torch.no_grad()
def evaluate(
    net: nn.Module,
    x: Tensor,
    y: Tensor,
    batch_statistics: bool = False,
    loss: Callable[[Tensor, Tensor], Tensor] = cross_entropy,
) -> tuple[float, float]:
    """Loss and accuracy of ``net`` on all of ``x``; the net stays as it was.

    Args:
        net: any classifier.
        x: inputs, (N, C, H, W).
        y: labels, (N,).
        batch_statistics: in training mode, with the statistics of these inputs as one batch;
            else in evaluation mode.
        loss: of logits and labels; by default the cross-entropy, in nats.
    """
    with kept_modes(net), kept_buffers(net) if batch_statistics else contextlib.nullcontext():
        net.train(batch_statistics)
        # Slices are faster and need less memory, but batch statistics belong to one whole batch.
        parts = [x] if batch_statistics else x.split(SLICE)
        logits = torch.cat([net(part) for part in parts])
    accuracy = (logits.argmax(1) == y).to(logits.dtype).mean()
    return tuple(torch.stack([loss(logits, y), accuracy]).tolist())
