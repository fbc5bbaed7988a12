"""A plain convolutional net: no shortcuts."""

from __future__ import annotations

from torch import Tensor, nn

from bnlab.nets.activation import relu_after
from bnlab.nets.stages import stages
from bnlab.norms import make_norm


class PlainConvNet(nn.Module):
    """``depth`` times 3x3 convolution, normalizer, ReLU; global average pooling; linear.

    Normalizers that contain a nonlinearity have no ReLU.

    Args:
        image_shape: (C, H, W), 8 x 8 or 32 x 32 pixels or any other size.
        num_classes: number of outputs.
        depth: convolutions.
        width: channels of the first stage; see ``stages``.
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
        channels = image_shape[0]
        layers: list[nn.Module] = []
        for out, stride in stages(image_shape[1], depth, width):
            conv = nn.Conv2d(channels, out, 3, stride, padding=1)
            after = make_norm(norm, out, **options)
            layers += [conv, after, relu_after(after)]
            channels = out
        self.body = nn.Sequential(*layers)
        self.head = nn.Linear(channels, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        """Logits of a batch of images."""
        return self.head(self.body(x).mean((2, 3)))
