"""Lanes that are loaded one by one, each behind a branch, as one load and a choice.

So the compiler writes a vector of ``a ? b[i] : 0`` for WebAssembly, which has no masked loads:

    block  CONDITION 0  br_if 0  PLACE              v128.load32_splat   local.set v  end
    block  CONDITION 1  br_if 0  PLACE + 4    get v  v128.load32_lane 1  local.set v  end
    ...

A processor guesses half of such branches wrong, which took a quarter of a step. All lanes are
loaded at once if one of them is wanted: the others are at most 12 bytes beside it.
"""

from __future__ import annotations

from dataclasses import dataclass

Instruction = tuple[int, object]
BLOCK, END, BRANCH_IF, CONSTANT, ADD, GET, SET, TEE = 0x02, 0x0B, 0x0D, 0x41, 0x6A, 0x20, 0x21, 0x22
FIRST = {0xFD09: ("splat", 4), 0xFD5C: ("zero", 4), 0xFD0A: ("splat", 8), 0xFD5D: ("zero", 8)}
LANE = {4: 0xFD56, 8: 0xFD57}
PURE = (GET, CONSTANT, 0x45, ADD, 0x71, 0x73, 0x74, 0xFD1B, 0xFD1D)  # eqz, and, xor, shl, lanes
CONTROL = range(0x11)
LONGEST = 40


@dataclass(frozen=True)
class MaskedLoad:
    """What was found.

    Attributes:
        skips: instructions for each lane that say whether it stays as it is.
        place: instructions for the place of the first lane.
        first: what the first load makes of the other lanes: its ``splat``, or ``zero``.
        local: the number of the vector.
        end: of the code that this stands for.
    """

    skips: list[list[Instruction]]
    place: list[Instruction]
    first: str
    local: int
    end: int


def masked_load(code: list[Instruction], start: int) -> MaskedLoad | None:
    """The masked load at ``start``, if there is one."""
    found = _block(code, start)
    if found is None or len(found[1]) < 3:
        return None
    skip, (*place, load, (_, local)), end = found
    if load[0] not in FIRST or load[1] != 0:
        return None
    first, size = FIRST[load[0]]
    skips = [skip]
    for lane in range(1, 16 // size):
        found = _block(code, end)
        offset = [(CONSTANT, size * lane), (ADD, None)]
        wanted = [*place, *offset, (GET, local), (LANE[size], (0, lane)), (SET, local)]
        if found is None or found[1] != wanted:
            return None
        skips.append(found[0])
        end = found[2]
    # The first condition is run before all loads as it was; the others must not depend on them.
    parts = [*place, *(instruction for skip in skips[1:] for instruction in skip)]
    if any(n not in PURE or (n == GET and which == local) for n, which in parts):
        return None
    if any(n in CONTROL for n, _ in skip):
        return None
    return MaskedLoad(skips, place, first, local, end)


def _block(
    code: list[Instruction], start: int
) -> tuple[list[Instruction], list[Instruction], int] | None:
    """Condition and rest of a block with one branch that ends by setting a local; its end."""
    if start >= len(code) or code[start][0] != BLOCK:
        return None
    numbers = [number for number, _ in code[start : start + LONGEST]]
    if END not in numbers or numbers.count(BRANCH_IF) == 0:
        return None
    end, branch = start + numbers.index(END), start + numbers.index(BRANCH_IF)
    if branch > end or code[branch][1] != 0 or code[end - 1][0] != SET:
        return None
    return code[start + 1 : branch], code[branch + 1 : end], end + 1
