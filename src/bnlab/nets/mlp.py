"""A multilayer perceptron with a normalizer in each hidden layer."""

from __future__ import annotations

import itertools
import math

from torch import Tensor, nn

from bnlab.arguments import checked, positive
from bnlab.nets.activation import relu_after
from bnlab.norms import make_norm


class MLP(nn.Module):
    """``depth`` times linear, normalizer, ReLU; then a linear layer to the classes.

    All nets have biases, also where a normalizer makes them redundant: so nets with different
    normalizers differ in nothing else. Normalizers that contain a nonlinearity have no ReLU.

    Args:
        image_shape: (C, H, W); the input is flattened.
        num_classes: number of outputs.
        depth: hidden layers.
        width: units in each of them.
        norm: a name for ``make_norm``.
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
        **options: object,
    ) -> None:
        super().__init__()
        positive(num_classes=num_classes, width=width)
        sizes = [math.prod(image_shape)] + [width] * depth
        layers: list[nn.Module] = [nn.Flatten()]
        for fan_in, fan_out in itertools.pairwise(sizes):
            after = make_norm(norm, fan_out, **options)
            layers += [nn.Linear(fan_in, fan_out), after, relu_after(after)]
        self.body = nn.Sequential(*layers)
        self.head = nn.Linear(sizes[-1], num_classes)

    def forward(self, x: Tensor) -> Tensor:
        """Logits of a batch of images."""
        return self.head(self.body(x))
