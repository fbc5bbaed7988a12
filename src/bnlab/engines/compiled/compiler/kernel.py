"""Kernels: loops over expressions, and their text in C.

Kernels that differ in nothing but where their tensors lie are one function with these places as
arguments. So code does not grow with the depth of a net.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from bnlab.engines.compiled.compiler.affine import Index, Size, size
from bnlab.engines.compiled.compiler.lazy import KINDS, Expr, Load, Op, Place, walk

# Places count words of the heap; a whole number has a word of its own, a double two.
_ACCESS = {"real": "H[{} + {}]", "int": "INT({} + {})", "double": "DOUBLE({} + 2 * ({}))"}


@dataclass(frozen=True)
class Loop:
    """The loop ``for (int name = 0; name < extent; name++)``."""

    name: str
    extent: Size


@dataclass(frozen=True)
class Write:
    """An element to write to."""

    target: Load
    value: Expr


def substitute(expr: Expr, change: object) -> Expr:
    """The expression with ``change`` applied to each position in it."""
    if isinstance(expr, Op):
        return replace(expr, args=tuple(substitute(arg, change) for arg in expr.args))
    return replace(expr, index=change(expr.index))


def merged(loops: list[Loop], exprs: list[Expr]) -> tuple[list[Loop], list[Expr]]:
    """Join neighbouring loops that run over one stretch of memory everywhere.

    i and j become one loop where every position has i with the coefficient of j times the size of
    j: a tensor (B, 64) without broadcasting is then one loop over 64 * B.
    """
    k = 0
    while k + 1 < len(loops):
        outer, inner = loops[k], loops[k + 1]
        if any(not _joins(e.index, outer, inner) for x in exprs for e in walk(x) if _placed(e)):
            k += 1
            continue
        loops = [*loops[:k], Loop(inner.name, outer.extent * inner.extent), *loops[k + 2 :]]
        drop = outer.name
        exprs = [substitute(e, lambda index, drop=drop: index.without(drop)) for e in exprs]
        k = max(k - 1, 0)
    return loops, exprs


def _placed(expr: Expr) -> bool:
    return not isinstance(expr, Op)


def _joins(index: Index, outer: Loop, inner: Loop) -> bool:
    a, b = index.coefficient(outer.name), index.coefficient(inner.name)
    if (b.a and inner.extent.a) or (outer.extent.a and inner.extent.a):
        return False
    return a == b * inner.extent


def innermost_last(loops: list[Loop], exprs: list[Expr]) -> list[Loop]:
    """The loops with the one that most tensors step through one by one at the end."""

    def steps(loop: Loop) -> int:
        loads = [e for x in exprs for e in walk(x) if isinstance(e, Load)]
        return sum(load.index.coefficient(loop.name).is_one for load in loads)

    if not loops:
        return loops
    best = max(loops, key=lambda loop: (steps(loop), loops.index(loop)))
    return [loop for loop in loops if loop is not best] + [best]


class Text:
    """The text of one kernel in which buffers have become arguments."""

    def __init__(self) -> None:
        self.places: list[tuple[int, int]] = []  # (buffer, elements from its start)

    def place(self, buffer: int, offset: int) -> str:
        """The name of the argument that says where this is."""
        if (buffer, offset) not in self.places:
            self.places.append((buffer, offset))
        return f"o{self.places.index((buffer, offset))}"

    def expr(self, expr: Expr) -> str:
        """An expression in C."""
        if isinstance(expr, Place):
            return f"({expr.index})"
        if isinstance(expr, Op):
            return expr.template.format(*map(self.expr, expr.args))
        return self.load(expr)

    def load(self, load: Load) -> str:
        """An element of the heap."""
        offset = load.index.constant.c * (2 if load.kind == "double" else 1)
        index = replace(load.index, constant=Size(load.index.constant.a, 0))
        return _ACCESS[load.kind].format(self.place(load.buffer, offset), index)

    def loops(self, loops: Sequence[Loop], body: str, vector: bool = True) -> str:
        """Nested loops around ``body``; the innermost one may be taken several at a time."""
        heads = [f"for (int {p.name} = 0; {p.name} < {p.extent}; {p.name}++) {{" for p in loops]
        if heads and vector:
            heads[-1] = f"VECTOR {heads[-1]}"
        return "\n".join([*heads, body, *("}" for _ in heads)])


Made = tuple[Text, str]
"""A kernel: its places and its body."""


def map_kernel(loops: list[Loop], write: Write) -> Made:
    """A kernel that computes one element after the other."""
    loops = innermost_last(loops, [write.target, write.value])
    loops, (target, value) = merged(loops, [write.target, write.value])
    text = Text()
    return text, text.loops(loops, f"{text.load(target)} = {text.expr(value)};")


def sum_kernel(kept: list[Loop], reduced: list[Loop], write: Write, scale: str) -> Made:
    """Sums over the loops ``reduced``; each is multiplied by ``scale`` (C text, or empty)."""
    exprs = [write.value, write.target]
    last = innermost_last([*kept, *reduced], [write.value])[-1:]
    by_rows = bool(last) and last[0] in kept and bool(reduced)
    text = Text()
    if by_rows:  # add row after row to the sums, so that memory is read in order
        kept = innermost_last(kept, exprs)
        kept, exprs = merged(kept, exprs)
        target, value = text.load(exprs[1]), text.expr(exprs[0])
        zero = text.loops(kept, f"{target} = 0;")
        add = text.loops([*reduced, *kept], f"{target} += {value};")
        finish = text.loops(kept, f"{target} *= {scale};") if scale else ""
        return text, "\n".join(filter(None, [zero, add, finish]))
    reduced = innermost_last(reduced, [write.value])
    reduced, exprs = merged(reduced, exprs)
    target, value = text.load(exprs[1]), text.expr(exprs[0])
    add = text.loops(reduced, f"a += {value};")
    kind = KINDS[write.target.kind]
    body = f"{kind} a = 0;\n{add}\n{target} = a{f' * {scale}' if scale else ''};"
    return text, text.loops(kept, body, vector=False)


def max_kernel(kept: list[Loop], reduced: list[Loop], write: Write, *, where: bool) -> Made:
    """The largest value, or with ``where`` its position in the only reduced loop; NaN wins."""
    text = Text()
    target, value = text.load(write.target), text.expr(write.value)
    take = f"a = v; w = {reduced[0].name};" if where else "a = v;"
    body = f"REAL v = {value}; if (v > a || (v != v && a == a)) {{ {take} }}"
    inner = text.loops(reduced, body, vector=False)
    start = "REAL a = -INFINITY;" + (" int w = 0;" if where else "")
    end = f"{target} = {'w' if where else 'a'};"
    return text, text.loops(kept, f"{start}\n{inner}\n{end}", vector=False)


def call_kernel(function: str, args: Sequence[object]) -> Made:
    """A call of a function of the runtime; a pair (buffer, Size) stands for a place."""
    text, words = Text(), []
    for arg in args:
        if isinstance(arg, tuple):
            buffer, offset = arg
            rest = replace(offset, c=0)
            words.append(text.place(buffer, offset.c) + (f" + {rest}" if rest != size(0) else ""))
        else:
            words.append(str(arg))
    return text, f"{function}({', '.join(words)});"
