"""Updates that look at single tensors: LAWN's constrained steps, clipping, decay of some.

They depend on the shapes of a net, so that each net has programs of its own for them: ``extras``,
which are compiled where they are asked for. Those of ``page_sets.EXTRAS`` are among the files.

    clip                   what is done to the gradient before any update
    parts DECAY TRAINED    the same: weight decay of a part alone, and 0 for what is not trained
    lawn PART BASE         a constrained step of LAWN around BASE, a key of ``UPDATES``
"""

from __future__ import annotations

import copy
from collections.abc import Callable

import torch
from torch import Tensor, nn

from bnlab.engines.compiled.compiler.graph import Lowering
from bnlab.engines.compiled.compiler.plan import PADDING, ends, plan, table, words
from bnlab.engines.compiled.compiler.trace import trace
from bnlab.engines.compiled.program import (
    LARGEST_BATCH,
    Library,
    Program,
    fixed,
    vectors_of,
)
from bnlab.engines.compiled.step import State
from bnlab.engines.compiled.update import UPDATES, example
from bnlab.optim import adaptive_clip_grad, clip_units, constrained_weights
from bnlab.optim.constrained import tangent
from bnlab.optim.parts import names_of


def clipped_names(net: nn.Module) -> tuple[str, ...]:
    """Names of the parameters that ``adaptive_clip_grad`` clips."""
    other = copy.deepcopy(net)
    for parameter in other.parameters():
        parameter.grad = torch.zeros_like(parameter)
    return adaptive_clip_grad(other)


def constrained_names(net: nn.Module, part: str) -> list[str]:
    """Names of the parameters that LAWN constrains, in the order of its norms."""
    names = {id(p): name for name, p in net.named_parameters()}
    return [names[id(weight)] for weight in constrained_weights(net, part)]


def clipping(net: nn.Module) -> Callable[..., tuple[Tensor]]:
    """Adaptive clipping as a function of params (P,), gradient (P,) and clip ()."""
    packing, names = State.of(net).params, clipped_names(net)

    def function(params: Tensor, gradient: Tensor, clip: Tensor) -> tuple[Tensor]:
        p, g = packing.unpack(params), packing.unpack(gradient)
        clipped = {name: clip_units(g[name], p[name], clip) for name in names}
        return (packing.pack(g | clipped, gradient),)

    return function


def by_parts(net: nn.Module, decay: str, trained: str) -> Callable[..., tuple[Tensor]]:
    """What parts of a net do to params (P,), gradient (P,), given a weight decay ().

    The update that follows has no weight decay of its own: then what is not trained stays as it is,
    bit for bit.
    """
    packing, decayed, moved = State.of(net).params, names_of(net, decay), names_of(net, trained)

    def function(params: Tensor, gradient: Tensor, weight_decay: Tensor) -> tuple[Tensor]:
        p, g = packing.unpack(params), packing.unpack(gradient)
        new = {name: torch.zeros_like(g[name]) for name in g}
        new |= {name: g[name] for name in moved}
        new |= {name: g[name] + weight_decay * p[name] for name in moved if name in decayed}
        return (packing.pack(new, gradient),)

    return function


def constrained(net: nn.Module, part: str, base: str) -> Callable[..., tuple[Tensor, ...]]:
    """A constrained step of LAWN: a function of the norms (K,) and of what its base takes."""
    packing, names, update = State.of(net).params, constrained_names(net, part), UPDATES[base]

    def function(norms: Tensor, params: Tensor, gradient: Tensor, *rest: Tensor):
        p, g = packing.unpack(params), packing.unpack(gradient)
        g |= {name: tangent(g[name], p[name]) for name in names}
        new, *others = update.function(params, packing.pack(g, gradient), *rest)
        n = packing.unpack(new)
        for k, name in enumerate(names):
            moved = p[name] + tangent(n[name] - p[name], p[name])
            n[name] = moved * (norms[k] / torch.linalg.vector_norm(moved))
        return packing.pack(n, params), *others

    return function


def extra_program(
    which: str, net: nn.Module, gradient: Program, behind: int, library: Library
) -> Program:
    """The program of an extra of a net; what it alone takes lies among its places.

    These are the norms of LAWN or the weight decay of parts, at ``norms``.

    Args:
        which: see the head of this module.
        net: in PyTorch.
        gradient: the program that it works with.
        behind: where the heaps of the other programs end, which must leave the norms alone.
        library: of kernels.
    """
    net = net.to(torch.float32)
    # In the files the numbers that an extra alone takes are called norms, whatever they are.
    count, own = gradient.sizes["params"], {"norms": behind}
    places = gradient.places | own
    # One norm a parameter at most; the other extras keep their hands off them too.
    first = behind + words("real", len(list(net.parameters()))) + PADDING
    if which == "clip":
        names, results, function = ["params", "gradient", "clip"], ["gradient'"], clipping(net)
        args = [torch.zeros(count), torch.zeros(count), torch.ones((), dtype=torch.float64)]
    elif which.startswith("parts"):
        names, results = ["params", "gradient", "decay"], ["gradient'"]
        function = by_parts(net, *which.split()[1:])
        args = [torch.zeros(count), torch.zeros(count), torch.ones((), dtype=torch.float64)]
    else:
        _, part, base = which.split()
        update, number = UPDATES[base], len(constrained_names(net, part))
        names = ["norms", *vectors_of(update), *update.powers, *update.inputs]
        results = [f"{name}'" for name in (*update.changes, *update.powers)]
        function, args = constrained(net, part, base), [torch.ones(number), *example(update, count)]
    low = Lowering()
    low.run(trace(function, args, dynamic=()).graph, names, [results])
    offsets, heap = plan(low, fixed({**places, "decay": behind}), first, LARGEST_BATCH)
    code = table(low, offsets, library.numbers(low))
    return Program(tuple(code), tuple(ends(low, low.marks)), places, gradient.sizes, heap)
