"""One training step as a pure function of tensors, ready to be traced.

A step has two parts, so that n nets and m optimizers need n + m programs and not n * m:

- ``gradient_step``: forward pass, loss, backward pass, running statistics, metrics;
- ``bnlab.engines.compiled.update``: what the optimizer does with the gradient.

All parameters of a net are one vector, in the order of ``named_parameters()``, and so are its
buffers: one loop updates them all.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.func import functional_call, grad

from bnlab.engines.compiled.watch import WATCHES, metrics_of, outputs_of
from bnlab.errors import check_name
from bnlab.norms import BatchRenorm, NoisyBatchNorm
from bnlab.norms.renew import assigned

INPUTS = {
    "batch_renorm": ("r_max", "d_max"),
    "noisy_batch": ("n_mu", "n_sigma", "r_mu", "r_sigma"),
}
"""Options of normalizers that are inputs of a program: they may change from step to step."""

_OWNERS = {BatchRenorm: "batch_renorm", NoisyBatchNorm: "noisy_batch"}


def cross_entropy(logits: Tensor, y: Tensor) -> Tensor:
    """Mean cross-entropy of the softmax (nats), as ``torch.nn.functional.cross_entropy``."""
    # where, not a product with a one-hot matrix: 0 * -inf would be NaN where torch's is finite.
    chosen = torch.where(_is_label(logits, y), torch.log_softmax(logits, 1), 0.0)
    return -chosen.sum() / y.shape[0]  # len(y) would fix the size while tracing


def squared_error(logits: Tensor, y: Tensor) -> Tensor:
    """Mean over samples and classes of (logit - one-hot label)^2, as ``mse_loss``."""
    error = logits - _is_label(logits, y).to(logits.dtype)
    return (error * error).sum() / logits.numel()


LOSSES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "cross_entropy": cross_entropy,
    "squared_error": squared_error,
}


def _is_label(logits: Tensor, y: Tensor) -> Tensor:
    return y[:, None] == torch.arange(logits.shape[1], device=y.device)


def accuracy(logits: Tensor, y: Tensor) -> Tensor:
    """Share of the samples whose largest logit is the label's."""
    return (logits.argmax(1) == y).to(logits.dtype).mean()


@dataclass(frozen=True)
class Packing:
    """How named tensors lie in one vector: ``names``, ``shapes`` and a common element type."""

    names: tuple[str, ...]
    shapes: tuple[tuple[int, ...], ...]
    dtypes: tuple[torch.dtype, ...]

    @classmethod
    def of(cls, tensors: dict[str, Tensor]) -> Packing:
        """The packing of these tensors, in their order."""
        values = tensors.values()
        shapes, dtypes = (tuple(v.shape) for v in values), (v.dtype for v in values)
        return cls(tuple(tensors), tuple(shapes), tuple(dtypes))

    @property
    def sizes(self) -> list[int]:
        """Elements of each tensor."""
        return [math.prod(shape) for shape in self.shapes]

    def unpack(self, vector: Tensor) -> dict[str, Tensor]:
        """The named tensors of a vector."""
        parts = vector.split(self.sizes) if self.names else ()
        rows = zip(self.names, parts, self.shapes, self.dtypes, strict=True)
        real = vector.is_floating_point()
        return {n: part.reshape(s) if real else part.reshape(s).to(d) for n, part, s, d in rows}

    def pack(self, tensors: dict[str, Tensor], like: Tensor) -> Tensor:
        """One vector of the type of ``like``."""
        parts = [tensors[name].reshape(-1).to(like.dtype) for name in self.names]
        return torch.cat(parts) if parts else like


@dataclass(frozen=True)
class State:
    """The packing of a net: parameters, real buffers (statistics) and whole ones (counters)."""

    params: Packing
    buffers: Packing
    counters: Packing

    @classmethod
    def of(cls, net: nn.Module) -> State:
        """The packing of the parameters and buffers of a net."""
        buffers = dict(net.named_buffers())
        real = {name: b for name, b in buffers.items() if b.is_floating_point()}
        whole = {name: b for name, b in buffers.items() if name not in real}
        parts = (dict(net.named_parameters()), real, whole)
        return cls(*(Packing.of({n: t.detach() for n, t in part.items()}) for part in parts))

    def vectors(self, net: nn.Module) -> tuple[Tensor, Tensor, Tensor]:
        """Parameters, buffers and counters of ``net`` as three vectors; copies."""
        tensors = {**dict(net.named_parameters()), **dict(net.named_buffers())}
        tensors = {name: tensor.detach() for name, tensor in tensors.items()}
        real = next(net.parameters()).detach().new_zeros(0)
        whole = torch.zeros(0, dtype=torch.int32)
        likes = ((self.params, real), (self.buffers, real), (self.counters, whole))
        return tuple(packing.pack(tensors, like).clone() for packing, like in likes)


def inputs_of(net: nn.Module) -> dict[str, float]:
    """The run-time inputs of a net and their present values, apart from those of the optimizer."""
    for module in net.modules():
        for kind, norm in _OWNERS.items():
            if isinstance(module, kind):
                return {name: float(getattr(module, name)) for name in INPUTS[norm]}
    return {}


@contextlib.contextmanager
def with_inputs(net: nn.Module, values: dict[str, Tensor]) -> Iterator[None]:
    """Let the normalizers of ``net`` read ``values`` instead of their own numbers."""
    saved: list[tuple[nn.Module, str, object]] = []
    for module in net.modules():
        if type(module) in _OWNERS:
            saved += [(module, name, getattr(module, name)) for name in values]
    try:
        for module, name, _ in saved:
            setattr(module, name, values[name])
        yield
    finally:
        for module, name, value in saved:
            setattr(module, name, value)


def gradient_step(
    net: nn.Module, loss: str = "cross_entropy", watch: str = "layers"
) -> Callable[..., tuple]:
    """The gradient of ``net`` as a function of vectors, with ``net``'s mode as it is.

    Args:
        net: any net of bnlab's normalizers, whose statistics are then new tensors (``assigned``).
        loss: a key of ``LOSSES``.
        watch: a key of ``WATCHES``.

    Returns:
        A function of x (B, C, H, W), y (B,), params (P,), buffers (Q,), counters (R,) and the
        values of ``inputs_of(net)``, which gives loss, accuracy, gradient (P,), buffers (Q,),
        counters (R,) and the numbers of each layer that ``watch`` names.
    """
    check_name("loss", loss, LOSSES)
    check_name("watch", watch, WATCHES)
    state, names = State.of(net), list(inputs_of(net))

    def step(x: Tensor, y: Tensor, params: Tensor, buffers: Tensor, counters: Tensor, *inputs):
        moving = {**state.buffers.unpack(buffers), **state.counters.unpack(counters)}

        def of(p: dict[str, Tensor]) -> tuple[Tensor, tuple]:
            # ONE dict: functional_call writes re-assigned buffers back into it; of a tuple of
            # dicts it makes a copy, in which running statistics would be lost.
            full = {**p, **moving}
            logits = functional_call(net, full, (x,))
            value = LOSSES[loss](logits, y)
            return value, (value, accuracy(logits, y), {k: full[k] for k in moving}, [*outputs])

        given = with_inputs(net, dict(zip(names, inputs, strict=True)))
        with given, assigned(), outputs_of(net) as outputs:
            g, (value, right, moved, layers) = grad(of, has_aux=True)(state.params.unpack(params))
        flat = state.params.pack(g, params)
        moved = [state.buffers.pack(moved, buffers), state.counters.pack(moved, counters)]
        # Last, so that a program can leave them out.
        metrics = metrics_of(net, watch, layers)
        return value, right, flat, *moved, metrics

    return step


def evaluation_step(net: nn.Module, loss: str = "cross_entropy") -> Callable[..., tuple]:
    """Loss and accuracy of ``net`` as a function of the arguments of ``gradient_step``."""
    check_name("loss", loss, LOSSES)
    state, names = State.of(net), list(inputs_of(net))

    def step(x: Tensor, y: Tensor, params: Tensor, buffers: Tensor, counters: Tensor, *inputs):
        parts = (state.params, params), (state.buffers, buffers), (state.counters, counters)
        full = {k: v for packing, vector in parts for k, v in packing.unpack(vector).items()}
        with with_inputs(net, dict(zip(names, inputs, strict=True))):
            logits = functional_call(net, full, (x,))
        return LOSSES[loss](logits, y), accuracy(logits, y)

    return step


def example(net: nn.Module, image_shape: Sequence[int], batch: int) -> list[Tensor]:
    """Arguments for ``gradient_step(net)``: zeros, and the state of ``net``."""
    real = next(net.parameters()).dtype
    x, y = torch.zeros(batch, *image_shape, dtype=real), torch.zeros(batch, dtype=torch.int32)
    values = [torch.tensor(v, dtype=torch.float64) for v in inputs_of(net).values()]
    return [x, y, *State.of(net).vectors(net), *values]
