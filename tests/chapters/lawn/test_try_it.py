"""What chapter 10 lets its reader try does what the text says, at that link and seed."""

import pytest

from bnlab.lab.lawn.lawn import lawn_trainings

START = {"free": 0.05, "lr": 0.003, "wrong": 0.3, "seed": 964}


def curves(**state):
    found = {"adam": {}, "lawn": {}}
    for name, content in lawn_trainings({**START, **state}, "compiled"):
        for key in ("accuracy", "logits") if content else ():
            found[name].setdefault(key, []).extend(value for _, value in content[key])
    return found


@pytest.fixture(scope="module")
def start():
    return curves()


def test_at_first_lawn_ends_ahead_and_both_were_better_on_the_way(start):
    ends = {name: curve["accuracy"][-1] for name, curve in start.items()}
    tops = {name: max(curve["accuracy"]) for name, curve in start.items()}
    assert ends["lawn"] > ends["adam"] + 0.03
    assert abs(tops["lawn"] - tops["adam"]) < 0.03 and min(tops.values()) > ends["lawn"] + 0.08


def test_at_a_small_rate_they_are_level_and_better_than_lawn_was(start):
    adam, lawn = (curve["accuracy"][-1] for curve in curves(lr=0.0003).values())
    assert abs(adam - lawn) <= 0.02 and min(adam, lawn) > start["lawn"]["accuracy"][-1] + 0.05


def test_without_wrong_labels_large_logits_do_no_harm():
    clean = curves(wrong=0.0)
    assert clean["adam"]["logits"][-1] > clean["lawn"]["logits"][-1]
    assert abs(clean["adam"]["accuracy"][-1] - clean["lawn"]["accuracy"][-1]) <= 0.02


def test_at_a_rate_that_breaks_both_norms_held_from_the_start_save_lawn():
    assert max(curve["accuracy"][-1] for curve in curves(lr=0.1).values()) < 0.2
    held = curves(lr=0.1, free=0.0)
    assert held["adam"]["accuracy"][-1] < 0.2 and held["lawn"]["accuracy"][-1] > 0.5
    assert max(curve["accuracy"][-1] for curve in curves(lr=0.3, free=0.0).values()) < 0.2
