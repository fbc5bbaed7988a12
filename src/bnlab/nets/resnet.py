"""A small residual net."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from bnlab.nets.stages import stages
from bnlab.norms import make_norm


class Block(nn.Module):
    """y = relu(norm2(conv2(relu(norm1(conv1(x))))) + shortcut(x)), the basic post-activation block.

    The shortcut is the identity, or a 1x1 convolution and a normalizer where the shape changes.

    Source: He et al. 2016, arXiv 1512.03385, equation 1 and option B of section 4.1.
    """

    def __init__(self, fan_in: int, width: int, stride: int, norm: str, **options: object) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(fan_in, width, 3, stride, padding=1)
        self.norm1 = make_norm(norm, width, **options)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1)
        self.norm2 = make_norm(norm, width, **options)
        same = stride == 1 and fan_in == width
        self.shortcut = (
            nn.Identity()
            if same
            else nn.Sequential(
                nn.Conv2d(fan_in, width, 1, stride), make_norm(norm, width, **options)
            )
        )

    def forward(self, x: Tensor) -> Tensor:
        """One block."""
        branch = torch.relu(self.norm1(self.conv1(x)))
        return torch.relu(self.norm2(self.conv2(branch)) + self.shortcut(x))


class ResNet(nn.Module):
    """3x3 convolution, normalizer, ReLU; ``depth`` residual blocks; average pooling; linear.

    Args:
        image_shape: (C, H, W), 8 x 8 or 32 x 32 pixels or any other size.
        num_classes: number of outputs.
        depth: residual blocks, of two convolutions each.
        width: channels of the stem and the first stage; see ``stages``.
        norm: a name for ``make_norm``.
        **options: options of the normalizer.

    Shape:
        (N, C, H, W) -> logits (N, num_classes).
    """

    def __init__(
        self,
        image_shape: tuple[int, int, int],
        num_classes: int,
        depth: int,
        width: int,
        norm: str = "none",
        **options: object,
    ) -> None:
        super().__init__()
        stem = nn.Conv2d(image_shape[0], width, 3, padding=1)
        self.stem = nn.Sequential(stem, make_norm(norm, width, **options), nn.ReLU())
        channels, blocks = width, []
        for out, stride in stages(image_shape[1], depth, width):
            blocks.append(Block(channels, out, stride, norm, **options))
            channels = out
        self.blocks = nn.Sequential(*blocks)
        self.head = nn.Linear(channels, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        """Logits of a batch of images."""
        return self.head(self.blocks(self.stem(x)).mean((2, 3)))
