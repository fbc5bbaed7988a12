"""Rules for operations that move elements without changing them, and reductions."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from functools import partial

from torch import fx

from bnlab.engines.compiled.compiler import kernel
from bnlab.engines.compiled.compiler.affine import Index, Size, product, size
from bnlab.engines.compiled.compiler.graph import Lowering, NotSupportedError, rule
from bnlab.engines.compiled.compiler.lazy import (
    Lazy,
    Op,
    View,
    cast,
    constant,
    in_memory,
    kind_of,
    row_major,
)

Move = Callable[[Sequence[Index]], list[Index]]


def moved(tensor: Lazy, shape: tuple[Size, ...], move: Move) -> Lazy:
    """The tensor whose element at p is that of ``tensor`` at ``move(p)``."""
    if tensor.view is None:
        return Lazy(shape, tensor.kind, lambda p: tensor.at(move(p)), cheap=tensor.cheap)
    names = [f"axis{k}" for k in range(len(shape))]
    index = tensor.at(move([Index.variable(name) for name in names])).index
    strides = tuple(index.coefficient(name) for name in names)
    return in_memory(shape, tensor.kind, View(tensor.view.buffer, index.constant, strides))


# ---------------------------------------------------------------------------------------- reshape


@rule("view.default", "_unsafe_view.default", "reshape.default")
def _view(low: Lowering, node: fx.Node, args: list, shape: tuple) -> Lazy:
    return reshaped(low, args[0], shape)


def reshaped(low: Lowering, tensor: Lazy, shape: tuple[Size, ...]) -> Lazy:
    """The same elements in the same order on other axes.

    An axis may be split whatever the tensor is; axes can be joined where they follow each other in
    memory, for which the tensor is written to memory if need be.
    """
    groups = _groups(tensor.shape, shape)
    if any(not _joins(tensor, old) for old, _ in groups):
        tensor = low.contiguous(tensor)

    def move(position: Sequence[Index]) -> list[Index]:
        result = [Index()] * len(tensor.shape)
        for old, new in groups:
            inner = Index()
            for axis, stride in zip(new, row_major([shape[k] for k in new]), strict=True):
                inner = inner + position[axis] * stride
            if old:
                # Axes that follow each other in memory are stepped through by the last of them.
                result[old[-1]] = inner
        return result

    return moved(tensor, shape, move)


def _groups(old: Sequence[Size], new: Sequence[Size]) -> list[tuple[list[int], list[int]]]:
    # Runs of axes, without those of size 1, that hold equally many elements before and after.
    left = [k for k, n in enumerate(old) if not n.is_one]
    right = [k for k, n in enumerate(new) if not n.is_one]
    groups: list[tuple[list[int], list[int]]] = []
    while left or right:
        a, b = [left.pop(0)], [right.pop(0)]
        while (p := product([old[k] for k in a])) != (q := product([new[k] for k in b])):
            short, rest = (a, left) if p.at(5040) < q.at(5040) else (b, right)
            short.append(rest.pop(0))
        groups.append((a, b))
    return groups


def _joins(tensor: Lazy, axes: Sequence[int]) -> bool:
    if len(axes) == 1:
        return True
    if tensor.view is None:
        return False
    strides = tensor.view.strides
    pairs = itertools.pairwise(axes)
    return all(strides[a] == strides[b] * tensor.shape[b] for a, b in pairs)


# ------------------------------------------------------------------------------------------ views


@rule("permute.default")
def _permute(low: Lowering, node: fx.Node, args: list, shape: tuple) -> Lazy:
    order = [axis % len(shape) for axis in args[1]]
    return moved(args[0], shape, lambda p: [p[order.index(k)] for k in range(len(order))])


@rule("unsqueeze.default")
def _unsqueeze(low: Lowering, node: fx.Node, args: list, shape: tuple) -> Lazy:
    axis = args[1] % len(shape)
    return moved(args[0], shape, lambda p: [*p[:axis], *p[axis + 1 :]])


@rule("squeeze.dims", "squeeze.dim", "squeeze.default")
def _squeeze(low: Lowering, node: fx.Node, args: list, shape: tuple) -> Lazy:
    return reshaped(low, args[0], shape)


@rule("expand.default")
def _expand(low: Lowering, node: fx.Node, args: list, shape: tuple) -> Lazy:
    source = args[0]
    if not source.cheap and source.numel != product(list(shape)):
        source = low.materialise(source)
    new = len(shape) - len(source.shape)
    one = [n.is_one and not m.is_one for n, m in zip(source.shape, shape[new:], strict=True)]
    zeroed = [k + new for k, is_broadcast in enumerate(one) if is_broadcast]
    return moved(
        source,
        shape,
        lambda p: [Index() if k in zeroed else p[k] for k in range(new, len(p))],
    )


@rule("select.int")
def _select(low: Lowering, node: fx.Node, args: list, shape: tuple) -> Lazy:
    axis, number = args[1] % (len(shape) + 1), args[2]
    return moved(args[0], shape, lambda p: [*p[:axis], Index.number(number), *p[axis:]])


@rule("slice.Tensor")
def _slice(low: Lowering, node: fx.Node, args: list, shape: tuple) -> Lazy:
    _, axis, start, _, step = [*args, *[0, None, None, 1][len(args) - 1 :]]
    axis, start = axis % len(shape), start or 0
    if step != 1 or (isinstance(start, int) and start < 0):
        return _strided(args[0], shape, axis, start, step)
    return moved(args[0], shape, lambda p: [*p[:axis], p[axis] + start, *p[axis + 1 :]])


def _strided(source: Lazy, shape: tuple, axis: int, start: object, step: int) -> Lazy:
    first = source.shape[axis] + start if isinstance(start, int) and start < 0 else size(start)
    return moved(source, shape, lambda p: [*p[:axis], p[axis] * step + first, *p[axis + 1 :]])


@rule("slice_scatter.default")
def _slice_scatter(low: Lowering, node: fx.Node, args: list, shape: tuple) -> Lazy:
    """The gradient of a slice: the first argument, with the second one in the places of a slice."""
    whole, part, axis, start, _, step = [*args, *[0, None, None, 1][len(args) - 2 :]]
    found = low.new(shape, kind_of(node.meta["val"].dtype))
    low.store(whole, found)
    low.store(part, _strided(found, part.shape, axis % len(shape), start or 0, step))
    return found


@rule("split_with_sizes.default")
def _split(low: Lowering, node: fx.Node, args: list, shape: tuple) -> list[Lazy]:
    source, parts, axis = [*args, 0][:3]
    axis, start, result = axis % len(source.shape), Size(), []
    source = low.materialise(source)
    for count in map(size, parts):
        own = (*source.shape[:axis], count, *source.shape[axis + 1 :])
        result.append(
            moved(source, own, lambda p, s=start: [*p[:axis], p[axis] + s, *p[axis + 1 :]])
        )
        start = start + count
    return result


@rule("cat.default")
def _cat(low: Lowering, node: fx.Node, args: list, shape: tuple) -> Lazy:
    parts, axis = args[0], (args[1] if len(args) > 1 else 0) % len(shape)
    whole, start = low.new(shape, kind_of(node.meta["val"].dtype)), Size()
    for part in parts:
        target = moved(
            whole, part.shape, lambda p, s=start: [*p[:axis], p[axis] + s, *p[axis + 1 :]]
        )
        # What has a buffer of its own is computed in its place; anything else is written there.
        if not (target.view.strides == row_major(part.shape) and low.claim(part, target)):
            low.store(part, target)
        start = start + part.shape[axis]
    return whole


# ------------------------------------------------------------------------------------- reductions


def reduced(low: Lowering, tensor: Lazy, axes: object, kind: str, how: str) -> Lazy:
    """Reduce ``axes`` (None: all) to size 1 by ``sum``, ``mean``, ``max`` or ``argmax``."""
    rank = len(tensor.shape)
    over = {axis % rank for axis in axes} if axes else set(range(rank))
    wide = tuple(Size(c=1) if k in over else n for k, n in enumerate(tensor.shape))
    loops, position = low.loops(tensor.shape)
    out = low.new(wide, kind)
    names = {position[k].terms[0][0] for k in over if position[k].terms}
    kept = [loop for loop in loops if loop.name not in names]
    inner = [loop for loop in loops if loop.name in names]
    where = [Index() if k in over else p for k, p in enumerate(position)]
    write = kernel.Write(out.at(where), tensor.at(position))
    if how in ("sum", "mean"):
        count = product([loop.extent for loop in inner])
        scale = f"((REAL)1 / (REAL)({count}))" if how == "mean" else ""
        low.emit(kernel.sum_kernel(kept, inner, write, scale))
    else:
        low.emit(kernel.max_kernel(kept, inner, write, where=how == "argmax"))
    return out


def _reduction(how: str, low: Lowering, node: fx.Node, args: list, shape: tuple) -> Lazy:
    axes = args[1] if len(args) > 1 else None
    axes = [axes] if isinstance(axes, int) else axes
    kind = kind_of(node.meta["val"].dtype)
    return reshaped(low, reduced(low, args[0], axes, kind, how), shape)


for _how, _names in {
    "sum": ("sum.dim_IntList", "sum.default"),
    "mean": ("mean.dim", "mean.default"),
    "max": ("amax.default",),
    "argmax": ("argmax.default",),
}.items():
    rule(*_names)(partial(_reduction, _how))


# ---------------------------------------------------------------------------------------- pooling


@rule("avg_pool2d.default")
def _pool(low: Lowering, node: fx.Node, args: list, shape: tuple) -> Lazy:
    wide = _windows(node, args[0].shape, *args[1:])
    return reshaped(low, reduced(low, reshaped(low, args[0], wide), [3, 5], "real", "mean"), shape)


@rule("avg_pool2d_backward.default")
def _pool_backward(low: Lowering, node: fx.Node, args: list, shape: tuple) -> Lazy:
    gradient, wide = low.materialise(args[0]), _windows(node, shape, *args[2:])
    share = constant(wide[3].c * wide[5].c, "int")

    def at(p: Sequence[Index]) -> Op:
        return Op("({} / {})", (gradient.at([p[0], p[1], p[2], p[4]]), cast(share, "real")), "real")

    return reshaped(low, Lazy(wide, "real", at), shape)


def _windows(node: fx.Node, shape: tuple[Size, ...], sides: list, *options: object) -> tuple:
    """Images (B, C, H, W) as (B, C, H / k, k, W / l, l), for windows of k x l beside each other."""
    strides, padding = [*options, [], [0]][:2]
    fits = all(n.c % k == 0 for n, k in zip(shape[2:], sides, strict=True))
    if not fits or any(n != 0 for n in padding) or (strides and list(strides) != list(sides)):
        raise NotSupportedError(f"{node.target}: only windows that tile the image are compiled.")
    parts = [(size(n.c // k), size(k)) for n, k in zip(shape[2:], sides, strict=True)]
    return (*shape[:2], *parts[0], *parts[1])
