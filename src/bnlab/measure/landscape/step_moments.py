"""Means and variances inside of a net while a gradient step is applied bit by bit."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

from bnlab.arguments import checked
from bnlab.errors import check_number, unknown
from bnlab.measure.kit.axes import Trail, settled
from bnlab.measure.kit.coverage import (
    NOT_ASKED,
    NOT_CALLED,
    Coverage,
    Reason,
    covering,
    owns_matrix,
)
from bnlab.measure.kit.loss import Loss
from bnlab.measure.kit.watch import check_output
from bnlab.measure.landscape.probe import as_array, check_points, probing
from bnlab.norms.weight.eligible import weighted_layers
from bnlab.norms.weight.filters import LAYERS

if TYPE_CHECKING:
    from bnlab.draw.figure import Drawing

SHARES = tuple(np.linspace(0, 1, 11))
"""How much of a step is applied, unless told otherwise: nothing to all of it."""


@dataclass(frozen=True, eq=False)
class StepMoments(Coverage):
    """Mean and variance of every channel while a gradient step is applied bit by bit.

    Attributes:
        shares: how much of the step is applied, 0 to 1, (S,).
        lr: length of the whole step.
        layers: names of the layers whose outputs these are, (L,).
        mean: one array a layer, (S, C_l); inf where it is not finite.
        variance: likewise, biased.
        losses: of the same batch, (S,).
        mode: in which the net was: ``train``, ``eval``, or ``mixed``.
        channel_axis: on which axis of each layer's output the channels were taken to be.
        covered, left_out: modules with weights, see ``Coverage``.
    """

    shares: np.ndarray
    lr: float
    layers: tuple[str, ...]
    mean: tuple[np.ndarray, ...]
    variance: tuple[np.ndarray, ...]
    losses: np.ndarray
    mode: str
    channel_axis: tuple[int, ...] = ()

    @property
    def layer_variance(self) -> np.ndarray:
        """Variance averaged over the channels, (S, L)."""
        return np.stack([v.mean(1) for v in self.variance], 1)

    @property
    def layer_mean(self) -> np.ndarray:
        """Absolute mean averaged over the channels, (S, L)."""
        return np.stack([np.abs(m).mean(1) for m in self.mean], 1)

    def plot(self, name: str = "this net") -> Drawing:
        """Two heat maps: absolute mean and variance of each layer while the step is applied."""
        from bnlab.measure.landscape.heat_map_figure import step_moments

        return step_moments(self, name)


@checked
def measure_step_moments(
    net: nn.Module,
    loss: Loss,
    x: object,
    y: object,
    lr: float,
    shares: Sequence[float] = SHARES,
    layers: Sequence[str] | None = None,
    mode: str | None = None,
    channel_axis: int | None = None,
) -> StepMoments:
    r"""Channel means and variances at w - share * lr * grad L(w), for each share of the step.

    mean_c = mean over samples and positions of a layer's output, var_c its biased variance, both
    computed in float64 from the outputs. The net stays as it was.

    Source: Bjorck et al. 2018, arXiv 1806.02375, the heat map of channel means and variances
    during a diverging update, where 100 % is the whole step.

    Args:
        net: any module whose output ``loss`` takes.
        loss: from output and target to a tensor of shape ().
        x: inputs; several as a tuple, or by name as a dict.
        y: targets.
        lr: the learning rate, as a rule one that diverges.
        shares: how much of the step, (S,).
        layers: names of modules; None for all Linear and convolutional layers.
        mode: ``train`` (statistics of the batch) or ``eval``, for all parts of the net; None: each
            module in the mode that it has.
        channel_axis: of the layers' outputs, for all of them; None: 1 for convolutions, -1 for
            linear layers, others by the rule in ``bnlab.measure.kit.axes``.

    Raises:
        ValueError: as ``measure_landscape``; for unknown layers, or layers that do not run
            exactly once.
    """
    check_number("lr", lr, np.finfo(float).tiny)
    parts = check_points("shares", shares)
    chosen = _chosen(net, layers)
    rows, losses, axes = [], [], {}
    with probing(net, loss, mode) as probe:
        _, slopes, _ = probe.start(x, y)
        with _moments_of(net, chosen, channel_axis, axes) as found:
            for share in parts:
                probe.move((-share * lr, slopes))
                found.clear()
                losses.append(probe.loss(x, y))
                if layers is None:
                    ran = {name for name, _ in found}
                    chosen = {name: one for name, one in chosen.items() if name in ran} or chosen
                rows.append(_row(found, chosen))
    mean, variance = (
        tuple(_finite(torch.stack([row[layer][k] for row in rows])) for layer in range(len(chosen)))
        for k in range(2)
    )
    found = mean, variance, as_array(losses), probe.mode, tuple(axes[name] for name in chosen)
    coverage = covering(net, set(chosen), functools.partial(_why, layers))
    return StepMoments(parts, lr, tuple(chosen), *found, **coverage)


def _why(layers: Sequence[str] | None, _name: str, module: nn.Module) -> Reason:
    if layers is not None:
        return Reason(NOT_ASKED)
    if not owns_matrix(module):
        return Reason("it is no linear layer or convolution")
    if isinstance(module, LAYERS):
        return NOT_CALLED
    kind = type(module).__name__
    return Reason(f"a {kind} is no layer that is found by itself: name it in layers", told=True)


def _chosen(net: nn.Module, layers: Sequence[str] | None) -> dict[str, nn.Module]:
    known = dict(net.named_modules())
    names = list(weighted_layers(net)) if layers is None else list(layers)
    if not names:
        raise ValueError("there is no layer to look at: name some of the net's modules in layers.")
    for name in names:
        if name not in known:
            raise ValueError(unknown("layer", name, known))
    return {name: known[name] for name in names}


@contextlib.contextmanager
def _moments_of(
    net: nn.Module, layers: dict[str, nn.Module], channel_axis: int | None, axes: dict[str, int]
) -> Iterator[list[tuple[str, tuple[Tensor, Tensor]]]]:
    # Fills ``axes`` with that of each layer's channels.
    found: list[tuple[str, tuple[Tensor, Tensor]]] = []
    trail, begun = Trail(channel_axis), {}

    def look(name: str) -> Callable[..., None]:
        def leave(layer: nn.Module, _inputs: tuple, output: object) -> None:
            check_output(name, output)
            axis = trail.find(layer, output, begun[name])
            axes[name] = settled(axis, name, layer, output)
            found.append((name, _moments(output, axis)))

        return leave

    def enter(name: str) -> Callable[..., None]:
        return lambda _layer, _inputs: begun.update({name: len(trail.seen)})

    with contextlib.ExitStack() as stack:
        handles = trail.hooks(net, layers.values())
        for name, layer in layers.items():
            handles.append(layer.register_forward_pre_hook(enter(name)))
            handles.append(layer.register_forward_hook(look(name)))
        for handle in handles:
            stack.callback(handle.remove)
        yield found


def _moments(output: Tensor, axis: int) -> tuple[Tensor, Tensor]:
    values = output.detach().double().movedim(axis, 0).flatten(1)
    return values.mean(1), values.var(1, unbiased=False)


def _row(
    found: list[tuple[str, tuple[Tensor, Tensor]]], chosen: dict[str, nn.Module]
) -> list[tuple[Tensor, Tensor]]:
    names = [name for name, _ in found]
    for name in chosen:
        if names.count(name) != 1:
            raise ValueError(
                f"layer {name!r} ran {names.count(name)} times in one forward pass; choose layers "
                "that run once."
            )
    moments = dict(found)
    return [moments[name] for name in chosen]


def _finite(values: Tensor) -> np.ndarray:
    array = values.cpu().numpy()
    return np.where(np.isfinite(array), array, np.inf)
