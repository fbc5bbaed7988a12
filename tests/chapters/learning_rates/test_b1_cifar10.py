"""B1 on CIFAR-10: the trainings that are made, and what follows from them."""

import numpy as np
import pytest

from bnlab.chapters.learning_rates import b1_cifar10 as b1
from bnlab.train import Run
from bnlab.verdicts.race import COLUMNS, RATES, Arm, train_one

TINY = Run(net="resnet", depth=1, width=4, batch_size=16, steps=10, eval_every=10)


@pytest.fixture
def tiny(monkeypatch):
    """The measurement with nets that train for a moment, on digits."""
    monkeypatch.setattr(b1, "BASE", TINY)
    arms = {name: Arm(arm.fields, (0.01, 0.03, 0.1)) for name, arm in b1.ARMS.items()}
    monkeypatch.setattr(b1, "ARMS", arms)


def test_long_trainings_have_seeds_of_their_own_and_a_repetition_makes_the_same_rows(tiny):
    data = b1.measure(seeds=[5, 6])
    assert [row[:3] for row in data["long"]] == [
        [arm, b1.SMALL_LR, seed + 8] for arm in ("none", "batch") for seed in (5, 6)
    ]
    longer = train_one(TINY.replace(norm="batch", lr=b1.SMALL_LR, seed=14, steps=30, eval_every=30))
    assert data["long"][-1][3:] == longer
    again = b1.repeat(data, [6])
    mine = [row for row in again["rows"] if row[COLUMNS.index("seed")] == 6]
    assert len(mine) >= 2 * 3 and all(row in data["rows"] for row in mine)
    assert set(b1.values(data)) == {"small", "own", "rate"}
    assert all(np.isfinite(number).all() for number in b1.values(data).values())


def test_the_counted_and_the_long_seeds_are_apart_and_first_rates_are_of_the_race():
    longer = {seed + b1.LONG_SEED for seed in b1.SEEDS}
    assert len(b1.SEEDS) == 8 and min(longer) == 1324 and not longer & set(b1.SEEDS)
    assert all(set(arm.lrs) < set(RATES) for arm in b1.ARMS.values())
    assert b1.BASE.eval_every == b1.BASE.steps and "warmup" not in b1.BASE.schedule_options


@pytest.fixture
def data():
    """BatchNorm is best at 0.3 and uses the largest rate that was tried; the other uses 0.03."""
    accuracy = {
        "none": {0.01: 0.46, 0.03: 0.5, 0.1: 0.1},
        "batch": {0.1: 0.55, 0.3: 0.6, 1.0: 0.58},
    }
    rows = [
        [arm, lr, seed, 1.5, 1.2, score, score, None]
        for arm, found in accuracy.items()
        for lr, score in found.items()
        for seed in (0, 1316, 1317)
    ]
    long = [
        ["none", 0.01, 1324, 1.5, 1.1, 0.6, 0.6, None],
        ["none", 0.01, 1325, 2.3, 2.3, 0.1, 0.1, 7],
        ["batch", 0.01, 1324, 1.5, 1.0, 0.6, 0.61, None],
        ["batch", 0.01, 1325, 1.5, 1.0, 0.6, 0.62, None],
    ]
    return {
        "base": b1.BASE.to_dict(),
        "arms": ["none", "batch"],
        "seeds": [1316, 1317],
        "tuning_seeds": [0],
        "columns": list(COLUMNS),
        "rows": rows,
        "long": long,
    }


def test_each_part_is_read_from_its_own_trainings(data):
    found = b1.values(data)
    assert found["small"] == pytest.approx([0.01, 0.52])  # a long net that diverged guesses
    assert found["own"] == pytest.approx([0.1, 0.1])
    assert found["rate"] == pytest.approx(np.log10([1.0 / 0.03] * 2))


def test_facts_say_where_the_largest_rate_that_was_tried_is_usable(data):
    found = b1.facts(data)
    assert (found["largest_none"], found["largest_batch"]) == (0.1, 1.0)
    assert (found["usable_none"], found["usable_batch"]) == (0.03, 1.0)
    assert found["long_batch"] == pytest.approx(61.5) and found["long_end_batch"] == 1.0
    assert found["long_steps"] == 3 * b1.BASE.steps
