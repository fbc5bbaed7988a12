"""What flows through a net, layer by layer."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import torch
from torch import Tensor, nn

from bnlab.nets import Block
from bnlab.train.loop import kept_buffers, kept_modes


@contextlib.contextmanager
def outputs_of(net: nn.Module, kind: type[nn.Module]) -> Iterator[list[Tensor]]:
    """Collect the outputs of all modules of a kind, in the order in which they run."""
    outputs: list[Tensor] = []
    hooks = [
        module.register_forward_hook(lambda _module, _inputs, output: outputs.append(output))
        for module in net.modules()
        if isinstance(module, kind)
    ]
    try:
        yield outputs
    finally:
        for hook in hooks:
            hook.remove()


@torch.no_grad()
def block_variances(net: nn.Module, x: Tensor, kind: type[nn.Module] = Block) -> list[float]:
    """Variance of the output of each block: over samples and positions, averaged over channels.

    var_l = mean_c( var_{n,h,w}( a_l[n, c, h, w] ) ), biased, in training mode. The net's modes and
    buffers and torch's random state are as before afterwards.

    Args:
        net: any module that contains modules of ``kind``.
        x: its input, (N, C, H, W).
        kind: which modules are the blocks.

    Returns:
        One number a block, from input to output.

    Raises:
        ValueError: if the net has no such module.
    """
    untouched = (kept_modes(net), kept_buffers(net), torch.random.fork_rng(devices=[]))
    with contextlib.ExitStack() as stack:
        for context in untouched:
            stack.enter_context(context)
        outputs = stack.enter_context(outputs_of(net, kind))
        net.train()(x)
    if not outputs:
        raise ValueError(f"the net has no module of kind {kind.__name__}.")
    return [float(a.transpose(0, 1).flatten(1).var(1, unbiased=False).mean()) for a in outputs]
