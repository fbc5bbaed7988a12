"""Sizes and positions that depend on the batch: a * B + c, and sums of them over loops.

Sizes of a traced step are whole numbers, multiples of the batch size B, or shares of it (a batch of
B samples has B / 4 ghost batches of 4). Nothing else comes up, and nothing else is accepted.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import sympy

_PROBE = 2**4 * 3**2 * 5 * 7 * 11  # a number that small ones divide


@dataclass(frozen=True)
class Size:
    """The size ``a * B + c``."""

    a: Fraction = Fraction(0)
    c: int = 0

    def __add__(self, other: Size | int) -> Size:
        other = size(other)
        return Size(self.a + other.a, self.c + other.c)

    __radd__ = __add__

    def __sub__(self, other: Size | int) -> Size:
        other = size(other)
        return Size(self.a - other.a, self.c - other.c)

    def __mul__(self, other: Size | int) -> Size:
        other = size(other)
        if self.a and other.a:
            raise ValueError("a size that grows with the square of the batch is not supported.")
        return Size(self.a * other.c + other.a * self.c, self.c * other.c)

    __rmul__ = __mul__

    def at(self, batch: int) -> int:
        """The number for a batch of this size; rounded up where it would be broken."""
        return -(-(self.a * batch + self.c) // 1)

    @property
    def is_one(self) -> bool:
        """Whether it is 1 for every batch."""
        return not self.a and self.c == 1

    def __str__(self) -> str:
        if not self.a:
            return str(self.c)
        top, bottom = self.a.numerator, self.a.denominator
        text = "B" if top == 1 else f"{top} * B"
        text += f" / {bottom}" if bottom > 1 else ""
        return text if not self.c else f"({text} + {self.c})"


def size(value: object, unit: int = 1) -> Size:
    """A Size from a number, a symbolic integer of torch, or a Size.

    Args:
        value: what to convert.
        unit: how many samples the symbol of the symbolic integer counts: B / unit.

    Raises:
        ValueError: for a symbolic integer that is not of the form a * B + c.
    """
    if isinstance(value, Size):
        return value
    if isinstance(value, int):
        return Size(Fraction(0), value)
    return _fitted(sympy.sympify(value.node.expr), unit)


def _fitted(expr: sympy.Expr, unit: int) -> Size:
    symbols = list(expr.free_symbols)
    # Two batch symbols of one program (of x and of y) always have the same value.
    at = [int(expr.subs(dict.fromkeys(symbols, k * _PROBE))) for k in (1, 2, 3)]
    a = Fraction(at[1] - at[0], _PROBE)
    c = int(at[0] - a * _PROBE)
    if a * 3 * _PROBE + c != at[2]:
        raise ValueError(
            f"the size {expr} is not of the form a * B + c, which is all there may be."
        )
    return Size(a / unit, c)


def product(sizes: list[Size]) -> Size:
    """The product; 1 for none."""
    result = Size(c=1)
    for one in sizes:
        result = result * one
    return result


@dataclass(frozen=True)
class Index:
    """A position: the sum over loop variables of coefficient * variable, and a constant."""

    terms: tuple[tuple[str, Size], ...] = ()
    constant: Size = Size()

    @classmethod
    def variable(cls, name: str) -> Index:
        """One loop variable."""
        return cls(((name, Size(c=1)),))

    @classmethod
    def number(cls, value: Size | int) -> Index:
        """A constant position."""
        return cls((), size(value))

    def __add__(self, other: Index | Size | int) -> Index:
        if not isinstance(other, Index):
            return Index(self.terms, self.constant + size(other))
        terms = dict(self.terms)
        for name, coefficient in other.terms:
            terms[name] = terms.get(name, Size()) + coefficient
        kept = tuple((n, c) for n, c in terms.items() if c != Size())
        return Index(kept, self.constant + other.constant)

    def __mul__(self, factor: Size | int) -> Index:
        factor = size(factor)
        if factor == Size():
            return Index()
        return Index(tuple((n, c * factor) for n, c in self.terms), self.constant * factor)

    def coefficient(self, name: str) -> Size:
        """The coefficient of a loop variable, 0 where it does not occur."""
        return dict(self.terms).get(name, Size())

    def without(self, name: str) -> Index:
        """The same index with this variable at 0."""
        return Index(tuple((n, c) for n, c in self.terms if n != name), self.constant)

    def __str__(self) -> str:
        parts = [name if c.is_one else f"{c} * {name}" for name, c in self.terms]
        if self.constant != Size() or not parts:
            parts.append(str(self.constant))
        return " + ".join(parts).replace("+ -", "- ")
