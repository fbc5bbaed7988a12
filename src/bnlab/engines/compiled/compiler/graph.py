"""From a graph of ATen operations to buffers and calls of kernels.

A tensor is put into memory ("materialised") when it is used more than once, broadcast, reduced,
multiplied as a matrix, or returned. Everything else stays a formula inside the kernels that use it.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import torch
from torch import fx

from bnlab.engines.compiled.compiler import kernel
from bnlab.engines.compiled.compiler.affine import Index, Size, size
from bnlab.engines.compiled.compiler.lazy import (
    Lazy,
    Load,
    Op,
    Place,
    View,
    cast,
    in_memory,
    kind_of,
    row_major,
    scalar,
)
from bnlab.engines.compiled.compiler.trace import module_of

Rule = Callable[["Lowering", fx.Node, list, tuple[Size, ...]], object]
RULES: dict[str, Rule] = {}
"""How each ATen operation is lowered, by its name without ``aten.``."""

_LOOPS = "ijklmn"
_SYMBOLIC = {
    operator.add: "({} + {})",
    operator.sub: "({} - {})",
    operator.mul: "({} * {})",
    operator.truediv: "({} / {})",
    operator.floordiv: "({} / {})",
}


class NotSupportedError(Exception):
    """An operation that cannot be compiled; the message names it and the module that needs it."""


def rule(*names: str) -> Callable[[Rule], Rule]:
    """Register a function as the rule for these operations."""

    def register(function: Rule) -> Rule:
        RULES.update(dict.fromkeys(names, function))
        return function

    return register


@dataclass
class Buffer:
    """A stretch of the heap: ``size`` elements; ``name`` says which input or output it is."""

    size: Size
    kind: str
    name: str | None = None
    inside: tuple[int, int] | None = None  # (buffer, element): a part of another buffer


@dataclass
class Call:
    """One call: the key of the kernel, the places that it gets, and what it was written for."""

    kernel: tuple[str, int]
    places: list[tuple[int, int]]
    note: str = ""


@dataclass
class Lowering:
    """The state of a lowering: buffers and calls so far.

    Attributes:
        buffers: all of them; their numbers are the keys.
        calls: in order.
        marks: number of calls at the end of each segment.
        cache: what rules want to keep.
        unit: how many samples the symbol of the graph's sizes counts.
        note: the module and operation that is lowered, for those who look at the program.
    """

    buffers: dict[int, Buffer] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)
    marks: list[int] = field(default_factory=list)
    cache: dict[object, object] = field(default_factory=dict)
    unit: int = 1
    note: str = ""

    # ------------------------------------------------------------------ memory

    def new(self, shape: Sequence[Size], kind: str, name: str | None = None) -> Lazy:
        """A tensor in a buffer of its own, not written yet."""
        number = len(self.buffers)
        tensor = in_memory(shape, kind, View(number, Size(), row_major(shape)))
        self.buffers[number] = Buffer(tensor.numel, kind, name)
        return tensor

    def emit(self, made: kernel.Made) -> None:
        """Add a call."""
        text, body = made
        self.calls.append(Call((body, len(text.places)), list(text.places), self.note))

    def store(self, tensor: Lazy, out: Lazy) -> Lazy:
        """Compute ``tensor`` into ``out``."""
        loops, position = self.loops(tensor.shape)
        value = cast(tensor.at(position), out.kind)
        self.emit(kernel.map_kernel(loops, kernel.Write(out.at(position), value)))
        return out

    def materialise(self, tensor: Lazy) -> Lazy:
        """The same tensor in memory."""
        if tensor.view is not None:
            return tensor
        return self.store(tensor, self.new(tensor.shape, tensor.kind))

    def contiguous(self, tensor: Lazy) -> Lazy:
        """The same tensor in memory, its last axis the fastest and no gaps."""
        if tensor.view is not None and _is_dense(tensor):
            return tensor
        return self.store(tensor, self.new(tensor.shape, tensor.kind))

    @staticmethod
    def loops(shape: Sequence[Size]) -> tuple[list[kernel.Loop], list[Index]]:
        """A loop for each axis that is longer than 1, and the position that they are at."""
        if len(shape) > len(_LOOPS):
            raise NotSupportedError(f"tensors of {len(shape)} axes cannot be compiled.")
        loops, position = [], []
        for name, extent in zip(_LOOPS, shape, strict=False):
            if not extent.is_one:
                loops.append(kernel.Loop(name, extent))
            position.append(Index() if extent.is_one else Index.variable(name))
        return loops, position

    # ------------------------------------------------------------------- graph

    def run(self, graph: fx.Graph, inputs: Sequence[str], segments: Sequence[Sequence[str]]):
        """Lower a graph.

        Args:
            graph: from ``trace``.
            inputs: names of the buffers of its arguments.
            segments: names of the buffers of its results, in groups; whatever a group needs is
                computed before the next one, so that a program can stop there.
        """
        nodes = list(graph.nodes)
        holders = [node for node in nodes if node.op == "placeholder"]
        env: dict[fx.Node, object] = {}
        for node, name in zip(holders, inputs, strict=True):
            value = node.meta["val"]
            env[node] = self.new(self.sizes(value.shape), kind_of(value.dtype), name)
        results = list(nodes[-1].args[0])
        uses = {node: len(node.users) for node in nodes}
        done = set(holders)
        for names in segments:
            group, results = results[: len(names)], results[len(names) :]
            wanted = _ancestors(group)
            for node in nodes:
                if node in wanted and node not in done:
                    done.add(node)
                    env[node] = self._lower(node, env, uses)
            for node, name in zip(group, names, strict=True):
                self._give(env[node], name)
            self.marks.append(len(self.calls))

    def _give(self, tensor: Lazy, name: str) -> None:
        if tensor.numel == size(0):
            return
        view = tensor.view
        if view is not None and self._is_whole(tensor) and self.buffers[view.buffer].name is None:
            self.buffers[view.buffer].name = name
            return
        self.note = f"result: {name}"
        self.store(tensor, self.new(tensor.shape, tensor.kind, name))

    def _is_whole(self, tensor: Lazy) -> bool:
        buffer = self.buffers[tensor.view.buffer]
        covers = tensor.numel == buffer.size and tensor.view.offset == size(0)
        return covers and _is_dense(tensor) and buffer.inside is None

    def claim(self, tensor: Lazy, target: Lazy) -> bool:
        """Let the buffer of ``tensor`` lie inside that of ``target``, and say whether it can."""
        view = tensor.view
        if view is None or tensor.kind != target.kind or target.view.offset.a:
            return False
        if tensor.kind == "double":
            return False
        if not self._is_whole(tensor) or self.buffers[view.buffer].name is not None:
            return False
        self.buffers[view.buffer].inside = (target.view.buffer, target.view.offset.c)
        return True

    def _lower(self, node: fx.Node, env: dict, uses: dict) -> object:
        if node.op == "get_attr":
            return self._stored(node)
        value = node.meta.get("val")
        if isinstance(value, torch.SymInt | torch.SymFloat | int | float):
            return self._number(node, value, env)
        if node.target is operator.getitem:
            return env[node.args[0]][node.args[1]]
        name = str(node.target).removeprefix("aten.")
        if name not in RULES:
            raise NotSupportedError(_complaint(node, name))
        self.note = f"{module_of(node)}: {name}".removeprefix(": ")
        args = [_resolved(arg, env) for arg in node.args]
        shape = self.sizes(value.shape) if isinstance(value, torch.Tensor) else ()
        try:
            result = RULES[name](self, node, args, shape)
        except NotSupportedError as error:
            raise NotSupportedError(f"module {module_of(node)!r}: {error}") from error
        if isinstance(result, Lazy) and not result.cheap and uses[node] > 1:
            return self.materialise(result)
        return result

    def _stored(self, node: fx.Node) -> Lazy:
        value = getattr(node.graph.owning_module, node.target)
        if value.numel() != 1:
            raise NotSupportedError(f"a constant tensor of shape {tuple(value.shape)} in the net.")
        number = scalar(value.item(), kind_of(value.dtype))
        return Lazy(self.sizes(value.shape), number.kind, number.at, cheap=True)

    def sizes(self, shape: Sequence[object]) -> tuple[Size, ...]:
        """A shape of torch as Sizes."""
        return tuple(size(n, self.unit) for n in shape)

    def _number(self, node: fx.Node, value: object, env: dict) -> object:
        # Whole numbers are Sizes; quotients of them (m / (m - 1)) are expressions.
        if isinstance(value, int | torch.SymInt):
            return size(value, self.unit)
        if isinstance(value, float):
            return value
        args = [env[a] if isinstance(a, fx.Node) else a for a in node.args]
        args = [cast(_as_expr(a), "double") for a in args]
        if node.target is torch.sym_float:
            return args[0]
        if node.target not in _SYMBOLIC:
            raise NotSupportedError(_complaint(node, str(node.target)))
        return Op(_SYMBOLIC[node.target], tuple(args), "double")


def _as_expr(value: object) -> object:
    if isinstance(value, int | Size):
        return Place(Index.number(value))
    return Op(repr(value), (), "double") if isinstance(value, float) else value


def _resolved(arg: object, env: dict) -> object:
    if isinstance(arg, fx.Node):
        return env[arg]
    return [_resolved(a, env) for a in arg] if isinstance(arg, list | tuple) else arg


def _is_dense(tensor: Lazy) -> bool:
    pairs = zip(tensor.view.strides, row_major(tensor.shape), tensor.shape, strict=True)
    return all(own == dense for own, dense, n in pairs if not n.is_one)


def _ancestors(nodes: Sequence[fx.Node]) -> set[fx.Node]:
    found, stack = set(), list(nodes)
    while stack:
        node = stack.pop()
        if node not in found:
            found.add(node)
            stack += node.all_input_nodes
    return found


def _complaint(node: fx.Node, name: str) -> str:
    module = module_of(node)
    where = f"the module {module!r} of this net" if module else "this net"
    return (
        f"{where} needs the operation {name}, which cannot be compiled. Add a rule for it to "
        "bnlab.engines.compiled, or train with engine='torch'."
    )


__all__ = ["RULES", "Buffer", "Call", "Load", "Lowering", "NotSupportedError", "rule"]
