"""The tables in the data of evidence that hold results, a row or more for each seed.

Most claims have ``rows`` alone. Some keep more beside them: as ``{columns, rows}``, as a list with
its columns in another one, or as a list with an entry for each seed, in their order.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from bnlab.chapters.batch_renorm import r4_constant_statistics

ROWS = "rows"
NOT_REPEATED = {
    "times": "they are seconds, which differ each time",
    "tuning": "it chose the learning rates",
    "limits": "it has means over some seeds",
}
"""Tables of results that ``repeat`` leaves out, and why."""

COLUMNS = {
    "widths": ("trained", "width", "seed", "accuracy"),
    "constant": r4_constant_statistics.COLUMNS,
}
"""Of tables that come without."""

Key = tuple
Keyed = dict[Key, list]


def columns_of(data: Mapping, name: str) -> list[str] | None:
    """The columns of a table; None for a list with an entry for each seed, or for what is none."""
    table = data[name]
    if name == ROWS:
        return data["columns"]
    if isinstance(table, Mapping):
        return table.get("columns")
    if not isinstance(table, list) or not table or not isinstance(table[0], list):
        return None
    offered = (f"{name}_columns", "columns", "seen_columns")
    known = [COLUMNS.get(name, ()), *(data[key] for key in offered if key in data)]
    return next((list(one) for one in known if len(one) == len(table[0])), None)


def keyed(data: Mapping, name: str) -> Keyed | None:
    """The rows of a table by what names them; None if it has no results for each seed.

    A row is named by the columns up to its seed and, where several have one name, its number among
    them. An entry for each seed, in their order, is named by its seed.
    """
    columns, table = columns_of(data, name), data[name]
    if columns and "seed" in columns:
        end, rows, seen = columns.index("seed") + 1, table, Counter()
        if isinstance(table, Mapping):
            rows = table["rows"]
        found = {}
        for row in rows:
            key = tuple(row[:end])
            seen[key] += 1
            found[key if seen[key] == 1 else (*key, f"no. {seen[key]}")] = row
        return found
    by_seed = isinstance(table, list) and table and isinstance(table[0], list)
    if by_seed and len(table) == len(data["seeds"]):
        return {(seed,): entry for seed, entry in zip(data["seeds"], table, strict=True)}
    return None


def tables_of(data: Mapping) -> list[str]:
    """The tables that can be repeated: ``rows``, and what is beside it."""
    others = [name for name in data if name not in (ROWS, *NOT_REPEATED)]
    return [ROWS, *(name for name in others if keyed(data, name) is not None)]
