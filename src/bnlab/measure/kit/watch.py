"""Hooks that record what the layers of a net do in one forward pass."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.autograd.graph import GradientEdge, get_gradient_edge

from bnlab.arguments import require
from bnlab.measure.kit.axes import Trail, is_known, known_axis, settled
from bnlab.measure.kit.coverage import owns_matrix
from bnlab.measure.kit.inputs import tensors_in
from bnlab.measure.kit.layers import WEIGHTED
from bnlab.measure.kit.loss import Loss, finite_loss, loss_of
from bnlab.measure.kit.slopes import slopes_of


@dataclass(eq=False)
class Call:
    """What one layer did in one forward pass.

    Attributes:
        name: the layer's name in the net; a second call in the same pass is called "name (2)".
        module: the layer; of a stage, the one that begins it.
        output: what came out, (N, C) or (N, C, ...), detached; the channels may be on another axis.
        input: what went in, detached; None unless it was asked for.
        gradient: of the loss with respect to ``output``, of its shape; None without a loss.
        parts: names of the modules that it consists of; of a stage, all that are in it.
        axes: of the channels in ``output`` and ``input``; 0 where it is left open.
    """

    name: str
    module: nn.Module
    output: Tensor
    input: Tensor | None = None
    gradient: Tensor | None = None
    parts: list[str] = field(default_factory=list)
    axes: tuple[int, int] = (0, 0)

    @property
    def channel_axis(self) -> int:
        """Axis of the channels, or features, in ``output``."""
        return settled(self.axes[0], self.name, self.module, self.output)

    @property
    def input_axis(self) -> int:
        """Axis of the channels, or features, in ``input``."""
        return settled(self.axes[1], self.name, self.module, self.input)


class Watch:
    """Hooks that collect the calls. ``passed`` is what the net went on with after a call."""

    def __init__(
        self,
        net: nn.Module,
        chosen: dict[nn.Module, str] | None,
        gradients: bool,
        inputs: bool,
        copies: bool,
        channel_axis: int | None,
    ) -> None:
        self.net, self.chosen, self.trail = net, chosen, Trail(channel_axis)
        self.gradients, self.inputs, self.copies = gradients, inputs, copies
        self.calls: list[Call] = []
        self.last: set[str] = set()  # what gives the net's own output, and is left out therefore
        self.called: set[str] = set()
        self._done = False  # a checkpoint runs its part of the net again in the backward pass
        self._blind: list[bool] = []  # calls without a graph: no gradient could reach them
        self._edges: list[GradientEdge] = []
        self._passed: list[tuple[Tensor, int]] = []  # with its version: in-place writes move it
        self._held: list[tuple[Tensor, int]] = []
        self._entered: list[tuple[Tensor | None, int, int]] = []  # of the calls that have begun
        self._follows: int | None = None  # which call the running module continues

    @contextlib.contextmanager
    def hooks(self) -> Iterator[None]:
        """Watch the net's modules."""
        handles = self.trail.hooks(self.net, self.chosen or ())

        def watch(module: nn.Module, before: Callable, after: Callable) -> None:
            handles.append(module.register_forward_pre_hook(before, with_kwargs=True))
            handles.append(module.register_forward_hook(after))

        for name, module in self.net.named_modules():
            if self.chosen is not None and module in self.chosen:
                watch(module, self._enter, self._leave(self.chosen[module]))
            elif self.chosen is None and isinstance(module, WEIGHTED):
                watch(module, self._enter, self._leave(name))
            elif self.chosen is None and not any(module.children()) and not owns_matrix(module):
                watch(module, self._see, self._continue(name))
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()

    def _enter(self, module: nn.Module, args: tuple, named: dict) -> None:
        if self._done:
            return
        entered, axis, before = None, 0, len(self.trail.seen)
        if self.inputs:
            entered = next(tensors_in((args, named)), None)
        if entered is not None:
            entered = entered.detach().clone() if self.copies else entered.detach()
            axis = self.trail.find(module, entered, before)
        self._entered.append((entered, axis, before))

    def _leave(self, name: str) -> Callable:
        def leave(module: nn.Module, _inputs: tuple, output: object) -> Tensor | None:
            if self._done:
                return self._stand_in(output)
            entered, axis, before = self._entered.pop()
            check_output(name, output)
            self.called.add(name)
            calls = sum(call.module is module for call in self.calls)
            label = f"{name} ({calls + 1})" if calls else name
            axes = (self.trail.find(module, output, before), axis)
            self.calls.append(Call(label, module, output, entered, parts=[name], axes=axes))
            self._blind.append(not torch.is_grad_enabled())
            if entered is not None:
                self._held.append((entered, entered._version))
            return self._record(len(self.calls) - 1, output)

        return leave

    def _see(self, _module: nn.Module, args: tuple, named: dict) -> None:
        self._follows = None
        if self._done:
            return
        given = args[0] if args else next(iter(named.values()), None)
        for k, (passed, version) in enumerate(self._passed):
            if given is passed and passed._version == version:
                self._follows = k

    def _continue(self, name: str) -> Callable:
        def proceed(module: nn.Module, inputs: tuple, output: object) -> Tensor | None:
            k, self._follows = self._follows, None
            if k is None or not isinstance(output, Tensor):
                return None
            if output.shape != self.calls[k].output.shape:
                return None
            if moves_axes(module, next(tensors_in(inputs), output), output, self.calls[k].axes[0]):
                return None
            self.calls[k].parts.append(name)
            return self._record(k, output)

        return proceed

    def _record(self, k: int, output: Tensor) -> Tensor | None:
        passed = self._stand_in(output)
        passed = output if passed is None else passed
        edge = get_gradient_edge(passed) if self.gradients else None
        self.calls[k].output = output.detach()
        for row, item in ((self._edges, edge), (self._passed, (passed, passed._version))):
            row[k : k + 1] = [item]  # puts it in its place, or at the end
        return None if passed is output else passed

    def _stand_in(self, output: Tensor) -> Tensor | None:
        """What the net goes on with in place of an output; None for the output itself."""
        if self.gradients and not output.requires_grad:  # nothing before it can be trained
            with torch.enable_grad():  # a leaf must not be overwritten
                return output.detach().requires_grad_().clone()
        return output.clone() if self.copies else None

    def overwritten(self) -> bool:
        """Whether an operation has overwritten in place what was recorded."""
        if self.copies:
            return False
        held = [*self._held, *self._passed]
        return any(tensor._version != version for tensor, version in held)

    def finish(self, output: object, loss: Loss | None, y: object) -> None:
        """Leave out the net's own output, and compute the gradients."""
        self._done = True
        if not self.calls:
            raise ValueError(
                "none of the layers was called by the net. Name modules that it calls, or a kind."
            )
        keep = list(range(len(self.calls)))
        if self.chosen is None and len(keep) > 1:
            given = list(tensors_in(output))
            keep = [k for k in keep if not any(self._passed[k][0] is one for one in given)]
            dropped = set(range(len(self.calls))).difference(keep)
            self.last = {name for k in dropped for name in self.calls[k].parts}
        self.calls = [self.calls[k] for k in keep]
        if loss is None:
            return
        value = finite_loss(loss_of(loss, output, y), self.net)
        gradients = self._gradients(value, keep)
        for call, gradient in zip(self.calls, gradients, strict=True):
            call.gradient = gradient

    def _gradients(self, value: Tensor, keep: list[int]) -> list[Tensor]:
        found = slopes_of(value, [self._edges[k] for k in keep], materialize=False)
        for k, call, gradient in zip(keep, self.calls, found, strict=True):
            require(
                gradient is not None or not self._blind[k],
                f"layer {call.name!r} runs without a graph (under torch.no_grad, or in a reentrant "
                "checkpoint): no gradient reaches it. Let the net run it with gradients "
                "(use_reentrant=False), or name other layers.",
            )
        # A layer that the loss does not depend on has the gradient zero.
        pairs = zip(self.calls, found, strict=True)
        return [torch.zeros_like(c.output) if g is None else g for c, g in pairs]


def moves_axes(module: nn.Module, given: Tensor, output: Tensor, axis: int) -> bool:
    """Whether a module leaves the channels elsewhere than on ``axis``, though it keeps the shape.

    So does one that gives its input with its axes in another order, and one that normalizes the
    last axis after a layer with its channels on axis 1.
    """
    same = given.untyped_storage().data_ptr() == output.untyped_storage().data_ptr()
    if same and given.stride() != output.stride():
        return True
    return axis == 1 and output.ndim > 2 and is_known(module) and known_axis(module) == -1


def check_output(name: str, output: object) -> None:
    """Raise a ``ValueError`` unless what a layer gives is one tensor, samples first."""
    if not isinstance(output, Tensor) or output.ndim < 2 or not output.is_floating_point():
        what = f"shape {tuple(output.shape)}" if isinstance(output, Tensor) else repr(type(output))
        raise ValueError(
            f"layer {name!r} must give one tensor of floating-point numbers, (N, C) or "
            f"(N, C, ...), got {what}. Name other layers."
        )
