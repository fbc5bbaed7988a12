"""What optimizers do with a gradient, as functions of flat vectors; equal to ``torch.optim``.

An update knows nothing of the net: the vectors may have any length, and one program serves all.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from bnlab.runs.optimizers import check_optimizer

NOT_COMPILED = {"dampening": 0, "scalar_lr": 1}
"""Options of optimizers that only PyTorch has, and the values that change nothing."""


@dataclass(frozen=True)
class Update:
    """An optimizer as a function.

    Attributes:
        function: of params (P,), gradient (P,), the slots (P,), the powers () and the inputs (),
            gives new params, slots, (gradient with weight decay) and powers.
        slots: names of the vectors that it keeps; they start at 0.
        powers: names of the numbers that it keeps; they start at 1.
        inputs: names of its options, numbers that may change from step to step.
        decays_first: the gradient with weight decay is a result too, as it is used twice.
    """

    function: Callable[..., tuple[Tensor, ...]]
    slots: tuple[str, ...]
    powers: tuple[str, ...]
    inputs: tuple[str, ...]
    decays_first: bool = False

    @property
    def changes(self) -> tuple[str, ...]:
        """The vectors that ``function`` gives, in order; slots are numbered."""
        slots = tuple(f"slot{k}" for k in range(len(self.slots)))
        return ("params", *slots, *(("gradient",) if self.decays_first else ()))


def _sgd(p: Tensor, g: Tensor, lr: Tensor, weight_decay: Tensor) -> tuple[Tensor]:
    return (p - lr * (g + weight_decay * p),)


def _momentum(
    p: Tensor, g: Tensor, buffer: Tensor, lr: Tensor, weight_decay: Tensor, momentum: Tensor
) -> tuple[Tensor, Tensor]:
    # torch starts with buffer = g; from a buffer of 0 that is the same number.
    buffer = momentum * buffer + (g + weight_decay * p)
    return p - lr * buffer, buffer


def _nesterov(
    p: Tensor, g: Tensor, buffer: Tensor, lr: Tensor, weight_decay: Tensor, momentum: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    g = g + weight_decay * p
    buffer = momentum * buffer + g
    return p - lr * (g + momentum * buffer), buffer, g


def _adam(
    p: Tensor,
    g: Tensor,
    mean: Tensor,
    square: Tensor,
    power1: Tensor,
    power2: Tensor,
    lr: Tensor,
    weight_decay: Tensor,
    beta1: Tensor,
    beta2: Tensor,
    eps: Tensor,
) -> tuple[Tensor, ...]:
    g = g + weight_decay * p
    # 1 - beta in float64, as torch has it: in float32 it would lose three digits.
    mean = mean + (1 - beta1) * (g - mean)
    square = beta2 * square + (1 - beta2) * (g * g)
    power1, power2 = power1 * beta1, power2 * beta2
    size, root = lr / (1 - power1), (1 - power2).sqrt()
    p = p - size * (mean / (square.sqrt() / root + eps))
    return p, mean, square, g, power1, power2


UPDATES: dict[str, Update] = {
    "sgd": Update(_sgd, (), (), ("lr", "weight_decay")),
    "momentum": Update(_momentum, ("buffer",), (), ("lr", "weight_decay", "momentum")),
    "nesterov": Update(_nesterov, ("buffer",), (), ("lr", "weight_decay", "momentum"), True),
    "adam": Update(
        _adam,
        ("mean", "square"),
        ("power1", "power2"),
        ("lr", "weight_decay", "beta1", "beta2", "eps"),
        decays_first=True,
    ),
}


def update_of(name: str, lr: float, options: dict[str, object]) -> tuple[str, dict[str, float]]:
    """The key in ``UPDATES`` and the inputs for an optimizer as a Run names it.

    For LAWN they are those of its base, which takes the free steps.

    Raises:
        ValueError: for an unknown optimizer or option, or one that is not compiled (dampening).
    """
    check_optimizer(name, options)
    for option, usual in NOT_COMPILED.items():
        if options.get(option, usual) != usual:
            raise ValueError(
                f"{option} is not compiled: leave it out, or train with engine='torch'."
            )
    values = {"lr": lr, "weight_decay": options.get("weight_decay", 0.0)}
    if name.endswith("adam"):
        beta1, beta2 = options.get("betas", (0.9, 0.999))
        return "adam", {**values, "beta1": beta1, "beta2": beta2, "eps": options.get("eps", 1e-8)}
    momentum = options.get("momentum", 0.0)
    if not momentum:
        return "sgd", values
    return "nesterov" if options.get("nesterov") else "momentum", {**values, "momentum": momentum}


def example(update: Update, length: int) -> list[Tensor]:
    """Arguments for ``update.function``."""
    vectors = [torch.zeros(length) for _ in range(2 + len(update.slots))]
    numbers = len(update.powers) + len(update.inputs)
    return vectors + [torch.ones((), dtype=torch.float64) for _ in range(numbers)]
