"""No table with results is forgotten when a claim is repeated."""

from collections.abc import Mapping

import pytest

from bnlab.claims.tables import NOT_REPEATED, ROWS, columns_of, keyed, tables_of
from bnlab.store import read_object
from bnlab.verdicts.evidence import results_folder

FILES = sorted(results_folder().glob("*.json"))
SETTINGS = {"code", "nets", "places"}
"""They are no results: digests of code, and what is measured."""

FURTHER = {
    "B1": ["long"],
    "B1-cifar10": ["long"],
    "B2": ["trained"],
    "B2-cifar10": ["trained"],
    "LW1": ["seen", "long"],
    "LW2": ["seen"],
    "N2": ["widths"],
    "N5": ["tables", "accuracies"],
    "R4": ["constant"],
    "S1-cifar10": ["moves"],
    "S2-cifar10": ["moves"],
    "S3": ["equal"],
    "T4": ["gradients"],
    "T5": ["ends"],
    "T7": ["looks"],
}


def is_table(value):
    """Rows, by their shape."""
    in_dict = isinstance(value, Mapping) and "rows" in value
    return in_dict or (isinstance(value, list) and bool(value) and isinstance(value[0], list))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_table_is_repeated_or_named(path):
    data = read_object(path)
    found = tables_of(data)
    shaped = {name for name, value in data.items() if is_table(value)}
    assert shaped - SETTINGS == {*found, *(name for name in NOT_REPEATED if data.get(name))}
    assert found == [ROWS, *FURTHER.get(path.stem, [])]
    for name in found:
        rows, table = keyed(data, name), data[name]
        assert len(rows) == len(table["rows"] if isinstance(table, Mapping) else table)
        columns = columns_of(data, name)
        if columns:
            assert all(len(row) == len(columns) for row in rows.values())
