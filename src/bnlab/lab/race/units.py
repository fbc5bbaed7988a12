"""What the layers of a net in training hand on: mean and variance of a few units."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from bnlab.engines.compiled.watch import unit_metrics, watched
from bnlab.engines.eager import Trainer
from bnlab.train import Step


def with_units(trainer: Trainer, every: int) -> Iterator[tuple[Step, list[list[float]] | None]]:
    """Train; each record, and after every so many steps [mean, variance] of units of all layers.

    The units are the first ``UNITS`` channels of each nonlinearity's output, mean and biased
    variance are those over the last training batch, before its update: what ``net.layers()`` of
    the page's engine gives (``bnlab.engines.compiled.step.unit_metrics``).
    """
    outputs: dict[int, torch.Tensor] = {}

    def keep(number: int):
        def hook(_module: torch.nn.Module, _inputs: tuple, output: torch.Tensor) -> None:
            if torch.is_grad_enabled():  # not of an evaluation
                outputs[number] = output.detach()

        return hook

    modules = enumerate(watched(trainer.net))
    hooks = [module.register_forward_hook(keep(number)) for number, module in modules]
    try:
        for record in trainer.steps():
            is_due = record.step > 0 and record.step % every == 0 and not record.diverged
            yield record, rows(outputs) if is_due else None
    finally:
        for hook in hooks:
            hook.remove()


def rows(outputs: dict[int, torch.Tensor]) -> list[list[float]]:
    """[mean, variance] of the first units of each output, in the order of the layers."""
    numbers = [float(n) for k in sorted(outputs) for n in unit_metrics(outputs[k].double())]
    return [numbers[i : i + 2] for i in range(0, len(numbers), 2)]
