"""``repeat``: the rows of a claim are trained once more, and each is compared with the evidence.

What the compiled engine trains is the same to the last bit on every machine. Other engines sum in
another order on another machine, and trainings carry such differences on: there a number may
differ by ``TOLERANCE`` of its size, or by as much outright if it is less than 1.
"""

from __future__ import annotations

import argparse
import math
from pathlib import Path

from bnlab.claims import claim
from bnlab.verdicts import evidence
from bnlab.verdicts.again import ENGINE
from bnlab.verdicts.audit import by_identity, first_difference, name_of_row, rows_again
from bnlab.verdicts.verdict import DIGITS

SEEDS = 2
TOLERANCE = 0.02


def add_command(commands: argparse._SubParsersAction, count: type) -> argparse.ArgumentParser:
    """Add ``repeat`` to the command; ``count`` reads a whole number of 1 or more."""
    parser = commands.add_parser(
        "repeat", help="train rows of a claim again; fail if one is not that of the evidence"
    )
    parser.add_argument("id", metavar="ID", help="such as T6")
    parser.add_argument(
        "--seeds", type=count, default=SEEDS, metavar="N", help=f"of the evidence (default {SEEDS})"
    )
    parser.add_argument("--scale", default=DIGITS, help="digits or cifar10, where a claim has it")
    return parser


def repeat(name: str, folder: Path, count: int = SEEDS, scale: str = DIGITS) -> bool:
    """Train some seeds of a claim again and say of each row whether it is the same.

    Args:
        name: of the claim.
        folder: where its evidence lies.
        count: of its seeds, the first and the last among them.
        scale: that it was measured at.

    Returns:
        Whether all rows are the same, to the last bit or within ``TOLERANCE``.

    Raises:
        ValueError: for a claim that has no measurement or evidence.
    """
    item = claim(name, scale)
    if item.measure is None:
        raise ValueError(f"claim {name} has no measurement at scale {scale!r}.")
    stored = evidence.load(item, folder, scale)
    exact = stored.data.get("engine") == ENGINE
    _, found = rows_again(stored, count)
    rows, wrong = by_identity(stored.data), 0
    for key, row in found.items():
        before = rows.get(key)
        same = before is not None and (before == row if exact else is_near(before, row))
        wrong += not same
        outcome = "the same" if same else _how(stored.data, before, row)
        print(f"{name}: {name_of_row(stored.data, key)}: {outcome}")
    how = "to the last bit" if exact else f"within {100 * TOLERANCE:g} %"
    print(f"{name}: {len(found) - wrong} of {len(found)} rows are the same {how}.")
    return wrong == 0


def _how(data: dict, before: list | None, row: list) -> str:
    if before is None:
        return "is new"
    return f"differs: {first_difference(data, before, row)}"


def is_near(before: object, now: object) -> bool:
    """Whether two values of rows are the same within ``TOLERANCE``; lists entry by entry."""
    if isinstance(before, list) and isinstance(now, list):
        return len(before) == len(now) and all(map(is_near, before, now))
    numbers = all(isinstance(one, int | float) for one in (before, now))
    if not numbers or bool in (type(before), type(now)):
        return before == now
    return math.isclose(before, now, rel_tol=TOLERANCE, abs_tol=TOLERANCE)
