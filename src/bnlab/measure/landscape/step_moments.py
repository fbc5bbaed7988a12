"""Means and variances inside of a net while a gradient step is applied bit by bit."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

from bnlab.arguments import checked
from bnlab.errors import check_number, unknown
from bnlab.measure.kit.loss import Loss
from bnlab.measure.landscape.probe import as_array, check_points, probing
from bnlab.norms.weight.eligible import weighted_layers

if TYPE_CHECKING:
    from bnlab.draw.figure import Drawing

SHARES = tuple(np.linspace(0, 1, 11))
"""How much of a step is applied, unless told otherwise: nothing to all of it."""


@dataclass(frozen=True, eq=False)
class StepMoments:
    """Mean and variance of every channel while a gradient step is applied bit by bit.

    Attributes:
        shares: how much of the step is applied, 0 to 1, (S,).
        lr: length of the whole step.
        layers: names of the layers whose outputs these are, (L,).
        mean: one array a layer, (S, C_l); inf where it is not finite.
        variance: likewise, biased.
        losses: of the same batch, (S,).
        mode: in which the net was, ``train`` or ``eval``.
    """

    shares: np.ndarray
    lr: float
    layers: tuple[str, ...]
    mean: tuple[np.ndarray, ...]
    variance: tuple[np.ndarray, ...]
    losses: np.ndarray
    mode: str

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
    x: Tensor,
    y: Tensor,
    lr: float,
    shares: Sequence[float] = SHARES,
    layers: Sequence[str] | None = None,
    mode: str = "train",
) -> StepMoments:
    r"""Channel means and variances at w - share * lr * grad L(w), for each share of the step.

    mean_c = mean over samples and positions of a layer's output, var_c its biased variance, both
    computed in float64 from the outputs. The net stays as it was.

    Source: Bjorck et al. 2018, arXiv 1806.02375, the heat map of channel means and variances
    during a diverging update, where 100 % is the whole step.

    Args:
        net: any module whose output ``loss`` takes.
        loss: from output and target to a tensor of shape ().
        x: inputs.
        y: targets.
        lr: the learning rate, as a rule one that diverges.
        shares: how much of the step, (S,).
        layers: names of modules; None for all Linear and convolutional layers.
        mode: ``train`` (statistics of the batch) or ``eval``; for all parts of the net.

    Raises:
        ValueError: as ``measure_landscape``; for unknown layers, or layers that do not run
            exactly once.
    """
    check_number("lr", lr, np.finfo(float).tiny)
    parts = check_points("shares", shares)
    chosen = _chosen(net, layers)
    rows, losses = [], []
    with probing(net, loss, mode) as probe:
        _, slopes, _ = probe.start(x, y)
        with _moments_of(chosen) as found:
            for share in parts:
                probe.move((-share * lr, slopes))
                found.clear()
                losses.append(probe.loss(x, y))
                rows.append(_row(found, chosen))
    mean, variance = (
        tuple(_finite(torch.stack([row[layer][k] for row in rows])) for layer in range(len(chosen)))
        for k in range(2)
    )
    return StepMoments(parts, lr, tuple(chosen), mean, variance, as_array(losses), mode)


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
    layers: dict[str, nn.Module],
) -> Iterator[list[tuple[str, tuple[Tensor, Tensor]]]]:
    found: list[tuple[str, tuple[Tensor, Tensor]]] = []

    def look(name: str) -> Callable[..., None]:
        return lambda layer, _, output: found.append((name, _moments(layer, output)))

    with contextlib.ExitStack() as stack:
        for name, layer in layers.items():
            stack.callback(layer.register_forward_hook(look(name)).remove)
        yield found


def _moments(layer: nn.Module, output: Tensor) -> tuple[Tensor, Tensor]:
    axis = output.ndim - 1 if isinstance(layer, nn.Linear) else 1
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
