"""One pass through a net, forward and backward, that records some of its layers."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import torch
from torch import nn

from bnlab.measure.kit.arguments import check_sizes
from bnlab.measure.kit.coverage import NOT_ASKED, NOT_CALLED, Reason, covering, owns_matrix
from bnlab.measure.kit.inputs import forward
from bnlab.measure.kit.layers import WEIGHTED, Layers, choose
from bnlab.measure.kit.loss import Loss
from bnlab.measure.kit.measuring import measuring
from bnlab.measure.kit.watch import Call, Watch

__all__ = ["Call", "Pass", "observe", "run"]

OWN_OUTPUT = Reason("it gives the net's own output")
NO_MATRIX = Reason("it has no matrix or kernel, and follows none that is looked at")
NO_BLOCK = Reason("it lies outside of the residual blocks")


@dataclass(frozen=True, eq=False)
class Pass:
    """What was recorded of one pass.

    Attributes:
        calls: in the order in which they end.
        mode: in which the net was: ``train``, ``eval`` or ``mixed``.
        coverage: the fields of ``Coverage``.
    """

    calls: list[Call]
    mode: str
    coverage: dict[str, object]


def run(
    net: nn.Module,
    x: object,
    layers: Layers = None,
    mode: str | None = "train",
    loss: Loss | None = None,
    y: object = None,
    inputs: bool = False,
) -> list[Call]:
    """The calls of ``observe``."""
    return observe(net, x, layers, mode, loss, y, inputs).calls


def observe(
    net: nn.Module,
    x: object,
    layers: Layers = None,
    mode: str | None = "train",
    loss: Loss | None = None,
    y: object = None,
    inputs: bool = False,
    channel_axis: int | None = None,
    asked: bool | None = None,
) -> Pass:
    """One forward pass, with a loss also backward to every layer; the net is as before afterwards.

    No gradient of a weight is computed. Frozen layers have a gradient at their output too.

    Args:
        net: any module.
        x: what it is called with, see ``bnlab.measure.kit.inputs``.
        layers: a kind of module or several, or names of modules. By default the residual blocks, if
            there are any of this package, else the *stages*: a convolution or linear layer with all
            that follows it one by one and keeps the shape (normalizer, nonlinearity, dropout),
            except the stage that ends in the net's output.
        mode: ``train``, ``eval``, or None for the mode that each module has.
        loss: takes output and target; None: only forward.
        y: the target.
        inputs: keep what goes into the layers, too.
        channel_axis: of all layers; None: by the rule of ``bnlab.measure.kit.axes``.
        asked: whether the user has chosen these layers; None: if there are any.

    Returns:
        The calls, in the order in which they end, and what was covered.

    Raises:
        ValueError: for an unknown mode or layer, a loss that is no finite scalar, layers that were
            not called or do not give one tensor.
    """
    chosen = choose(net, layers)
    check_sizes(x, y)
    # What a later operation has overwritten in place must be copied; few nets have such a place.
    for copies in (False, True):
        watch = Watch(net, chosen, loss is not None, inputs, copies, channel_axis)
        with (
            measuring(net, mode) as found_mode,
            watch.hooks(),
            torch.set_grad_enabled(loss is not None),
        ):
            output = forward(net, x)
            if not watch.overwritten():
                watch.finish(output, loss, y)
                break
    asked = layers is not None if asked is None else asked
    looked_at = {part for call in watch.calls for part in call.parts}
    why = functools.partial(_why, watch, asked)
    return Pass(watch.calls, found_mode, covering(net, looked_at, why))


def _why(watch: Watch, asked: bool, name: str, module: nn.Module) -> Reason:
    """Why a module with weights was not looked at."""
    if asked:
        return Reason(NOT_ASKED)
    if name in watch.last:
        return OWN_OUTPUT
    if isinstance(module, WEIGHTED) and name not in watch.called:
        idle = watch.chosen is None or module in watch.chosen
        return NOT_CALLED if idle else NO_BLOCK
    if not owns_matrix(module):
        return NO_MATRIX
    kind = type(module).__name__
    return Reason(f"a {kind} is no layer that is found by itself: name it in layers", told=True)
