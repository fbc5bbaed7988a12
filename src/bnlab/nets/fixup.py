"""Fixup: a residual block without normalizers, and the initial weights that go with it."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from bnlab.nets.pointwise import every, pointwise
from bnlab.nets.scalars import Scale, Shift

LAYERS = 2  # m: layers of a branch


class FixupBlock(nn.Module):
    r"""y = relu(s * conv2(relu(conv1(x + b1) + b2) + b3) + b4 + shortcut(x)), without normalizers.

    s and b1 to b4 are learnable scalars, 1 and 0 at first; the convolutions have no biases of their
    own. Where the shape changes, the shortcut is a 1x1 convolution of x + b1.

    Source: Zhang, Dauphin and Ma 2019, arXiv 1901.09321, section 3 and figure 1; the order of the
    scalars is that of the official code (block with 1x1 shortcuts).
    """

    def __init__(self, fan_in: int, width: int, stride: int) -> None:
        super().__init__()
        self.shift1 = Shift()
        self.conv1 = nn.Conv2d(fan_in, width, 3, stride, padding=1, bias=False)
        self.shift2, self.shift3 = Shift(), Shift()
        self.conv2 = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.scale, self.shift4 = Scale(), Shift()
        self.shortcut, self.step = None, 1
        if stride != 1 or fan_in != width:
            self.shortcut, self.step = pointwise(fan_in, width, stride, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Compute the output of the block."""
        shifted = self.shift1(x)
        branch = self.conv2(self.shift3(torch.relu(self.shift2(self.conv1(shifted)))))
        skip = x if self.shortcut is None else self.shortcut(every(shifted, self.step))
        return torch.relu(self.shift4(self.scale(branch)) + skip)


@torch.no_grad()
def fixup_initialize(blocks: list[FixupBlock], head: nn.Linear) -> None:
    """Turn He's initial weights into Fixup's, in place.

    With L blocks of m = 2 layers a branch: the first layer of each branch is multiplied by
    L^(-1 / (2m - 2)) = L^(-1/2), its last layer and the classifier are set to 0, all scales to 1
    and all shifts to 0. The first step then changes the output by Theta(learning rate), whatever L.

    Source: Zhang, Dauphin and Ma 2019, arXiv 1901.09321, section 3. The official code draws
    He-normal weights by fan-out; here those of ``initialize`` (fan-in) are kept.
    """
    for block in blocks:
        block.conv1.weight.mul_(len(blocks) ** (-1 / (2 * LAYERS - 2)))
        block.conv2.weight.zero_()
    head.weight.zero_()
    head.bias.zero_()
