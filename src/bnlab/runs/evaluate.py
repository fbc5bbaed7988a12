"""Loss and accuracy of a net, which stays as it was."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from bnlab.arguments import checked
from bnlab.norms.kept import kept_buffers, kept_modes

SLICE = 512  # images evaluated at a time


@checked
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
