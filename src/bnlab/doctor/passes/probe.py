"""What the normalizers of a model see in one forward pass in training mode."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.nn.modules.conv import _ConvNd

from bnlab.doctor.inputs import Batch
from bnlab.doctor.layers import Norm
from bnlab.doctor.passes.trace import Trace
from bnlab.norms.base import HALF

WEIGHTED = (_ConvNd, nn.Linear)
FEATURES_LAST = (nn.Linear, nn.Embedding, nn.MultiheadAttention, nn.RNNBase)


@dataclass(frozen=True, eq=False)
class Call:
    """What one normalizer took in one call.

    Attributes:
        norm: the normalizer.
        shape: of its input.
        values: how many numbers each channel has; those of which its statistics are made.
        mean, var: (C,), float64, of the batch's input; the variance is *unbiased*.
        noise: (C,), how far mean and standard deviation of another batch of as many samples would
            be from these, in standard deviations; estimated from the samples' own means.
        after: the name of the dropout before it, and its p; None if none was at work.
    """

    norm: Norm
    shape: tuple[int, ...]
    values: int
    mean: Tensor
    var: Tensor
    noise: Tensor
    after: tuple[str, float] | None = None


@dataclass(eq=False)
class Probe:
    """One forward pass.

    Attributes:
        calls: of normalizers with statistics of the batch, in order.
        alone: normalizers that got one value a channel, with the shape.
        direct: pairs of a layer and the normalizer that takes just the numbers that it gives.
        aligned: pairs of a layer and a normalizer whose input has the axes of the layer's output.
        shapes: of the inputs of all normalizers, in their first calls.
        zeros: normalizers of any kind that give the same for every input.
        trace: who takes what.
        output: what the model gave.
        failed: why the pass ended early; or empty.
    """

    calls: list[Call] = field(default_factory=list)
    alone: dict[str, tuple[int, ...]] = field(default_factory=dict)
    direct: list[tuple[str, str]] = field(default_factory=list)
    aligned: list[tuple[str, str]] = field(default_factory=list)
    shapes: dict[str, tuple[int, ...]] = field(default_factory=dict)
    zeros: list[str] = field(default_factory=list)
    trace: Trace = field(default_factory=Trace)
    output: object = None
    failed: str = ""

    @property
    def cut(self) -> tuple[str, ...]:
        """Layers with a weight of zeros past which no other path goes: their output is lost."""
        taken, mixed, joined = self.trace.taken, self.trace.mixed, self.trace.joined
        ends = [name for name in dict.fromkeys(self.zeros) if name not in joined]
        return tuple(name for name in ends if name in mixed or taken.get(name) == [])


def probe(model: nn.Module, norms: list[Norm], batch: Batch) -> Probe:
    """Run the model once, in the modes that it has now, and see what its normalizers take."""
    found = Probe()
    watch = _Watch(model, norms, found)
    with watch.hooks(), torch.no_grad(), found.trace:
        try:
            found.output = batch.call(model)
        except Exception as error:
            found.failed = f"{type(error).__name__}: {error}"
    return found


class _Watch:
    """The hooks of a probe."""

    def __init__(self, model: nn.Module, norms: list[Norm], found: Probe) -> None:
        self.model, self.found = model, found
        self.norms = {norm.module: norm for norm in norms}
        self.names = {module: name for name, module in model.named_modules()}
        self._stack: list[nn.Module] = []
        self._dropout: tuple[str, float] | None = None
        self._entered: list[tuple[Tensor | None, Call | None]] = []

    @contextlib.contextmanager
    def hooks(self) -> Iterator[None]:
        self.found.trace.on_dropout = self._drop
        handles = []
        for module in self.names:
            if isinstance(module, torch.jit.ScriptModule):
                continue
            handles.append(module.register_forward_pre_hook(self._enter, with_kwargs=True))
            handles.append(module.register_forward_hook(self._leave))
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()

    def _drop(self, p: float) -> None:
        self._dropout = (self.names[self._stack[-1]] if self._stack else "", p)

    def _enter(self, module: nn.Module, args: tuple, kwargs: dict) -> None:
        self._stack.append(module)
        x = _first(args, kwargs)
        norm = self.norms.get(module)
        trace = self.found.trace
        if norm is None:
            return
        if not trace.inside and x is not None:
            self.found.direct += [(source, norm.name) for source in trace.sources(x)]
            self.found.aligned += [(source, norm.name) for source in trace.axes_of(x)]
            trace.take(x, norm.name)
        if x is not None:
            self.found.shapes.setdefault(norm.name, tuple(x.shape))
        trace.inside += 1  # from here on: what the doctor computes is not followed either
        self._entered.append((x, None if x is None else self._look(norm, x)))

    def _look(self, norm: Norm, x: Tensor) -> Call | None:
        if not norm.of_batch or x.ndim < 2 or not x.numel() or not x.is_floating_point():
            return None
        call = _call(norm, x, self._dropout)
        if call.values == 1 and norm.from_batch:
            self.found.alone[norm.name] = call.shape
            norm.module.training = False  # with running statistics the pass can go on
        return call

    def _leave(self, module: nn.Module, _args: tuple, output: object) -> None:
        while self._stack and self._stack.pop() is not module:
            pass
        trace, norm = self.found.trace, self.norms.get(module)
        if norm is not None:
            x, call = self._entered.pop()
            constant = isinstance(output, Tensor) and _is_constant(norm, output)
            trace.inside -= 1
            if isinstance(output, Tensor):
                self._left(norm, x, call, output, constant)
        elif not trace.inside and isinstance(module, (*WEIGHTED, *FEATURES_LAST)):
            output = output[0] if isinstance(output, tuple) else output  # of a recurrent layer
            if isinstance(output, Tensor):
                trace.begin(self.names[module], output)

    def _left(
        self, norm: Norm, x: Tensor | None, call: Call | None, output: Tensor, constant: bool
    ) -> None:
        trace = self.found.trace
        if call is not None and call.values > 1:
            self.found.calls.append(call)
        if not trace.inside:
            trace.begin(norm.name, output)
            if x is not None:
                trace.go_through(x, output)
        if constant:
            self.found.zeros.append(norm.name)
            trace.lose(norm.name, output)


def _first(args: tuple, kwargs: dict) -> Tensor | None:
    return next((one for one in (*args, *kwargs.values()) if isinstance(one, Tensor)), None)


def _is_constant(norm: Norm, output: Tensor) -> bool:
    """Whether a weight of zeros makes each channel the same everywhere."""
    if norm.weight is None or bool(norm.weight.any()):
        return False
    rows = output.movedim(norm.axis, 0).flatten(1)
    return bool((rows == rows[:, :1]).all())


def _call(norm: Norm, x: Tensor, after: tuple[str, float] | None) -> Call:
    x = x.detach().movedim(norm.axis, 1)
    x = x.float() if x.dtype in HALF else x
    values = x.numel() // x.shape[1]
    if values == 1:
        nothing = torch.zeros(x.shape[1])
        return Call(norm, tuple(x.shape), 1, nothing, nothing, nothing, after)
    by_channel = (1, -1, *[1] * (x.ndim - 2))
    dims = [0, *range(2, x.ndim)]
    var, mean = torch.var_mean(x, dims)
    squares = (x - mean.view(by_channel)).square()
    noise = _noise(_by_sample(x), _by_sample(squares), var, norm.eps)
    return Call(
        norm, tuple(x.shape), values, *(t.double().cpu() for t in (mean, var, noise)), after=after
    )


def _by_sample(x: Tensor) -> Tensor:
    return x.flatten(2).mean(2) if x.ndim > 2 else x


def _noise(means: Tensor, squares: Tensor, var: Tensor, eps: float) -> Tensor:
    """The larger of the standard errors of mean and standard deviation, over that deviation."""
    if len(means) == 1:
        return torch.full_like(var, torch.inf)
    of_mean = means.var(0).div(len(means)).sqrt() / (var + eps).sqrt()
    of_deviation = squares.var(0).div(len(means)).sqrt() / (2 * (var + eps))
    return torch.maximum(of_mean, of_deviation)
