"""A multilayer perceptron with a normalizer in each hidden layer."""

from __future__ import annotations

import itertools
import math

from torch import Tensor, nn

from bnlab.arguments import checked, positive, require
from bnlab.errors import check_name
from bnlab.nets.activation import relu_after
from bnlab.nets.dropout import Dropout
from bnlab.norms import Normalizer, make_norm

ORDERS = ("norm_relu", "relu_norm")
DROPOUT_AT = ("before_norm", "after_layer", "before_head")


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
        order: ``norm_relu`` (linear, normalizer, ReLU) or ``relu_norm`` (linear, ReLU, normalizer).
        bias: False for hidden linear layers without a bias; the last layer keeps its own.
        dropout: share of the numbers that are left out in training mode, see ``Dropout``; 0 for
            none.
        dropout_at: where: in each hidden layer ``before_norm``, right before the normalizer, or
            ``after_layer``, behind normalizer and ReLU, as it is mostly done; or once
            ``before_head``, behind the last normalizer.
        frozen_statistics: the normalizers stay in evaluation mode when the net is trained: they use
            their running statistics, which do not move.
        **options: options of the normalizer.

    Shape:
        (N, C, H, W) -> logits (N, num_classes).

    Raises:
        ValueError: for an unknown ``order`` or ``dropout_at``, a ``dropout`` out of range, or an
            order of a normalizer that contains its nonlinearity.
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
        order: str = "norm_relu",
        bias: bool = True,
        dropout: float = 0.0,
        dropout_at: str = "before_norm",
        frozen_statistics: bool = False,
        **options: object,
    ) -> None:
        super().__init__()
        positive(num_classes=num_classes, width=width)
        check_name("order", order, ORDERS)
        check_name("dropout_at", dropout_at, DROPOUT_AT)
        for name, value in {"bias": bias, "frozen_statistics": frozen_statistics}.items():
            require(isinstance(value, bool), f"{name} must be True or False, got {value!r}.")
        self.frozen_statistics = frozen_statistics
        sizes = [math.prod(image_shape)] + [width] * depth
        layers: list[nn.Module] = [nn.Flatten()]
        for fan_in, fan_out in itertools.pairwise(sizes):
            after = make_norm(norm, fan_out, **options)
            hidden = _hidden(after, order, dropout if dropout_at == "before_norm" else 0.0)
            layers += [nn.Linear(fan_in, fan_out, bias=bias), *hidden]
            layers += _dropout(dropout if dropout_at == "after_layer" else 0.0)
        layers += _dropout(dropout if dropout_at == "before_head" else 0.0)
        self.body = nn.Sequential(*layers)
        self.head = nn.Linear(sizes[-1], num_classes)

    def train(self, mode: bool = True) -> MLP:
        """Training or evaluation mode; with ``frozen_statistics`` not of the normalizers."""
        super().train(mode)
        if self.frozen_statistics:
            for module in self.modules():
                if isinstance(module, Normalizer):
                    module.eval()
        return self

    def forward(self, x: Tensor) -> Tensor:
        """Logits of a batch of images."""
        return self.head(self.body(x))


def _hidden(norm: nn.Module, order: str, dropout: float) -> list[nn.Module]:
    # What follows a linear layer.
    relu, left_out = relu_after(norm), _dropout(dropout)
    if order == "norm_relu":
        return [*left_out, norm, relu]
    require(
        isinstance(relu, nn.ReLU),
        f"order='relu_norm' has no meaning for {type(norm).__name__}, which contains its "
        "nonlinearity: leave order out.",
    )
    return [relu, *left_out, norm]


def _dropout(p: float) -> list[nn.Module]:
    layer = Dropout(p)  # also for p = 0: it refuses what is out of range
    return [layer] if p else []
