"""``repeat``: some seeds of a claim are measured once more, and compared with the evidence.

Rows that tell of trainings by the compiled engine and of nothing else are the same to the last bit
on every machine. All others hold what PyTorch or NumPy computed, and are compared as
``bnlab.claims.nearness`` says. So are the tables beside the rows; what is left out is named.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bnlab.claims import claim
from bnlab.claims.nearness import TOLERANCE, is_near
from bnlab.claims.tables import NOT_REPEATED, ROWS, columns_of, keyed, tables_of
from bnlab.verdicts import evidence
from bnlab.verdicts.again import ENGINE
from bnlab.verdicts.audit import data_again
from bnlab.verdicts.verdict import DIGITS

SEEDS = 2
BITS, NEAR = "to the last bit", f"within {100 * TOLERANCE:g} %"
DRIFT = (
    "on another processor PyTorch rounds otherwise, and a training makes more of that. Whether the "
    "verdict stays says 'python -m bnlab.claims measure {name} --output FOLDER'."
)
TRAINED = {
    *("loss", "last_loss", "end", "accuracy", "val_accuracy", "test_accuracy", "diverged_at")
}
"""Columns by which a row tells of a training alone."""


@dataclass(frozen=True)
class Compared:
    """A row of today and that of the evidence.

    Attributes:
        name: of the row, in words.
        exact: whether it must be the same to the last bit.
        how: in which way it is the same, ``BITS`` or ``NEAR``, or "".
        wrong: what is not the same, in words.
    """

    name: str
    exact: bool
    how: str
    wrong: str = ""

    def __str__(self) -> str:
        same = "the same" if self.how == BITS else f"the same {self.how}"
        return f"{self.name}: {self.wrong or same}"


def add_command(commands: argparse._SubParsersAction, count: type) -> argparse.ArgumentParser:
    """Add ``repeat`` to the command; ``count`` reads a whole number of 1 or more."""
    parser = commands.add_parser(
        "repeat", help="measure seeds of a claim again; fail if a row is not that of the evidence"
    )
    parser.add_argument("id", metavar="ID", help="such as T6")
    parser.add_argument(
        "--seeds", type=count, default=SEEDS, metavar="N", help=f"of the evidence (default {SEEDS})"
    )
    parser.add_argument("--scale", default=DIGITS, help="digits or cifar10, where a claim has it")
    return parser


def repeat(name: str, folder: Path, count: int = SEEDS, scale: str = DIGITS) -> bool:
    """Measure some seeds of a claim again and say of each row whether it is the same.

    Args:
        name: of the claim.
        folder: where its evidence lies.
        count: of its seeds, the first and the last among them.
        scale: that it was measured at.

    Returns:
        Whether all rows are the same, to the last bit or as ``nearness`` says.

    Raises:
        ValueError: for a claim that has no measurement or evidence.
    """
    item = claim(name, scale)
    if item.measure is None:
        raise ValueError(f"claim {name} has no measurement at scale {scale!r}.")
    stored = evidence.load(item, folder, scale)
    seeds, again = data_again(stored, count)
    found = {
        table: list(compared(stored.data, again, table, seeds)) for table in tables_of(stored.data)
    }
    for rows in found.values():
        for one in rows:
            print(f"{name}: {one}")
    for table, rows in found.items():
        if rows:
            print(f"{name}: {summed(table, rows)}")
    for sentence in left_out(stored.data, found):
        print(f"{name}: {sentence}")
    if lacking := missing(stored.data, again, seeds):
        print(f"{name}: {not_again(lacking)}")
    if any(one.wrong and not one.exact for rows in found.values() for one in rows):
        print(f"{name}: {DRIFT.format(name=name)}")
    if not found[ROWS]:
        print(f"{name}: no row was measured again, so nothing of the evidence is confirmed.")
    return bool(found[ROWS]) and not any(one.wrong for rows in found.values() for one in rows)


def compared(
    stored: Mapping, again: Mapping, table: str, seeds: Sequence[int]
) -> Iterator[Compared]:
    """The rows of a table that were measured again.

    Of ``rows`` those of the seeds. Other tables may have seeds of their own; those that chose a
    learning rate, and those that the evidence does not have, are passed over.
    """
    columns, before = columns_of(stored, table), keyed(stored, table)
    place = columns.index("seed") if columns else 0
    known = set(seeds) if table == ROWS else {key[place] for key in before}
    counted = known - set(stored.get("tuning_seeds") or ())
    now = keyed(again, table) if again.get(table) else None
    for key, row in (now or {}).items():
        if key[place] not in counted:
            continue
        names = columns or [table] * len(row)
        exact = is_exact(stored, names[place + 1 :], row[place + 1 :])
        told = name_of(table, columns or ["seed"], key)
        yield Compared(told, exact, *likeness(names, before.get(key), row, exact))


def missing(stored: Mapping, again: Mapping, seeds: Sequence[int]) -> list[str]:
    """What names the rows of these seeds that the evidence has and a new measurement lacks."""
    columns, now = columns_of(stored, ROWS), keyed(again, ROWS)
    counted, place = set(seeds) - set(stored.get("tuning_seeds") or ()), columns.index("seed")
    return [
        name_of(ROWS, columns, key)
        for key in keyed(stored, ROWS)
        if key[place] in counted and key not in now
    ]


def not_again(lacking: Sequence[str]) -> str:
    """The sentence about what ``missing`` found."""
    rows = "row of these seeds was" if len(lacking) == 1 else "rows of these seeds were"
    return f"{len(lacking)} {rows} not measured again, such as {lacking[0]}."


def is_exact(data: Mapping, columns: Sequence[str], row: Sequence) -> bool:
    """Whether a row tells of a training by the compiled engine, and of nothing else."""
    told = {column for column, entry in zip(columns, row, strict=True) if entry is not None}
    return data.get("engine") == ENGINE and told <= TRAINED


def likeness(
    columns: Sequence[str], before: list | None, row: list, exact: bool
) -> tuple[str, str]:
    """In which way two rows are the same, and what is not the same."""
    if before is None:
        return "", "is new"
    if before == row:
        return BITS, ""
    if len(before) != len(row):
        return "", f"differs: it had {len(before)} entries, and has {len(row)}"
    for column, old, new in zip(columns, before, row, strict=True):
        if old != new and (exact or not is_near(old, new, column)):
            return "", f"differs: {column} was {str(old)[:40]}, is {str(new)[:40]}"
    return NEAR, ""


def name_of(table: str, columns: Sequence[str], key: tuple) -> str:
    """What names a row, in words."""
    words = [f"{column} {value}" for column, value in zip(columns, key, strict=False)]
    number = [key[-1]] if str(key[-1]).startswith("no. ") else []
    named = words[: len(key) - len(number)] + number
    return ", ".join(named if table == ROWS else [table, *named])


def summed(table: str, rows: Sequence[Compared]) -> str:
    """How many rows of a table are the same, and in which way."""
    same = [one.how for one in rows if not one.wrong]
    of = "rows" if table == ROWS else f"rows of {table}"
    start = f"{len(same)} of {len(rows)} {of} are the same"
    if all(one.exact for one in rows):
        return f"{start} {BITS}."
    return f"{start} {NEAR}, {same.count(BITS)} of them {BITS}."


def left_out(data: Mapping, found: Mapping[str, Sequence[Compared]]) -> Iterator[str]:
    """A sentence for each table of the evidence of which nothing was measured again."""
    for table, rows in found.items():
        if not rows:
            yield f"{table} was not repeated: it has nothing of these seeds."
    for table, why in NOT_REPEATED.items():
        if data.get(table):
            yield f"{table} was not repeated: {why}."
