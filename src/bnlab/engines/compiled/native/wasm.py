"""Reading a WebAssembly module: what this package's compiler writes, and no more.

The modules have no imports, no data and no indirect calls, and their blocks have no results.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

TYPES = {0x7F: "i32", 0x7E: "i64", 0x7D: "f32", 0x7C: "f64", 0x7B: "v128"}
TYPE, FUNCTION, TABLE, MEMORY, GLOBAL, EXPORT, CODE = 1, 3, 4, 5, 6, 7, 10
EMPTY = 0x40
SIMD, MISCELLANEOUS = 0xFD, 0xFC

INDEXED = (0x0C, 0x0D, 0x10, 0x20, 0x21, 0x22, 0x23, 0x24)  # br, br_if, call, local.*, global.*
ADDRESSED = (*range(0x28, 0x3F), *range(0xFD00, 0xFD0C), 0xFD5C, 0xFD5D)
LANE_ADDRESSED = range(0xFD54, 0xFD5C)
LANED = range(0xFD15, 0xFD23)
BLOCKS = (0x02, 0x03, 0x04)


class UntranslatedError(ValueError):
    """A module has something that is not known here."""


@dataclass(frozen=True)
class Function:
    """A function: types of its parameters, of its result if it has one, of its locals; its body."""

    parameters: tuple[str, ...]
    result: str | None
    locals: tuple[str, ...]
    body: bytes


@dataclass(frozen=True)
class Module:
    """A module.

    Attributes:
        functions: in their order.
        exports: name and number of those that are called from outside.
        globals: the numbers that the global variables start with, all of type i32.
        pages: how many times 64 KiB the memory has at the start.
    """

    functions: tuple[Function, ...]
    exports: dict[str, int]
    globals: tuple[int, ...]
    pages: int


class Reader:
    """Bytes that are read one number after the other."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def __bool__(self) -> bool:
        return self.at < len(self.data)

    def byte(self) -> int:
        """The next byte."""
        self.at += 1
        return self.data[self.at - 1]

    def take(self, count: int) -> bytes:
        """The next bytes."""
        self.at += count
        return self.data[self.at - count : self.at]

    def whole(self, *, signed: bool = False) -> int:
        """A number in groups of 7 bits, the lowest first (LEB128)."""
        value = shift = 0
        while True:
            byte = self.byte()
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value - (1 << shift) if signed and byte & 64 else value

    def vector(self) -> range:
        """As many numbers as items follow."""
        return range(self.whole())


def read(code: bytes) -> Module:
    """The module in these bytes.

    Raises:
        UntranslatedError: if it has a part that is not known here.
    """
    data = Reader(code)
    if data.take(8) != b"\0asm\1\0\0\0":
        raise UntranslatedError("these bytes are no WebAssembly module of version 1.")
    sections: dict[int, Reader] = {}
    while data:
        number = data.byte()
        sections[number] = Reader(data.take(data.whole()))
    known = {0, TYPE, FUNCTION, TABLE, MEMORY, GLOBAL, EXPORT, CODE}
    if not sections.keys() <= known:
        raise UntranslatedError(f"the module has sections {sorted(sections.keys() - known)}.")
    types = [_signature(sections[TYPE]) for _ in sections[TYPE].vector()]
    kinds = [types[sections[FUNCTION].whole()] for _ in sections[FUNCTION].vector()]
    bodies = sections[CODE]
    count = bodies.whole()
    if count != len(kinds):
        raise UntranslatedError(f"{len(kinds)} functions have {count} bodies.")
    functions = tuple(_function(kind, Reader(bodies.take(bodies.whole()))) for kind in kinds)
    globals_ = tuple(_global(sections[GLOBAL]) for _ in sections[GLOBAL].vector())
    return Module(functions, _exports(sections[EXPORT]), globals_, _pages(sections[MEMORY]))


def _signature(data: Reader) -> tuple[tuple[str, ...], str | None]:
    data.byte()
    parameters = tuple(TYPES[data.byte()] for _ in data.vector())
    results = [TYPES[data.byte()] for _ in data.vector()]
    if len(results) > 1:
        raise UntranslatedError("a function has several results.")
    return parameters, results[0] if results else None


def _function(kind: tuple[tuple[str, ...], str | None], data: Reader) -> Function:
    variables: list[str] = []
    for _ in data.vector():
        count = data.whole()
        variables += [TYPES[data.byte()]] * count
    return Function(*kind, tuple(variables), data.data[data.at :])


def _global(data: Reader) -> int:
    kind = TYPES[data.byte()]
    data.byte()  # whether it may change
    if kind != "i32" or data.byte() != 0x41:
        raise UntranslatedError("a global variable is no i32, or does not start with a number.")
    value = data.whole(signed=True)
    data.byte()  # end
    return value


def _exports(data: Reader) -> dict[str, int]:
    found = {}
    for _ in data.vector():
        name = data.take(data.whole()).decode()
        kind, number = data.byte(), data.whole()
        if kind == 0:
            found[name] = number
    return found


def _pages(data: Reader) -> int:
    data.whole()  # one memory
    data.byte()  # whether it has a limit
    return data.whole()


def instructions(body: bytes) -> Iterator[tuple[int, object]]:
    """Each instruction of a body: its number, 0xFDxx or 0xFCxx with a prefix, and its operand."""
    data = Reader(body)
    while data:
        number = data.byte()
        if number in (SIMD, MISCELLANEOUS):
            number = number << 8 | data.whole()
        yield number, _operand(number, data)


def _operand(number: int, data: Reader) -> object:
    if number in INDEXED:
        return data.whole()
    if number in ADDRESSED:
        data.whole()  # alignment, a hint
        return data.whole()
    if number in LANE_ADDRESSED:
        data.whole()
        return data.whole(), data.byte()
    if number in LANED:
        return data.byte()
    if number in BLOCKS:
        if data.byte() != EMPTY:
            raise UntranslatedError("a block has a result.")
        return None
    if number == 0x0E:  # br_table
        return [data.whole() for _ in range(data.whole() + 1)]
    if number in (0x41, 0x42):
        return data.whole(signed=True)
    if number == 0x43:
        return data.take(4)
    if number == 0x44:
        return data.take(8)
    if number in (0xFD0C, 0xFD0D):
        return data.take(16)
    return None
