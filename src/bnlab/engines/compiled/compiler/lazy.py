"""Tensors that are formulas until somebody needs them in memory.

A ``Lazy`` tensor is an index function: from a position on each axis to an expression. Views change
the position, elementwise operations wrap the expression. A tensor that lies in memory (a *view* of
a buffer) has strides besides. Expressions are small trees, so that loops can be merged and buffers
renamed before they become text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch

from bnlab.engines.compiled.compiler.affine import Index, Size, product

KINDS = {"real": "REAL", "double": "double", "int": "int"}
"""Kinds of elements and their C types. REAL is the precision of the program, truth is an int."""


def kind_of(dtype: torch.dtype) -> str:
    """The kind of a torch type: steps are traced in float32, which stands for REAL."""
    if dtype == torch.float64:
        return "double"
    return "real" if dtype.is_floating_point else "int"


@dataclass(frozen=True)
class Load:
    """One element of a buffer."""

    buffer: int
    kind: str
    index: Index


@dataclass(frozen=True)
class Place:
    """A position as a number."""

    index: Index
    kind: str = "int"


@dataclass(frozen=True)
class Op:
    """The operation ``template`` with its arguments filled in."""

    template: str
    args: tuple[Expr, ...]
    kind: str


Expr = Load | Place | Op


def cast(expr: Expr, kind: str) -> Expr:
    """The same number as an element of another kind."""
    return expr if expr.kind == kind else Op(f"({KINDS[kind]})({{}})", (expr,), kind)


def constant(value: float | int | bool, kind: str) -> Expr:
    """A number; REAL constants are rounded once, as torch rounds a Python number."""
    if kind == "int":
        return Op(str(int(value)), (), "int")
    text = {"inf": "INFINITY", "-inf": "(-INFINITY)", "nan": "NAN"}.get(
        str(float(value)), repr(float(value))
    )
    return Op(f"(REAL){text}" if kind == "real" else text, (), kind)


def walk(expr: Expr) -> Iterator[Expr]:
    """All nodes of an expression."""
    yield expr
    if isinstance(expr, Op):
        for arg in expr.args:
            yield from walk(arg)


def row_major(shape: Sequence[Size]) -> tuple[Size, ...]:
    """Strides of a tensor whose last axis is the fastest."""
    return tuple(product(list(shape[k + 1 :])) for k in range(len(shape)))


@dataclass(frozen=True)
class View:
    """Where a tensor lies: buffer, first element, and a stride for each axis."""

    buffer: int
    offset: Size
    strides: tuple[Size, ...]


@dataclass(frozen=True)
class Lazy:
    """A tensor as an index function.

    Attributes:
        shape: sizes of the axes.
        kind: of the elements.
        at: the expression of the element at a position.
        view: where it lies, if it lies in memory.
        cheap: worth computing again at each use: constants, positions, views.
    """

    shape: tuple[Size, ...]
    kind: str
    at: Callable[[Sequence[Index]], Expr]
    view: View | None = None
    cheap: bool = False

    @property
    def numel(self) -> Size:
        """Number of elements."""
        return product(list(self.shape))


def in_memory(shape: Sequence[Size], kind: str, view: View) -> Lazy:
    """The tensor that lies at ``view``."""

    def at(position: Sequence[Index]) -> Load:
        index = Index.number(view.offset)
        for where, stride in zip(position, view.strides, strict=True):
            index = index + where * stride
        return Load(view.buffer, kind, index)

    return Lazy(tuple(shape), kind, at, view, cheap=True)


def scalar(value: float | int | bool | Expr, kind: str) -> Lazy:
    """A tensor without axes, from a number or an expression."""
    expr = value if isinstance(value, Load | Place | Op) else constant(value, kind)
    return Lazy((), kind, lambda _: expr, cheap=True)


def broadcast(tensor: Lazy, position: Sequence[Index]) -> Expr:
    """The element of ``tensor`` at a position of a tensor that it is broadcast to."""
    own = list(position)[len(position) - len(tensor.shape) :]
    return tensor.at([Index() if n.is_one else i for i, n in zip(own, tensor.shape, strict=True)])
