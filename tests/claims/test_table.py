"""Rows by the names of their columns, and names of facts."""

import numpy as np
import pytest

from bnlab.verdicts.table import Table, fact_name

TABLE = Table(
    ("part", "norm", "lr", "seed", "loss", "layers"),
    [
        ["race", "none", 0.1, 2, 0.5, None],
        ["race", "none", 0.1, 1, 0.25, None],
        ["race", "none", 1.0, 1, 4.0, None],
        ["race", "none", 1.0, 2, 8.0, None],
        ["race", "batch", 0.1, 1, 1.5, None],
        ["look", "none", None, 1, None, [1.0, 2.0]],
        ["look", "none", None, 2, None, [3.0, 4.0]],
    ],
)


def test_rows_are_chosen_by_a_value_or_by_several():
    assert len(TABLE.where(norm="batch")) == 1
    assert TABLE.where(part="race", norm="none", seed=(2,)).column("loss").tolist() == [0.5, 8.0]
    assert TABLE.where(seed=range(2, 9), lr=[0.1, 1.0]).entries("loss") == [0.5, 8.0]
    assert len(TABLE.where(lr=None)) == 2 and not len(TABLE.where(norm="layer"))


def test_a_column_comes_in_the_order_that_is_asked_for():
    plain = TABLE.where(part="race", norm="none")
    assert plain.column("loss", seed=[1, 2], lr=[1.0]).tolist() == [[4.0], [8.0]]
    assert plain.column("loss", lr=[0.1, 1.0], seed=[1, 2]).tolist() == [[0.25, 0.5], [4.0, 8.0]]
    looks = TABLE.where(part="look").column("layers", seed=[2, 1])
    np.testing.assert_array_equal(looks, [[3.0, 4.0], [1.0, 2.0]])


def test_what_was_not_measured_is_not_made_up():
    with pytest.raises(KeyError):
        TABLE.where(part="race", norm="batch").column("loss", seed=[1, 2])
    for act in (lambda: TABLE.column("gain"), lambda: TABLE.where(gain=1)):
        with pytest.raises(ValueError, match=r"no column .gain. .*Known: part, norm, lr"):
            act()


def test_rows_and_combinations_by_name():
    first, *_ = TABLE
    assert first["lr"] == 0.1 and first["layers"] is None
    assert TABLE.where(part="race").distinct("norm", "lr") == [
        ("none", 0.1),
        ("none", 1.0),
        ("batch", 0.1),
    ]


@pytest.mark.parametrize(
    ("parts", "name"),
    [
        (("ratio", 6, 0.1), "ratio_6_0_1"),
        (("none", 1.0), "none_1"),
        (("linear", "batch", f"{1e-4:.0e}"), "linear_batch_1e04"),
        (("schedule", "too late", "loss"), "schedule_too_late_loss"),
    ],
)
def test_the_name_of_a_fact_is_a_word(parts, name):
    assert fact_name(*parts) == name and name.isidentifier()
