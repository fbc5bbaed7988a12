"""A plain convolutional net, without shortcuts. With max pooling it is a small VGG."""

from __future__ import annotations

from torch import Tensor, nn

from bnlab.arguments import checked, positive
from bnlab.errors import check_name
from bnlab.nets.activation import relu_after
from bnlab.nets.stages import stages
from bnlab.norms import make_norm

DOWNSAMPLE = ("stride", "max_pool")


class PlainConvNet(nn.Module):
    """``depth`` times 3x3 convolution, normalizer, ReLU; global average pooling; linear.

    Normalizers that contain a nonlinearity have no ReLU.

    Source of the VGG-like net: Simonyan and Zisserman 2015, arXiv 1409.1556, which Santurkar et al.
    2018 and Lubana et al. 2021 train; global average pooling stands for its three linear layers.

    Args:
        image_shape: (C, H, W), 8 x 8 or 32 x 32 pixels or any other size.
        num_classes: number of outputs.
        depth: convolutions.
        width: channels of the first stage; see ``stages``.
        norm: a name for ``make_norm``.
        downsample: how a stage after the first halves the image: ``stride`` of its first
            convolution, or ``max_pool`` of 2 x 2 before it, as in a VGG.
        **options: options of the normalizer.

    Shape:
        (N, C, H, W) -> logits (N, num_classes).
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
        downsample: str = "stride",
        **options: object,
    ) -> None:
        super().__init__()
        positive(num_classes=num_classes, width=width)
        check_name("downsample", downsample, DOWNSAMPLE)
        channels = image_shape[0]
        layers: list[nn.Module] = []
        for out, stride in stages(image_shape[1], depth, width):
            if stride > 1 and downsample == "max_pool":
                layers.append(nn.MaxPool2d(2))
                stride = 1
            conv = nn.Conv2d(channels, out, 3, stride, padding=1)
            after = make_norm(norm, out, **options)
            layers += [conv, after, relu_after(after)]
            channels = out
        self.body = nn.Sequential(*layers)
        self.head = nn.Linear(channels, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        """Logits of a batch of images."""
        return self.head(self.body(x).mean((2, 3)))
