"""How the distribution of what goes into a layer moves while a net is trained."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn

from bnlab.arguments import checked
from bnlab.measure.kit.coverage import Coverage
from bnlab.measure.kit.layers import WEIGHTED, Layers
from bnlab.measure.kit.passes import Call, observe
from bnlab.norms.base import HALF

if TYPE_CHECKING:
    from bnlab.draw.figure import Drawing

MOST = 1024
"""Values of a unit that are kept for the distance, evenly chosen from all."""


@dataclass(frozen=True, eq=False)
class Inputs(Coverage):
    """The distribution of what went into each of L layers, at one moment.

    A unit is a channel or feature; its values are those of all samples and positions.

    Attributes:
        names: of the layers.
        mean: of each unit, L arrays (units,).
        variance: of each unit, biased, L arrays (units,).
        quantiles: values of each unit in ascending order, L arrays (units, at most ``MOST``).
        mode: in which the net was: ``train``, ``eval``, or ``mixed``.
        channel_axis: on which axis of each layer's input the units were taken to be.
        covered, left_out: modules with weights, see ``Coverage``.
    """

    names: tuple[str, ...]
    mean: tuple[np.ndarray, ...]
    variance: tuple[np.ndarray, ...]
    quantiles: tuple[np.ndarray, ...]
    mode: str
    channel_axis: tuple[int, ...] = ()

    @property
    def finite(self) -> bool:
        """Whether all means and variances are."""
        return all(np.isfinite(each).all() for each in (*self.mean, *self.variance))


@dataclass(frozen=True, eq=False)
class InputShift(Coverage):
    """How far the inputs of each of L layers moved between two moments: means over their units.

    Attributes:
        names: of the layers.
        mean_change: of |mean after - mean before|, (L,), in the unit of the input.
        variance_change: of |variance after - variance before|, (L,), in that unit squared.
        wasserstein: of the Wasserstein-1 distance between the unit's values before and after, (L,),
            in the unit of the input: how far a value has to move on average.
        relative: ``wasserstein`` over the typical deviation before, the root of the mean variance
            of the units, (L,); NaN if all units were constant. It compares nets whose inputs differ
            in scale. (A mean of the units' own ratios would be ruled by those that hardly vary.)
        covered, left_out: modules with weights, see ``Coverage``.
    """

    names: tuple[str, ...]
    mean_change: np.ndarray
    variance_change: np.ndarray
    wasserstein: np.ndarray
    relative: np.ndarray

    def plot(self, norm: str = "none") -> Drawing:
        """Relative distance by layer.

        Args:
            norm: the normalizer whose colour and marker the curve has.
        """
        from bnlab.measure.shift.figures import draw_input_shift

        return draw_input_shift({norm: self})


@checked
def layer_inputs(
    net: nn.Module,
    x: object,
    layers: Layers = None,
    mode: str | None = None,
    channel_axis: int | None = None,
) -> Inputs:
    """What goes into the layers of a net as it is now; the net is as before afterwards.

    Args:
        net: any module.
        x: a batch, (N, ...); the same one at all moments. Several inputs as a tuple, or by name as
            a dict.
        layers: kinds or names of modules; by default all convolutions and linear layers.
        mode: ``train``, ``eval``, or None: each module in the mode that it has.
        channel_axis: of the layers' inputs, for all of them; None: by the rule in
            ``bnlab.measure.kit.axes``.

    Raises:
        ValueError: for layers that are not there, or weights or inputs that are not finite.
    """
    found = look(net, x, layers, mode, channel_axis)
    if not found.finite:
        raise ValueError(
            "what goes into the layers is not finite: this net has diverged, or x is not finite. "
            "Look at an earlier moment."
        )
    return found


def look(
    net: nn.Module, x: object, layers: Layers, mode: str | None, channel_axis: int | None = None
) -> Inputs:
    """Do as ``layer_inputs``; here the inputs may be infinite or NaN."""
    seen = observe(
        net,
        x,
        WEIGHTED if layers is None else layers,
        mode,
        inputs=True,
        channel_axis=channel_axis,
        asked=layers is not None,
    )
    calls = seen.calls
    rows = [_distribution(call) for call in calls]
    return Inputs(
        tuple(call.name for call in calls),
        *zip(*rows, strict=True),
        seen.mode,
        tuple(call.input_axis for call in calls),
        **seen.coverage,
    )


def _distribution(call: Call) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean, variance and ordered values of each unit."""
    if call.input is None or call.input.ndim < 2 or not call.input.is_floating_point():
        raise ValueError(
            f"what goes into layer {call.name!r} is no batch of floating-point numbers: name "
            "other layers."
        )
    entered = call.input.float() if call.input.dtype in HALF else call.input
    values = entered.movedim(call.input_axis, 0).flatten(1)
    mean = values.mean(1, keepdim=True)
    variance = (values - mean).square_().mean(1)
    count = values.shape[1]
    if count > MOST:
        chosen = torch.arange(MOST, device=values.device) * count // MOST
        values = values[:, chosen]
    arrays = (mean.squeeze(1), variance, values.sort(1).values)
    return tuple(each.cpu().double().numpy() for each in arrays)


@checked
def measure_input_shift(before: Inputs, after: Inputs) -> InputShift:
    r"""Distance of the inputs of each layer at two moments, each from ``layer_inputs``.

    Between two sets of m values in ascending order, u_1 ... u_m and v_1 ... v_m, the Wasserstein-1
    distance is (1/m) sum_k |u_k - v_k|.

    Source: the changes of mean and variance are what Ioffe and Szegedy 2015 (arXiv 1502.03167) and
    Santurkar et al. 2018 (arXiv 1805.11604, section 2.2) mean by covariate shift of a layer's
    inputs; the distance is ours. (Santurkar's gradients: ``measure_covariate_shift``.)

    Raises:
        ValueError: if the two are not of the same layers and a batch of the same size.
    """
    shapes = [[q.shape for q in moment.quantiles] for moment in (before, after)]
    if before.names != after.names or shapes[0] != shapes[1]:
        raise ValueError(
            "the two moments must show the same layers of a net on a batch of the same size."
        )
    rows = [_layer_shift(before, after, k) for k in range(len(before.names))]
    covered = {"covered": after.covered, "left_out": after.left_out}
    return InputShift(before.names, *np.array(rows).T, **covered)


def _layer_shift(before: Inputs, after: Inputs, k: int) -> tuple[float, float, float, float]:
    distance = np.abs(after.quantiles[k] - before.quantiles[k]).mean(1)
    typical = np.sqrt(before.variance[k].mean())
    relative = distance.mean() / typical if typical > 0 else np.nan
    return (
        np.abs(after.mean[k] - before.mean[k]).mean(),
        np.abs(after.variance[k] - before.variance[k]).mean(),
        distance.mean(),
        relative,
    )
