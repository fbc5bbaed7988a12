"""What a forward pass starts from, kept: a later one then draws the same noise."""

from __future__ import annotations

import torch
from torch import nn

from bnlab.norms.kept import Buffers


class ForwardState:
    """All that a forward pass depends on beside weights and input, as it is now.

    That is torch's random state, on the CPU and on the net's devices, and the buffers: running
    statistics, and the counters of ``noisy_batch``. ``restore`` puts it back, as often as wanted.

    Args:
        net: any module.
    """

    def __init__(self, net: nn.Module) -> None:
        self._random = torch.get_rng_state()
        devices = {p.device for p in net.parameters() if p.is_cuda}
        self._random_on = [(device, torch.cuda.get_rng_state(device)) for device in devices]
        self._buffers = Buffers(net)

    def restore(self) -> None:
        """Put random state and buffers back; the buffers are the same objects as before."""
        torch.set_rng_state(self._random)
        for device, state in self._random_on:
            torch.cuda.set_rng_state(state, device)
        self._buffers.restore()
