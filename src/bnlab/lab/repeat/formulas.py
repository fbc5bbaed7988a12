"""Formulas by which a page makes the values of an effect from its rows; see ``repeat_formulas.js``.

An effect without a formula is not about trained rows alone: a page keeps the values that the
evidence has.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

Formula = Mapping[str, object]
Formulas = dict[str, Formula]


def lead(
    arm: str, other: str, column: str = "test_accuracy", subtracted: str | None = None
) -> Formula:
    """A column of one arm minus one of another, the same unless it is named."""
    return {"kind": "lead", "arms": [arm, other], "columns": [column, subtracted or column]}


def contrast(pair: Sequence[str], other: Sequence[str], column: str) -> Formula:
    """The lead of one pair of arms minus that of another pair."""
    return {"kind": "contrast", "arms": [*pair, *other], "column": column}


def decades(above: str, below: str, column: str = "loss") -> Formula:
    """log10 of a column of one arm over that of another."""
    return {"kind": "decades", "arms": [above, below], "column": column}


def spread(arms: Sequence[str], less: Sequence[str] = (), column: str = "test_accuracy") -> Formula:
    """The range of a column over some arms, less that over other arms if there are any."""
    return {"kind": "spread", "arms": [list(arms), list(less)], "column": column}


def usable(arms: Sequence[str], others: Sequence[str]) -> Formula:
    """log10 of the largest usable rate of some arms over that of others, in rising order of rates.

    See ``bnlab.verdicts.tuning``.
    """
    return {"kind": "usable", "arms": [list(arms), list(others)]}


def missing(none: str, batch: str, other: str, column: str = "loss") -> Formula:
    """The share of what BatchNorm gains over no normalizer that a third arm lacks, in log terms."""
    return {"kind": "missing", "arms": [none, batch, other], "column": column}


def order(arms: Sequence[str], beside: Sequence[Sequence[float]], column: str = "loss") -> Formula:
    """Kendall's tau over some arms, of a column and what the evidence measured ``beside`` it.

    Args:
        arms: that are ordered.
        beside: (arms, seeds), of the seeds of the evidence: for others there is no value.
        column: of the rows.
    """
    return {"kind": "order", "arms": list(arms), "column": column, "beside": beside}
