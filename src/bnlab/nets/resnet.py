"""A small residual net, with normalizers or with what can stand in for them."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from bnlab.arguments import checked, positive
from bnlab.errors import unknown
from bnlab.nets.activation import relu_after
from bnlab.nets.fixup import FixupBlock, fixup_initialize
from bnlab.nets.pointwise import every, pointwise
from bnlab.nets.scalars import Scale, Shift
from bnlab.nets.stages import stages
from bnlab.norms import make_norm

BRANCHES = ("plain", "skipinit", "fixup")


class Block(nn.Module):
    """y = relu(scale(norm2(conv2(relu(norm1(conv1(x)))))) + shortcut(x)), post-activation block.

    The shortcut is the identity, or a 1x1 convolution and a normalizer where the shape changes.
    ``scale`` is the identity, or with ``skipinit`` a learnable scalar that starts at 0, so that the
    block starts as relu(shortcut(x)).

    A normalizer that contains a nonlinearity takes the place of normalizer and ReLU:
    y = norm2(scale(conv2(norm1(conv1(x)))) + shortcut(x)), with no normalizer in the shortcut, as
    in Lubana et al. 2021's code.

    Source: He et al. 2016, arXiv 1512.03385, equation 1 and option B of section 4.1; SkipInit: De
    and Smith 2020, arXiv 2002.10444 (post-activation as in Lubana et al. 2021's code).
    """

    @checked
    def __init__(
        self,
        fan_in: int,
        width: int,
        stride: int,
        norm: str,
        *,
        skipinit: bool = False,
        **options: object,
    ) -> None:
        super().__init__()
        positive(fan_in=fan_in, width=width, stride=stride)
        self.conv1 = nn.Conv2d(fan_in, width, 3, stride, padding=1)
        self.norm1 = make_norm(norm, width, **options)
        self.relu1 = relu_after(self.norm1)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1)
        self.norm2 = make_norm(norm, width, **options)
        self.has_scale = skipinit
        self.scale = Scale(0.0) if skipinit else nn.Identity()
        self.activates = getattr(self.norm2, "activates", False)
        self.shortcut: nn.Module = nn.Identity()
        self.step = 1
        if stride != 1 or fan_in != width:
            conv, self.step = pointwise(fan_in, width, stride)
            self.shortcut = nn.Sequential(conv)
            if not self.activates:
                self.shortcut.append(make_norm(norm, width, **options))

    def forward(self, x: Tensor) -> Tensor:
        """Compute the output of the block."""
        branch = self.conv2(self.relu1(self.norm1(self.conv1(x))))
        if self.activates:
            return self.norm2(self.scale(branch) + self.shortcut(every(x, self.step)))
        return torch.relu(self.scale(self.norm2(branch)) + self.shortcut(every(x, self.step)))


class ResNet(nn.Module):
    """3x3 convolution, normalizer, ReLU; ``depth`` residual blocks; average pooling; linear.

    Args:
        image_shape: (C, H, W), 8 x 8 or 32 x 32 pixels or any other size.
        num_classes: number of outputs.
        depth: residual blocks, of two convolutions each.
        width: channels of the stem and the first stage; see ``stages``.
        norm: a name for ``make_norm``.
        branch: ``plain``; ``skipinit``, with any normalizer, as a rule ``none``; or ``fixup``,
            which takes the place of the normalizer and of the biases (see ``FixupBlock``).
        **options: options of the normalizer.

    Shape:
        (N, C, H, W) -> logits (N, num_classes).

    Raises:
        ValueError: for an unknown branch, or ``fixup`` with a normalizer.
    """

    @checked
    def __init__(
        self,
        image_shape: tuple[int, int, int],
        num_classes: int,
        depth: int,
        width: int,
        norm: str = "none",
        *,
        branch: str = "plain",
        **options: object,
    ) -> None:
        super().__init__()
        positive(num_classes=num_classes, width=width)
        if branch not in BRANCHES:
            raise ValueError(unknown("branch of a residual net", branch, BRANCHES))
        if branch == "fixup" and norm != "none":
            raise ValueError(
                f"branch='fixup' stands in for the normalizer: norm must be 'none', got {norm!r}."
            )
        self.branch = branch
        fixup = branch == "fixup"
        stem = nn.Conv2d(image_shape[0], width, 3, padding=1, bias=not fixup)
        after = Shift() if fixup else make_norm(norm, width, **options)
        self.stem = nn.Sequential(stem, after, relu_after(after))
        channels, blocks = width, []
        for out, stride in stages(image_shape[1], depth, width):
            blocks.append(
                FixupBlock(channels, out, stride)
                if fixup
                else Block(channels, out, stride, norm, skipinit=branch == "skipinit", **options)
            )
            channels = out
        self.blocks = nn.Sequential(*blocks)
        self.shift = Shift() if fixup else nn.Identity()
        self.head = nn.Linear(channels, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        """Logits of a batch of images."""
        return self.head(self.shift(self.blocks(self.stem(x)).mean((2, 3))))

    def after_initialize(self) -> None:
        """Set what the branches change; ``initialize`` calls this once all weights are He's."""
        with torch.no_grad():
            for module in self.modules():
                if isinstance(module, Scale):
                    module.scale.fill_(module.initial)
                elif isinstance(module, Shift):
                    module.shift.zero_()
        if self.branch == "fixup":
            fixup_initialize(list(self.blocks), self.head)
