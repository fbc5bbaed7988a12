"""Formulas by which a page makes the values of an effect from its rows; see ``repeat_formulas.js``.

An effect without a formula is not about trained rows alone: a page keeps the values that the
evidence has.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

Formula = Mapping[str, object]
Formulas = dict[str, Formula]


def lead(arm: str, other: str) -> Formula:
    """Test accuracy of one arm minus that of another."""
    return {"kind": "lead", "arms": [arm, other]}


def decades(above: str, below: str, column: str = "loss") -> Formula:
    """log10 of a column of one arm over that of another."""
    return {"kind": "decades", "arms": [above, below], "column": column}


def usable(arms: Sequence[str], others: Sequence[str]) -> Formula:
    """log10 of the largest usable rate of some arms over that of others, in rising order of rates.

    See ``bnlab.verdicts.tuning``.
    """
    return {"kind": "usable", "arms": [list(arms), list(others)]}


def missing(none: str, batch: str, other: str, column: str = "loss") -> Formula:
    """The share of what BatchNorm gains over no normalizer that a third arm lacks, in log terms."""
    return {"kind": "missing", "arms": [none, batch, other], "column": column}
