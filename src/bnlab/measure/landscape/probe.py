"""Loss and gradient of a net at other weights than its own, with the same noise at each of them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor, nn

from bnlab.measure.kit.arguments import check_mode, check_trainable, check_weights
from bnlab.measure.kit.forward_state import ForwardState
from bnlab.measure.kit.inputs import check_inputs, check_targets, forward
from bnlab.measure.kit.lengths import total_norm
from bnlab.measure.kit.loss import Loss, check_start, loss_of, scalar
from bnlab.measure.kit.measuring import measuring
from bnlab.measure.kit.slopes import slopes_of


class Probe:
    """Evaluates ``loss(net(x), y)`` where the weights are w + t * d, w being those of the start.

    Every evaluation starts from the same buffers and the same random state of torch, so that
    dropout masks, the noise of ``noisy_batch`` and running statistics are the same at every point:
    what differs is due to the weights. Made by ``probing``, which puts everything back.

    Args:
        net: in the mode in which it is to be probed.
        loss: takes output and target, gives a tensor of shape ().
        mode: the name of that mode.

    Attributes:
        parameters: those that require a gradient, by name.
        mode: in which the net is: ``train``, ``eval``, or ``mixed``.
    """

    def __init__(self, net: nn.Module, loss: Loss, mode: str) -> None:
        self.net, self._loss, self.mode = net, loss, mode
        self.parameters = trained_parameters(net)
        self._moving = list(self.parameters.values())
        self._start = [p.detach().clone() for p in self._moving]
        self._state = ForwardState(net)

    @torch.no_grad()
    def move(self, *terms: tuple[float, Sequence[Tensor]]) -> None:
        """Put the weights at w + t_1 d_1 + t_2 d_2 + ...; without terms, back at w."""
        torch._foreach_copy_(self._moving, self._start)
        for t, direction in terms:
            torch._foreach_add_(self._moving, list(direction), alpha=float(t))

    @torch.no_grad()
    def loss(self, x: object, y: object) -> Tensor:
        """The loss where the weights are now, shape ()."""
        return self._value(x, y)

    def gradient(self, x: object, y: object) -> tuple[Tensor, list[Tensor]]:
        """The loss where the weights are now, and its gradient to each of ``parameters``."""
        with torch.enable_grad():
            value = self._value(x, y)
            if not value.requires_grad:
                raise ValueError("the loss does not depend on any parameter that requires grad.")
            slopes = slopes_of(value, self._moving)
        return value.detach(), slopes

    def start(self, x: object, y: object) -> tuple[Tensor, list[Tensor], float]:
        """Loss, gradient and the gradient's length at w, from where a probe along it sets out.

        Raises:
            ValueError: if loss or gradient is not finite, or the gradient is zero.
        """
        self.move()
        value, slopes = self.gradient(x, y)
        check_start(value)
        size = float(total_norm(slopes))
        if not np.isfinite(size):
            raise ValueError("the gradient at the net's own weights is not finite.")
        if size == 0:
            raise ValueError(
                "the gradient at the net's own weights is zero: there is no direction to probe."
            )
        return value, slopes, size

    def _value(self, x: object, y: object) -> Tensor:
        if x is not None:  # a net may do without
            check_inputs(x)
        check_targets(y)
        self._state.restore()
        return scalar(loss_of(self._loss, forward(self.net, x), y))


@contextlib.contextmanager
def probing(net: nn.Module, loss: Loss, mode: str | None = "train") -> Iterator[Probe]:
    """A ``Probe`` of ``net`` in this mode; on leaving, the net is as it was, bit for bit.

    Raises:
        ValueError: for an unknown mode, weights that are not finite, or no parameter that requires
            a gradient; by the Probe, for a loss that is no scalar.
    """
    check_mode(mode)
    check_trainable(net)
    check_weights(net)
    with measuring(net, mode) as found:
        yield Probe(net, loss, found)


def trained_parameters(net: nn.Module) -> dict[str, nn.Parameter]:
    """The parameters that require a gradient, by name; a shared one once.

    Raises:
        ValueError: if there is none.
    """
    check_trainable(net)
    return {name: p for name, p in net.named_parameters() if p.requires_grad}


def check_steps(name: str, steps: object) -> np.ndarray:
    """Return ``steps`` as a float64 array, (S,), or raise unless all are positive and finite."""
    values = check_points(name, steps)
    if not (values > 0).all():
        raise ValueError(f"{name} must be positive, got {steps!r}.")
    return values


def check_points(name: str, points: object) -> np.ndarray:
    """Return ``points`` as a float64 array, (S,), or raise unless all are finite numbers."""
    try:
        values = np.array(points, dtype=np.float64)
    except (TypeError, ValueError):
        values = np.array(np.nan)
    if values.ndim != 1 or not values.size or not np.isfinite(values).all():
        raise ValueError(f"{name} must be a row of finite numbers, got {points!r}.")
    return values


def as_array(values: Sequence[Tensor]) -> np.ndarray:
    """Return scalars as float64, (S,); what is not finite, where the net has diverged, as inf."""
    found = torch.stack(list(values)).double().cpu().numpy()  # one transfer from a GPU
    return np.where(np.isfinite(found), found, np.inf)
