"""What a gradient program tells of the layers beside the gradient."""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Callable, Iterable, Iterator, Sequence

import torch
from torch import Tensor, nn

from bnlab.nets import Block
from bnlab.nets.binarize import RSign


def watched(net: nn.Module) -> list[nn.Module]:
    """The modules that the metrics describe: signs, else blocks, else the nonlinearities."""
    for kind in (RSign, Block):
        if found := [module for module in net.modules() if isinstance(module, kind)]:
            return found
    return [module for module in net.modules() if _is_nonlinearity(module)]


def _is_nonlinearity(module: nn.Module) -> bool:
    return isinstance(module, nn.ReLU) or getattr(module, "activates", False) is True


def seen(module: nn.Module, x: Tensor, output: Tensor) -> Tensor:
    """What the metrics describe of a module: its output, or what a sign is taken of."""
    return x + module.bias.reshape(-1, 1, 1) if isinstance(module, RSign) else output


@contextlib.contextmanager
def outputs_of(net: nn.Module) -> Iterator[list[Tensor]]:
    """What the metrics describe, layer by layer, of each forward pass inside the block."""
    outputs: list[Tensor] = []

    def hook(module: nn.Module, inputs: tuple, output: Tensor) -> None:
        outputs.append(seen(module, *inputs, output))

    hooks = [module.register_forward_hook(hook) for module in watched(net)]
    try:
        yield outputs
    finally:
        for hook in hooks:
            hook.remove()


def layer_metrics(output: Tensor) -> list[Tensor]:
    """mean, variance and dead units of a layer, as ``bnlab.measure.measure_signals`` has them.

    mean_ncp a; mean_c var_np a (biased); the share of channels that are 0 for all samples.
    """
    dims = (0, *range(2, output.ndim))
    mean = output.mean(dims, keepdim=True)
    centred = output - mean
    count = output.numel() // output.shape[1]
    variance = (centred * centred).sum(dims) / count
    dead = (output.abs().amax(dims) == 0).to(output.dtype)
    return [mean.mean(), variance.mean(), dead.mean()]


UNITS = 4
"""Channels of a layer that ``unit_metrics`` describes, the first ones."""


def unit_metrics(output: Tensor) -> list[Tensor]:
    """Mean and variance (biased) over all else of each of the first ``UNITS`` channels."""
    some = output[:, :UNITS]
    dims = (0, *range(2, output.ndim))
    mean = some.mean(dims, keepdim=True)
    centred = some - mean
    variance = (centred * centred).mean(dims)
    pairs = zip(mean.flatten().unbind(), variance.unbind(), strict=True)
    return [number for pair in pairs for number in pair]


LOOKED_AT = 3
"""Images of a batch whose signs ``sign_metrics`` gives, the first ones."""


def sign_metrics(before: Tensor) -> list[Tensor]:
    """Share of the numbers between -1 and 1, and of the first images 1 where a sign is plus.

    Between -1 and 1 the estimator of a sign's gradient is not zero.
    """
    inside = (before.abs() < 1).to(before.dtype).mean()
    return [inside.reshape(1), (before[:LOOKED_AT] >= 0).to(before.dtype).reshape(-1)]


WATCHES: dict[str, tuple[Callable[[Tensor], list[Tensor]], int]] = {
    "layers": (layer_metrics, 3),
    "units": (unit_metrics, 2 * UNITS),
}
"""What a gradient program tells of each layer beside the gradient, and how many numbers.

Of a binary net it tells the ``sign_metrics``, whatever the watch."""


def is_binary(net: nn.Module) -> bool:
    """Whether there are signs to watch."""
    return any(isinstance(module, RSign) for module in net.modules())


def metrics_of(net: nn.Module, watch: str, outputs: Iterable[Tensor]) -> Tensor:
    """All numbers of some outputs of the modules that are watched."""
    of, join = (sign_metrics, torch.cat) if is_binary(net) else (WATCHES[watch][0], torch.stack)
    return join([number for output in outputs for number in of(output)])


@torch.no_grad()
def count_of_metrics(net: nn.Module, image_shape: Sequence[int], watch: str = "layers") -> int:
    """How many numbers ``metrics_of`` a net has."""
    if not is_binary(net):
        return WATCHES[watch][1] * len(watched(net))
    other = copy.deepcopy(net).eval()  # the signs of a layer are as many as it has
    with outputs_of(other) as outputs:
        other(torch.zeros(LOOKED_AT, *image_shape, dtype=next(net.parameters()).dtype))
    return metrics_of(other, watch, outputs).numel()
