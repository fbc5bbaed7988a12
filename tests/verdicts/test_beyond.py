"""Rates beyond the largest one that was tried: as many as it takes, no more, for all seeds."""

import pytest

from bnlab.train import Run
from bnlab.verdicts import beyond
from bnlab.verdicts.beyond import go_beyond
from bnlab.verdicts.race import Arm, race, usable
from bnlab.verdicts.work import HERE

ARMS = {"a": Arm({"norm": "none"}, (0.03, 0.1)), "b": Arm({"norm": "batch"}, (0.03, 0.1))}
BASE = Run(net="mlp", depth=1, width=4, batch_size=16, steps=5, eval_every=5)


@pytest.fixture
def trained(monkeypatch):
    """Nets of arm a bear rates up to 1 with seed 5, up to 0.1 else; those of arm b up to 0.03."""
    asked = []

    def outcome(run):
        asked.append((run.norm, run.lr, run.seed))
        most = 0.03 if run.norm == "batch" else 1.0 if run.seed == 5 else 0.1
        best = 0.02 * (run.lr == 0.03)  # so that the search for the best rate is short
        accuracy = 0.5 + best if run.lr <= most else 0.1
        return [1.0, 1.0, accuracy, accuracy, None]

    monkeypatch.setattr("bnlab.verdicts.race.train_one", outcome)
    monkeypatch.setattr(beyond, "train_one", outcome)
    monkeypatch.setattr("bnlab.verdicts.work.check_importable", lambda function: None)
    return asked


def test_it_goes_on_until_the_largest_rate_is_usable_for_no_seed(trained):
    data = race(ARMS, BASE, [5, 6], HERE, everywhere=True)
    before = len(trained)
    assert usable(data, "a").tolist() == [0.1, 0.1]  # a bound from below
    go_beyond(data, ARMS, HERE)
    assert usable(data, "a").tolist() == [1.0, 0.1]
    assert usable(data, "b").tolist() == [0.03, 0.03]
    new = [("none", lr, seed) for lr in (0.3, 1.0, 3.0) for seed in (0, 5, 6)]
    assert trained[before:] == new
    count = len(trained)
    go_beyond(data, ARMS, HERE)
    assert len(trained) == count
