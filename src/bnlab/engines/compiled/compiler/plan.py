"""Where buffers lie in the heap: inputs and results at fixed places, all others by last use."""

from __future__ import annotations

import math
from collections.abc import Sequence

from bnlab.engines.compiled.compiler.graph import Lowering

ALIGNED = 4  # words: 16 bytes in float32, what one SIMD instruction takes
PADDING = 16  # words between buffers, so that they do not compete for the same lines of the cache


def words(kind: str, elements: int) -> int:
    """Words that a tensor takes; a double has two, as float32 programs need them."""
    return math.ceil(elements * (2 if kind == "double" else 1) / ALIGNED) * ALIGNED


def plan(
    low: Lowering, fixed: dict[str, int], first: int, batch: int
) -> tuple[dict[int, int], int]:
    """Word offsets of all buffers, and the end of the heap.

    Args:
        low: a finished lowering.
        fixed: offsets of the named buffers; NAME and NAME' (its new value) may be the same place.
        first: where the others may begin.
        batch: the largest batch.

    Raises:
        AssertionError: if the new value of a buffer is written before its old one was read.
    """
    offsets = {n: fixed[b.name] for n, b in low.buffers.items() if b.name is not None}
    _check_updates(low, offsets)
    lives = _lives(low)
    free: list[tuple[int, int]] = []  # (size, offset)
    end = first
    for number, call in enumerate(low.calls):
        for buffer in dict.fromkeys(root(low, b) for b, _ in call.places):
            if buffer in offsets:
                continue
            need = words(low.buffers[buffer].kind, low.buffers[buffer].size.at(batch)) + PADDING
            offsets[buffer], end = _placed(free, need, end)
        for buffer, (_, last) in lives.items():
            if last == number and low.buffers[buffer].name is None:
                need = words(low.buffers[buffer].kind, low.buffers[buffer].size.at(batch)) + PADDING
                free.append((need, offsets[buffer]))
    for number, buffer in low.buffers.items():
        if buffer.inside is not None:
            offsets[number] = _inside(low, offsets, number)
    return offsets, end


def _placed(free: list[tuple[int, int]], need: int, end: int) -> tuple[int, int]:
    # Of one size only: then each layer of a net finds its buffers at regular distances, and
    # programs of deep nets compress well.
    for slot in reversed(free):
        if slot[0] == need:
            free.remove(slot)
            return slot[1], end
    return end, end + need


def root(low: Lowering, buffer: int) -> int:
    """The buffer that contains this one, or itself."""
    while (inside := low.buffers[buffer].inside) is not None:
        buffer = inside[0]
    return buffer


def _inside(low: Lowering, offsets: dict[int, int], buffer: int) -> int:
    inside = low.buffers[buffer].inside
    return offsets[buffer] if inside is None else _inside(low, offsets, inside[0]) + inside[1]


def _lives(low: Lowering) -> dict[int, tuple[int, int]]:
    lives: dict[int, tuple[int, int]] = {}
    for number, call in enumerate(low.calls):
        for buffer, _ in call.places:
            top = root(low, buffer)
            lives[top] = (lives.get(top, (number, 0))[0], number)
    return lives


def _check_updates(low: Lowering, offsets: dict[int, int]) -> None:
    # State is updated in its place. That is right only if nobody reads what was there before.
    lives, names = _lives(low), {b.name: n for n, b in low.buffers.items() if b.name}
    for name, new in names.items():
        old = names.get(name.removesuffix("'"))
        if old in (None, new) or offsets[old] != offsets[new] or not {old, new} <= set(lives):
            continue
        assert lives[old][1] <= lives[new][1], f"{name} is written before its old value is read"
        _check_overlap(low, old, new, name)


def _check_overlap(low: Lowering, old: int, new: int, name: str) -> None:
    written: list[tuple[int, int]] = []
    for call in low.calls:
        reads = [(b, o) for b, o in call.places if b == old]
        for _, offset in reads:
            assert all(at > offset or at < offset for at, _ in written), (
                f"{name}: element {offset} is read after its new value was written"
            )
        written += [
            (low.buffers[b].inside[1] if b != new else o, b)
            for b, o in call.places
            if root(low, b) == new
        ]


def table(low: Lowering, offsets: dict[int, int], numbers: dict[tuple[str, int], int]) -> list[int]:
    """The program: for each call the number of its kernel and the places it gets."""
    program: list[int] = []
    for call in low.calls:
        program.append(numbers[call.kernel])
        program += [offsets[buffer] + offset for buffer, offset in call.places]
    return program


def ends(low: Lowering, marks: Sequence[int]) -> list[int]:
    """Lengths of the program up to each mark, in words."""
    lengths = [0]
    for call in low.calls:
        lengths.append(lengths[-1] + 1 + len(call.places))
    return [lengths[mark] for mark in marks]
