"""The rows of a measurement, by the names of their columns; and names of facts."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

SEVERAL = (tuple, list, range, set, frozenset)


@dataclass(frozen=True)
class Table:
    """Rows with named columns.

    Attributes:
        columns: their names.
        rows: each a list, with an entry a column.

    Example:
        >>> table = Table(["norm", "seed", "loss"], [["none", 1, 0.5], ["batch", 1, 0.25]])
        >>> table.where(norm="batch").column("loss")
        array([0.25])
        >>> table.column("loss", norm=["batch", "none"], seed=[1])
        array([[0.25],
               [0.5 ]])
    """

    columns: Sequence[str]
    rows: Sequence[Sequence]

    @classmethod
    def of(cls, data: Mapping) -> Table:
        """What a measurement returned."""
        return cls(data["columns"], data["rows"])

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """The rows, each by the names of its columns."""
        return (dict(zip(self.columns, row, strict=True)) for row in self.rows)

    def where(self, **wanted: object) -> Table:
        """The rows in which each of these columns has this value, or one of these values.

        Raises:
            ValueError: for a column that there is not.
        """
        tests = [
            (self._at(name), value if isinstance(value, SEVERAL) else (value,))
            for name, value in wanted.items()
        ]
        kept = [row for row in self.rows if all(row[at] in value for at, value in tests)]
        return Table(self.columns, kept)

    def entries(self, name: str, **along: Collection) -> list:
        """One column: row by row, or a row for each combination of the values of other columns.

        Args:
            name: of the column.
            **along: for some columns the values that are wanted, in the order that is wanted; the
                last one varies fastest.

        Raises:
            KeyError: if a combination has no row.
            ValueError: for a column that there is not.
        """
        at = self._at(name)
        if not along:
            return [row[at] for row in self.rows]
        keys = [self._at(one) for one in along]
        found = {tuple(row[one] for one in keys): row[at] for row in self.rows}
        return [found[place] for place in itertools.product(*along.values())]

    def column(self, name: str, **along: Collection) -> np.ndarray:
        """``entries`` as an array: an axis for each of ``along``, then those of the entry."""
        found = np.array(self.entries(name, **along))
        shape = [len(values) for values in along.values()] or found.shape[:1]
        return found.reshape(*shape, *found.shape[1:])

    def distinct(self, *names: str) -> list[tuple]:
        """The combinations of values that these columns have, each once, in order."""
        places = [self._at(name) for name in names]
        return list(dict.fromkeys(tuple(row[at] for at in places) for row in self.rows))

    def _at(self, name: str) -> int:
        if name not in self.columns:
            raise ValueError(f"no column {name!r} in the table. Known: {', '.join(self.columns)}.")
        return self.columns.index(name)


def fact_name(*parts: object) -> str:
    """The name of a fact: parts joined by ``_``, numbers as short as they are.

    Example:
        >>> fact_name("ratio", 6, 0.1)
        'ratio_6_0_1'
    """
    words = (f"{part:g}" if isinstance(part, float) else str(part) for part in parts)
    return "_".join(words).replace(".", "_").replace(" ", "_").replace("-", "")
