"""Directions in the space of a net's weights, for slices through its loss."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from bnlab import random
from bnlab.arguments import checked
from bnlab.measure.kit.loss import Loss
from bnlab.measure.landscape.probe import probing, trained_parameters
from bnlab.norms.noise import normal
from bnlab.norms.weight.filters import LAYERS, from_filters, is_transposed, to_filters

Direction = Mapping[str, Tensor]
"""A tensor for each parameter that requires grad, by its name and of its shape."""


@checked
def random_direction(net: nn.Module, seed: int = 0) -> dict[str, Tensor]:
    """Independent standard normal numbers for every parameter that requires grad.

    They depend on the seed and the place of the parameter alone, on every machine. torch's own
    random state is not used.

    Raises:
        ValueError: if no parameter requires grad, or for a bad seed.
    """
    found = {}
    for k, (name, parameter) in enumerate(trained_parameters(net).items()):
        count = parameter.numel()
        uniform = random.uniform(seed, random.DIRECTIONS + k, count + count % 2)
        found[name] = normal(torch.from_numpy(uniform))[:count].reshape(parameter.shape)
        found[name] = found[name].to(parameter)
    return found


@checked
def gradient_direction(
    net: nn.Module, loss: Loss, x: object, y: object, mode: str | None = None
) -> dict[str, Tensor]:
    """The gradient of the loss on a batch, which points uphill; the net stays as it was.

    The arguments are those of ``measure_landscape``.

    Raises:
        ValueError: as ``measure_landscape``.
    """
    with probing(net, loss, mode) as probe:
        _, slopes, _ = probe.start(x, y)
        return dict(zip(probe.parameters, slopes, strict=True))


@checked
def filter_normalized(net: nn.Module, direction: Direction) -> dict[str, Tensor]:
    r"""Make each filter of ``direction`` as long as the net's own: d_f <- d_f / |d_f| * |w_f|.

    A filter is the weights of one output unit or channel (row of a matrix, kernel of a
    convolution). Parameters of fewer than two axes, biases and the weights of normalizers, get
    zero: they stay. So a step of 1 means as much for a net with large weights as for one with
    small ones, which matters for normalizers: they make the loss ignore the size of the weights
    before them. A filter of zeros stays too.

    Source: Li et al. 2018, arXiv 1712.09913, section 4; zeros for biases and normalizers as the
    official code's ``ignore='biasbn'``.

    Raises:
        ValueError: if the direction does not fit the net's parameters.
    """
    transposed = _transposed(net)
    found = {}
    for name, parameter in fitting(net, direction).items():
        along, weight = parameter
        if weight.ndim < 2:
            found[name] = torch.zeros_like(along)
            continue
        form = transposed.get(id(weight), (1, False))
        rows, own = to_filters(along, *form), to_filters(weight.detach(), *form)
        dims = tuple(range(1, rows.ndim))
        size = torch.linalg.vector_norm(rows, dim=dims, keepdim=True)
        wanted = torch.linalg.vector_norm(own, dim=dims, keepdim=True)
        scale = torch.where(size > 0, wanted / size, torch.zeros_like(size))
        found[name] = from_filters(rows * scale, *form)
    return found


def _transposed(net: nn.Module) -> dict[int, tuple[int, bool]]:
    # Weights of transposed convolutions, by identity: (groups, True).
    found = {}
    for layer in net.modules():
        if isinstance(layer, LAYERS) and is_transposed(layer):
            parts = [layer.weight]
            if parametrize.is_parametrized(layer, "weight"):
                parts = list(layer.parametrizations.weight.parameters(recurse=False))
            found.update({id(part): (layer.groups, True) for part in parts})
    return found


def fitting(net: nn.Module, direction: Direction) -> dict[str, tuple[Tensor, nn.Parameter]]:
    """Each entry of the direction beside the parameter that it belongs to.

    Raises:
        ValueError: for a missing or unknown name, another shape, or numbers that are not finite.
    """
    parameters = trained_parameters(net)
    if not isinstance(direction, Mapping) or set(direction) != set(parameters):
        raise ValueError(
            "a direction must be a dict with a tensor for each parameter that requires grad: "
            f"{', '.join(parameters)}. random_direction(net, seed) makes one."
        )
    for name, parameter in parameters.items():
        if direction[name].shape != parameter.shape:
            raise ValueError(
                f"the direction of {name!r} must have the parameter's shape "
                f"{tuple(parameter.shape)}, got {tuple(direction[name].shape)}."
            )
        if not bool(direction[name].isfinite().all()):
            raise ValueError(f"the direction of {name!r} holds numbers that are not finite.")
    return {name: (direction[name].detach().to(p), p) for name, p in parameters.items()}
