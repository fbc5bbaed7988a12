"""What decides a verdict does not hang on the last digit, which differs between processors."""

from functools import cache

import numpy as np
import pytest
from scipy import stats

from bnlab import claims
from bnlab.claims import interval
from bnlab.verdicts import evidence
from bnlab.verdicts.again import FOLDER
from bnlab.verdicts.evidence import Evidence, results_folder
from bnlab.verdicts.interval import CONFIDENCE, RESAMPLES
from bnlab.verdicts.ties import first_best, largest_usable

EVIDENCE = [path for path in sorted(results_folder().rglob("*.json")) if path.parent.name != FOLDER]
FILES = [path.relative_to(results_folder()) for path in EVIDENCE]


@cache
def stored(path):
    """The evidence in a file of the book; loaded once, for it is only read."""
    scale = path.stem.partition("-")[2] or "digits"
    item = claims.claim(path.stem.partition("-")[0])
    return evidence.load(item, results_folder() / path.parent, scale)


def shaken(measured, rng):
    """Every float in it times 1 + 1e-12 or 1 - 1e-12."""
    if isinstance(measured, list):
        return [shaken(each, rng) for each in measured]
    return measured * (1 + rng.choice((-1e-12, 1e-12))) if isinstance(measured, float) else measured


def shaken_rows(data, seed):
    """The data with all that was measured shaken; the columns up to the seed name a row."""
    rng, end = np.random.default_rng(seed), data["columns"].index("seed") + 1
    return data | {"rows": [[*row[:end], *shaken(row[end:], rng)] for row in data["rows"]]}


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("path", FILES, ids=str)
def test_evidence_shaken_in_the_last_digits_gives_the_same_verdict(path, seed):
    found = stored(path)
    again = Evidence(found.claim, shaken_rows(found.data, seed), found.meta).verdict
    assert again.word == found.verdict.word
    for now, was in zip(again.judgements, found.verdict.judgements, strict=True):
        assert now.word == was.word
        near = 1e-9 * (was.high - was.low) + 1e-11 * np.abs(was.values).max()
        near += 3e-12  # of the logarithm of a ratio near 1
        assert now.values == pytest.approx(was.values, rel=1e-9, abs=near)
        assert [now.mean, now.low, now.high] == pytest.approx(
            [was.mean, was.low, was.high], 0, near
        )


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("path", FILES, ids=str)
def test_effects_shaken_in_the_last_digits_have_the_same_intervals(path, seed):
    rng = np.random.default_rng(seed)
    for values in stored(path).values.values():
        values = np.asarray(values, dtype=float)
        low, high = interval(values)
        near = 1e-9 * (high - low) + 1e-11 * np.abs(values).max()
        moved = interval(values * (1 + rng.choice((-1e-12, 1e-12), len(values))))
        assert moved == pytest.approx((low, high), rel=0, abs=near)


def test_seven_equal_values_and_another_have_one_interval():
    """As in W2: seven of the eight are a tie, and so are many means of them."""
    values = np.array([0.15051499783199063] * 7 + [0.30102999566398114])
    down = np.nextafter(np.nextafter(values, -9), -9)
    mixed = np.where(values == values.max(), np.nextafter(values, 9), down)
    assert interval(values) == pytest.approx(interval(mixed), rel=1e-12)


@pytest.mark.parametrize("count", [16, 40])
def test_values_without_ties_have_the_interval_that_scipy_gives(count):
    """Skewed values, so that at least one end is the bootstrap's; no resample ties with them."""
    values = np.random.default_rng(count).exponential(size=count) + 0.1
    found = stats.bootstrap(
        (values,),
        np.mean,
        n_resamples=RESAMPLES,
        confidence_level=CONFIDENCE,
        rng=np.random.default_rng(0),
    ).confidence_interval
    half = stats.t.ppf((1 + CONFIDENCE) / 2, count - 1) * stats.sem(values)
    expected = min(found.low, values.mean() - half), max(found.high, values.mean() + half)
    assert found.high > values.mean() + half
    assert interval(values) == expected


def test_of_equal_scores_the_first_is_the_best_whichever_is_larger_by_rounding():
    assert first_best([0.5, 0.7, 0.7 + 1e-12]) == first_best([0.5, 0.7, 0.7 - 1e-12]) == 1
    assert first_best([0.5, 0.7, 0.7 + 1e-6]) == 2


@pytest.mark.parametrize("rounding", [-1e-12, 0, 1e-12])
def test_a_rate_that_loses_just_what_it_may_is_usable(rounding):
    """0.9467 - 0.05 is above 0.8967 or below it, by the rounding of the difference alone."""
    scores = np.array([[0.9467], [0.8967 + rounding], [0.8966]])
    assert largest_usable([0.1, 0.3, 1.0], scores, 0.05) == [0.3]
