"""One pass through a net, forward and backward, that records some of its layers."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.autograd.graph import GradientEdge, get_gradient_edge

from bnlab.measure.kit.arguments import check_mode, check_sizes
from bnlab.measure.kit.layers import WEIGHTED, Layers, channel_axis, choose
from bnlab.measure.kit.loss import Loss, finite_loss
from bnlab.measure.kit.untouched import untouched


@dataclass(eq=False)
class Call:
    """What one layer did in one forward pass.

    Attributes:
        name: the layer's name in the net; a second call in the same pass is called "name (2)".
        module: the layer; of a stage, the one that begins it.
        output: what came out, (N, C) or (N, C, ...), detached; channels last for linear layers.
        input: what went in, detached; None unless it was asked for.
        gradient: of the loss with respect to ``output``, of its shape; None without a loss.
    """

    name: str
    module: nn.Module
    output: Tensor
    input: Tensor | None = None
    gradient: Tensor | None = None

    @property
    def channel_axis(self) -> int:
        """Axis of the channels, or features, in ``output`` and ``input``."""
        return channel_axis(self.module)


def run(
    net: nn.Module,
    x: Tensor,
    layers: Layers = None,
    mode: str = "train",
    loss: Loss | None = None,
    y: Tensor | None = None,
    inputs: bool = False,
) -> list[Call]:
    """One forward pass, with a loss also backward to every layer; the net is as before afterwards.

    No gradient of a weight is computed. Frozen layers have a gradient at their output too.

    Args:
        net: any module.
        x: what it is called with.
        layers: a kind of module or several, or names of modules. By default the residual blocks, if
            there are any of this package, else the *stages*: a convolution or linear layer with all
            that follows it one by one and keeps the shape (normalizer, nonlinearity, dropout),
            except the stage that ends in the net's output.
        mode: ``train`` or ``eval``.
        loss: takes output and target; None: only forward.
        y: the target.
        inputs: keep what goes into the layers, too.

    Returns:
        The calls, in the order in which they end.

    Raises:
        ValueError: for an unknown mode or layer, a loss that is no finite scalar, layers that were
            not called or do not give one tensor.
    """
    check_mode(mode)
    chosen = choose(net, layers)
    if loss is not None:
        check_sizes(x, y)
    # What a later operation has overwritten in place must be copied; few nets have such a place.
    for copies in (False, True):
        watch = _Watch(net, chosen, loss is not None, inputs, copies)
        with untouched(net), watch.hooks(), torch.set_grad_enabled(loss is not None):
            net.train(mode == "train")
            output = net(x)
            if not watch.overwritten():
                watch.finish(output, loss, y)
                break
    return watch.calls


class _Watch:
    """Hooks that collect the calls. ``passed`` is what the net went on with after a call."""

    def __init__(
        self,
        net: nn.Module,
        chosen: dict[nn.Module, str] | None,
        gradients: bool,
        inputs: bool,
        copies: bool,
    ) -> None:
        self.net, self.chosen = net, chosen
        self.gradients, self.inputs, self.copies = gradients, inputs, copies
        self.calls: list[Call] = []
        self._edges: list[GradientEdge] = []
        self._passed: list[tuple[Tensor, int]] = []  # with its version: in-place writes move it
        self._held: list[tuple[Tensor, int]] = []
        self._entered: list[Tensor | None] = []  # inputs of the calls that have begun
        self._follows: int | None = None  # which call the running module continues

    @contextlib.contextmanager
    def hooks(self) -> Iterator[None]:
        handles = []
        for name, module in self.net.named_modules():
            if self.chosen is not None and module in self.chosen:
                handles.append(module.register_forward_pre_hook(self._enter))
                handles.append(module.register_forward_hook(self._leave(self.chosen[module])))
            elif self.chosen is None and isinstance(module, WEIGHTED):
                handles.append(module.register_forward_pre_hook(self._enter))
                handles.append(module.register_forward_hook(self._leave(name)))
            elif self.chosen is None and not any(module.children()):
                handles.append(module.register_forward_pre_hook(self._see))
                handles.append(module.register_forward_hook(self._continue))
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()

    def _enter(self, _module: nn.Module, inputs: tuple) -> None:
        entered = inputs[0] if self.inputs and inputs else None
        if entered is not None:
            entered = entered.detach().clone() if self.copies else entered.detach()
        self._entered.append(entered)

    def _leave(self, name: str) -> Callable:
        def leave(module: nn.Module, _inputs: tuple, output: object) -> Tensor | None:
            entered = self._entered.pop()
            _check_output(name, output)
            calls = sum(call.module is module for call in self.calls)
            label = f"{name} ({calls + 1})" if calls else name
            self.calls.append(Call(label, module, output, entered))
            if entered is not None:
                self._held.append((entered, entered._version))
            return self._record(len(self.calls) - 1, output)

        return leave

    def _see(self, _module: nn.Module, inputs: tuple) -> None:
        self._follows = None
        for k, (passed, version) in enumerate(self._passed):
            if inputs and inputs[0] is passed and passed._version == version:
                self._follows = k

    def _continue(self, _module: nn.Module, _inputs: tuple, output: object) -> Tensor | None:
        k, self._follows = self._follows, None
        if k is None or not isinstance(output, Tensor):
            return None
        if output.shape != self.calls[k].output.shape:
            return None
        return self._record(k, output)

    def _record(self, k: int, output: Tensor) -> Tensor | None:
        passed = output
        if self.gradients and not output.requires_grad:  # nothing before it can be trained
            passed = output.detach().requires_grad_().clone()  # a leaf must not be overwritten
        elif self.copies:
            passed = output.clone()
        edge = get_gradient_edge(passed) if self.gradients else None
        self.calls[k].output = output.detach()
        for row, item in ((self._edges, edge), (self._passed, (passed, passed._version))):
            row[k : k + 1] = [item]  # puts it in its place, or at the end
        return None if passed is output else passed

    def overwritten(self) -> bool:
        if self.copies:
            return False
        held = [*self._held, *self._passed]
        return any(tensor._version != version for tensor, version in held)

    def finish(self, output: object, loss: Loss | None, y: Tensor | None) -> None:
        """Leave out the net's own output, and compute the gradients."""
        if not self.calls:
            raise ValueError(
                "none of the layers was called by the net. Name modules that it calls, or a kind."
            )
        keep = list(range(len(self.calls)))
        if self.chosen is None and len(keep) > 1:
            keep = [k for k in keep if self._passed[k][0] is not output]
        self.calls = [self.calls[k] for k in keep]
        if loss is None:
            return
        value = finite_loss(loss(output, y), self.net)
        gradients = torch.autograd.grad(value, [self._edges[k] for k in keep], allow_unused=True)
        for call, gradient in zip(self.calls, gradients, strict=True):
            # A layer that the loss does not depend on has the gradient zero.
            call.gradient = torch.zeros_like(call.output) if gradient is None else gradient


def _check_output(name: str, output: object) -> None:
    if not isinstance(output, Tensor) or output.ndim < 2 or not output.is_floating_point():
        what = f"shape {tuple(output.shape)}" if isinstance(output, Tensor) else repr(type(output))
        raise ValueError(
            f"layer {name!r} must give one tensor of floating-point numbers, (N, C) or "
            f"(N, C, ...), got {what}. Name other layers."
        )
