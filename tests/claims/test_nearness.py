"""What of two numbers is the machine's doing, by what they are."""

import pytest

from bnlab.claims.nearness import LOG_TOLERANCE, TOLERANCE, is_near

SAME = [
    ("loss", 2.0, 2.0 * (1 + TOLERANCE / 2)),
    ("loss", 0.0100, 0.0101),
    ("gradient", 1e-4, 1.01e-4),
    ("error", 5e-16, 1.7e-15),
    ("test_accuracy", 0.9567, 0.97),
    ("test_accuracy", 0.1, 0.1033),
    ("accuracies", [0.03, 0.98], [0.0333, 0.97]),
    ("cosine", 0.0, LOG_TOLERANCE / 2),
    ("shifts", [-0.0067, 0.548], [-0.0012, 0.54]),
    ("difference", 1e-6, 1.3e-6),
    ("macs", 100_000, 100_000),
    ("diverged_at", 117, 118),
    ("diverged_at", None, None),
    ("loss", [1.0, "a"], [1.0, "a"]),
    ("trained", True, True),
]
DIFFERENT = [
    ("loss", 2.0, 2.0 * (1 + 2 * TOLERANCE)),
    ("loss", 0.010, 0.012),
    ("loss", 0.0005, 0.0),
    ("gradient", 1e-4, 2e-4),
    ("gradient", 1e-9, 3e-9),
    ("error", 5e-16, 1e-11),
    ("test_accuracy", 0.95, 0.97),
    ("test_accuracy", 0.1, 0.1067),
    ("val", 0.5, 0.52),
    ("accuracies", [0.03, 0.98], [0.0433, 0.98]),
    ("cosine", 0.0, 2 * LOG_TOLERANCE),
    ("cosine", 0.01, -0.01),
    ("shifts", [-0.0067, 0.548], [-0.0067, 0.57]),
    ("difference", 1e-6, 1e-5),
    ("layers", 3, 4),
    ("diverged_at", 5, 6),
    ("diverged_at", None, 3),
    ("loss", [1.0], [1.0, 1.0]),
    ("trained", True, False),
    ("norm", "batch", "layer"),
    ("loss", float("nan"), 1.0),
]


@pytest.mark.parametrize(("column", "before", "now"), SAME)
def test_what_is_the_same(column, before, now):
    assert is_near(before, now, column) and is_near(now, before, column)


@pytest.mark.parametrize(("column", "before", "now"), DIFFERENT)
def test_what_is_not_the_same(column, before, now):
    assert not is_near(before, now, column) and not is_near(now, before, column)
