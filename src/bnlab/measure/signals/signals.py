"""What flows through a net, layer by layer: activations forward, gradients backward."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

from bnlab.arguments import checked
from bnlab.measure.kit.coverage import Coverage
from bnlab.measure.kit.layers import Kinds, Layers
from bnlab.measure.kit.lengths import vector_norm
from bnlab.measure.kit.loss import Loss
from bnlab.measure.kit.passes import Call, observe
from bnlab.nets import Block
from bnlab.norms.base import HALF

if TYPE_CHECKING:
    from bnlab.draw.figure import Drawing


@dataclass(frozen=True, eq=False)
class Signals(Coverage):
    """Statistics of the output a of each of L layers, on one batch of N samples.

    With a[n, c, p]: sample n of N, channel or feature c of C, position p of P (P = 1 in an MLP).
    All are float64 arrays of shape (L,), from input to output.

    Attributes:
        names: of the layers.
        mean: over everything, mean_ncp a.
        variance: of a channel over samples and positions, mean_c var_np a, biased.
        channel_spread: variance of the channels' means over the variance of everything, 0 to 1;
            NaN where all values of a layer are equal.
        cosine: similarity of two samples, -1 to 1: the mean over all pairs of
            a_n . a_m / (|a_n| |a_m|), a_n a vector of C*P numbers from which no mean is subtracted;
            a vector of zeros counts as similar to none (0). Independent, symmetric features have
            1/pi = 0.318 after a ReLU, not 0.
        stable_rank: ||A||_F^2 / ||A||_2^2 of the matrix A with the rows a_n, 1 to N; NaN for zeros.
        unit_stable_rank: the same after each row is divided by its length.
        dead: share of the channels whose output is 0 for all samples, at all positions.
        gradient_norm: Frobenius norm of dL/da, in the unit of the loss over that of a; None where
            no loss was given.
        mode: in which the net was: ``train``, ``eval``, or ``mixed``.
        channel_axis: on which axis of each layer's output the channels were taken to be.
        covered, left_out: modules with weights, see ``Coverage``.
    """

    names: tuple[str, ...]
    mean: np.ndarray
    variance: np.ndarray
    channel_spread: np.ndarray
    cosine: np.ndarray
    stable_rank: np.ndarray
    unit_stable_rank: np.ndarray
    dead: np.ndarray
    gradient_norm: np.ndarray | None
    mode: str
    channel_axis: tuple[int, ...] = ()

    def plot(self, norm: str = "none") -> Drawing:
        """Variance, cosine similarity and gradient norm by layer.

        Args:
            norm: the normalizer whose colour and marker the curves have.
        """
        from bnlab.measure.signals.figures import draw_signals

        return draw_signals({norm: self})


@checked
def measure_signals(
    net: nn.Module,
    loss: Loss | None,
    x: object,
    y: object = None,
    layers: Layers = None,
    mode: str | None = None,
    channel_axis: int | None = None,
) -> Signals:
    """The signals in a net as it is now, from one pass forward and one backward.

    The net, torch's random state included, is as before afterwards.

    Source: Lubana, Dick and Tanaka 2021, arXiv 2106.05956, and its official code (variance, cosine,
    stable rank of unit rows, gradient norm; there the activations are taken after nonlinearity or
    block, the gradients at the convolutions' outputs: ``layers=nn.Conv2d``).

    Args:
        net: any module.
        loss: takes output and target, gives a scalar; None for the forward signals alone.
        x: a batch, (N, ...); several inputs as a tuple, or by name as a dict.
        y: its target.
        layers: kinds of modules or names of modules; by default the residual blocks of this
            package's nets; in other nets the *stages*: convolution or linear layer with normalizer
            and nonlinearity, as far as they follow each other one by one.
        mode: ``train`` (statistics of this batch), ``eval``, or None: each module in the mode that
            it has.
        channel_axis: of the layers' outputs, for all of them; None: 1 for convolutions and other
            normalizers than LayerNorm and RMSNorm of torch, -1 for linear layers and these; other
            modules by the number of channels, see ``bnlab.measure.kit.axes``.

    Raises:
        ValueError: for a single sample, layers that are not there, a loss that is no finite scalar,
            weights or outputs that are not finite, or an axis of the channels that is left open.

    Example:
        >>> from bnlab.nets import make_net
        >>> net = make_net("plain", (1, 8, 8), 10, depth=3, width=4, norm="batch")
        >>> signals = measure_signals(net, None, torch.ones(2, 1, 8, 8))
        >>> signals.names, signals.cosine.round(3).tolist()
        (('body.0', 'body.3', 'body.6'), [1.0, 1.0, 1.0])
    """
    if isinstance(x, Tensor):
        _check_several(x)
    seen = observe(net, x, layers, mode, loss, y, channel_axis=channel_axis)
    calls = seen.calls
    for call in calls:
        _check_several(call.output)
    rows = np.array([_statistics(call) for call in calls]).T
    backward = None
    if loss is not None:
        backward = np.array([vector_norm(call.gradient) for call in calls])
    return Signals(
        tuple(call.name for call in calls),
        *rows,
        backward,
        seen.mode,
        tuple(call.channel_axis for call in calls),
        **seen.coverage,
    )


def _check_several(batch: Tensor) -> None:
    if not batch.ndim or len(batch) < 2:
        raise ValueError("signals compare samples: give a batch of two or more.")


@checked
def block_variances(
    net: nn.Module,
    x: object,
    kind: Kinds = Block,
    mode: str | None = None,
    channel_axis: int | None = None,
) -> list[float]:
    """Variance of the output of each block: over samples and positions, averaged over channels.

    var_l = mean_c( var_{n,h,w}( a_l[n, c, h, w] ) ), biased. The net is as before afterwards.

    Args:
        net: any module that contains modules of ``kind``.
        x: its input, (N, C, H, W).
        kind: which modules are the blocks.
        mode: as in ``measure_signals``.
        channel_axis: as in ``measure_signals``.

    Returns:
        One number a block, from input to output.

    Raises:
        ValueError: if the net has no such module.
    """
    calls = observe(net, x, kind, mode, channel_axis=channel_axis).calls
    return [float(_moments(_by_channel(call))[1].mean()) for call in calls]


def _by_channel(call: Call) -> Tensor:
    # (C, N*P); numbers of 16 bits are too coarse for a mean.
    output = call.output.float() if call.output.dtype in HALF else call.output
    return output.movedim(call.channel_axis, 0).flatten(1)


def _moments(values: Tensor) -> tuple[Tensor, Tensor]:
    # Twice through the numbers, which is exact for a large mean and faster than torch.var.
    mean = values.mean(1, keepdim=True)
    return mean.squeeze(1), (values - mean).square_().mean(1)


def _statistics(call: Call) -> tuple[float, ...]:
    """The numbers of one layer, in the order of the fields of ``Signals``."""
    values = _by_channel(call)
    mean, var = (each.cpu().double() for each in _moments(values))
    if not (mean.isfinite().all() and var.isfinite().all()):
        raise ValueError(
            f"the output of layer {call.name!r} is not finite or too large for {values.dtype}. "
            "Look at the weights and at the batch, or use float64."
        )
    between, within = float(mean.var(unbiased=False)), float(var.mean())
    share = between / (between + within) if between + within else np.nan
    dead = float((values.abs().amax(1) == 0).double().mean())
    return float(mean.mean()), within, share, *_similarity(call.output), dead


def _similarity(output: Tensor) -> tuple[float, float, float]:
    """The cosine, stable_rank and unit_stable_rank of the samples as rows."""
    rows = output.flatten(1)
    rows = rows.float() if rows.dtype in HALF else rows
    largest = rows.abs().max()
    if largest == 0:
        return 0.0, np.nan, np.nan
    rows = rows / largest
    length = torch.linalg.vector_norm(rows, dim=1)
    unit = rows / length.clamp_min(torch.finfo(rows.dtype).tiny)[:, None]
    n, d = rows.shape
    if n <= d:
        gram = (unit @ unit.T).cpu().double()
        weights = length.cpu().double()
        grams = gram * weights[:, None] * weights, gram
    else:  # the smaller one of A A^T and A^T A has the same largest eigenvalue
        grams = tuple((m.T @ m).cpu().double() for m in (rows, unit))
    # The pairs sum to |sum of rows|^2 - N, which is in the sum of the Gram matrix.
    total = float(unit.sum(0).cpu().double().square().sum())
    cosine = (total - float(torch.trace(grams[1]))) / (n * (n - 1))
    ranks = [float(torch.trace(g) / torch.linalg.eigvalsh(g)[-1]) for g in grams]
    return cosine, *ranks
