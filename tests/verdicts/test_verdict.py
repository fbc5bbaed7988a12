"""From numbers to words: intervals, judgements, verdicts."""

import numpy as np
import pytest

from bnlab.claims import Claim, Effect, decide, interval, judge
from bnlab.verdicts import verdict

RNG = np.random.default_rng(0)


def spread(mean, width=0.1, count=16):
    """Values with exactly this mean."""
    values = RNG.normal(size=count) * width
    return values - values.mean() + mean


def test_the_interval_holds_its_mean_and_shrinks_with_seeds():
    few, many = spread(1.0, 1.0, 8), spread(1.0, 1.0, 200)
    assert interval(few)[0] < 1.0 < interval(few)[1]
    assert np.ptp(interval(many)) < np.ptp(interval(few)) / 2


@pytest.mark.parametrize("seeds", [8, 16])
def test_the_interval_covers_the_truth_as_often_as_it_says(seeds, monkeypatch):
    monkeypatch.setattr(verdict, "RESAMPLES", 999)  # quicker, and enough to see
    rng = np.random.default_rng(1)
    hits = 0
    for _ in range(400):
        low, high = interval(rng.normal(size=seeds))
        hits += low <= 0 <= high
    assert 0.93 <= hits / 400 <= 0.985


def test_values_that_differ_by_rounding_alone_have_an_interval():
    low, high = interval(np.array([1.0] * 15 + [1.0000000000000002]))
    assert low == high == pytest.approx(1.0)


def test_rare_values_never_give_an_interval_of_nothing():
    low, high = interval(np.array([0.5] * 7 + [1.5]))
    assert low < 0.625 < high


def test_the_interval_is_the_same_every_time():
    values = spread(0.3)
    assert interval(values) == interval(values.copy())


def test_equal_values_have_an_interval_without_width():
    assert interval(np.full(8, 0.25)) == (0.25, 0.25)


@pytest.mark.parametrize("values", [[1.0], [], [[1.0, 2.0]]])
def test_too_few_values_have_no_interval(values):
    with pytest.raises(ValueError, match="at least 2 seeds"):
        interval(np.array(values))


def test_a_value_that_is_no_number_is_refused():
    with pytest.raises(ValueError, match="finite score"):
        interval(np.array([0.1, np.nan, 0.2]))


@pytest.mark.parametrize(
    ("kind", "mean", "width", "word"),
    [
        ("above", 2.0, 0.1, "shown"),
        ("above", 0.5, 0.1, "not shown"),
        ("above", -0.5, 0.1, "not shown"),
        ("above", -2.0, 0.1, "reversed"),
        ("above", 1.0, 1.0, "undecided"),
        ("above", -1.0, 1.0, "not shown"),
        ("at most", 0.0, 0.1, "shown"),
        ("at most", -9.0, 0.1, "shown"),
        ("at most", 2.0, 0.1, "reversed"),
        ("at most", 1.0, 1.0, "undecided"),
    ],
)
def test_each_word_can_come_out(kind, mean, width, word):
    effect = Effect("e", "an effect", "units", margin=1.0, kind=kind)
    assert judge(effect, spread(mean, width)).word == word


def test_a_claim_is_as_strong_as_its_weakest_part():
    effects = tuple(Effect(name, name, "u", 1.0) for name in "ab")
    claim = Claim("X1", "paper", "authors", "sentence", effects=effects)
    means = {"shown": 2.0, "not shown": 0.0, "reversed": -2.0}
    order = ["reversed", "not shown", "shown"]
    for first, one in means.items():
        for second, two in means.items():
            verdict = decide(claim, {"a": spread(one), "b": spread(two)})
            assert verdict.word == min(first, second, key=order.index)
            assert verdict.seeds == 16


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"a": np.ones(16)}, "no values for .*'b'"),
        ({"a": np.ones(16), "b": np.ones(15)}, "different numbers of seeds"),
        ({"a": np.ones(7), "b": np.ones(7)}, "at least 8 seeds, got 7"),
    ],
)
def test_no_verdict_on_incomplete_evidence(values, message):
    effects = tuple(Effect(name, name, "u", 1.0) for name in "ab")
    claim = Claim("X1", "paper", "authors", "sentence", effects=effects)
    with pytest.raises(ValueError, match=message):
        decide(claim, values)


def test_a_claim_without_effects_has_no_verdict():
    with pytest.raises(ValueError, match="no values for any effect"):
        decide(Claim("X1", "paper", "authors", "sentence"), {})
