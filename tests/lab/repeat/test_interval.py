"""The page's interval is that of Python: the same draws, and ends equal to 12 digits."""

import numpy as np
import pytest
from scipy import special, stats

from bnlab.verdicts.interval import RESAMPLES, interval
from tests.lab.repeat.repeat_node import needs_node, node

pytestmark = [needs_node, pytest.mark.filterwarnings("ignore::RuntimeWarning")]
COUNTS = range(2, 33)
SEEDS = (0, 1, 7, 2**32 - 1, 2**32, 2**53 - 1)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_words_of_a_seed_are_those_of_numpy(seed):
    assert (
        node("seedWords(given, 8)", seed) == np.random.SeedSequence(seed).generate_state(8).tolist()
    )
    bits = np.random.default_rng(seed).integers(0, 2**32, 301, dtype=np.uint32)
    drawn = "((random) => Array.from({length: 301}, () => random.word()))(new Pcg64(given))"
    assert node(drawn, seed) == bits.tolist()


def test_the_resamples_are_those_that_scipy_draws():
    """Compared by what scipy hands to the statistic: the values are their own places."""
    taken = (
        "given.map(([n, seed]) => Array.from(resampledPlaces(n, seed), (places) => [...places]))"
    )
    cases = [(count, 1000 * (count % 3) + count // 2) for count in COUNTS]
    for (count, seed), places in zip(cases, node(taken, cases), strict=True):
        seen = []

        def keep(sample, axis, seen=seen):
            seen.append(sample)
            return sample.mean(axis)

        rng = np.random.default_rng(seed)
        stats.bootstrap((np.arange(count),), keep, n_resamples=RESAMPLES, rng=rng)
        assert np.array_equal(seen[0], places), count


def test_a_draw_is_rejected_where_numpy_rejects_it():
    """With a bound near 2**32 nearly each second number is drawn again."""
    bounds = [3 * 2**30 + 1, 2**31 + 1, 2**32 - 1, 1197]
    wanted = [np.random.default_rng(5).integers(0, bound, 301).tolist() for bound in bounds]
    drawn = "given.map((n) => [...new Pcg64(5).fillBelow(n, new Uint32Array(301))])"
    assert node(drawn, bounds) == wanted


def test_the_distributions_are_those_of_scipy():
    shares = [0.025, 0.5, 0.975, *(k / (2 * RESAMPLES) for k in (1, 2, 99, 9999, 10_000, 19_997))]
    places = np.linspace(-9, 9, 721)
    ppf, cdf, student = node(
        "[given[0].map(normalPpf), given[1].map(normalCdf),"
        " Array.from({length: 400}, (_, k) => studentPpf(0.975, k + 1))]",
        [shares, places.tolist()],
    )
    assert ppf == pytest.approx(special.ndtri(shares), rel=1e-13, abs=1e-15)
    assert cdf == pytest.approx(special.ndtr(places), rel=1e-12)
    assert student == pytest.approx(stats.t.ppf(0.975, np.arange(1, 401)), rel=1e-13)
    ends = "[normalPpf(0), normalPpf(1), normalPpf(NaN), normalCdf(-Infinity), normalCdf(NaN)]"
    assert node(f"{ends}.map(String)") == ["-Infinity", "Infinity", "NaN", "0", "NaN"]


def test_means_have_the_bits_of_numpy():
    rng = np.random.default_rng(4)
    rows = [rng.normal(size=count).tolist() for count in (*range(2, 40), 127, 128, 129, 300, 1197)]
    means = node("given.map((row) => meanOf(Float64Array.from(row)))", rows)
    assert means == [float(np.mean(row)) for row in rows]
    errors = node("given.map((row) => standardError(Float64Array.from(row)))", rows)
    assert errors == pytest.approx([float(stats.sem(row)) for row in rows], rel=1e-15)


def _samples() -> list[list[float]]:
    """Normal, skewed, tied, equal, of two values, huge, tiny, and equal but for rounding."""
    rng = np.random.default_rng(23)
    make = (
        lambda x: x,
        lambda x: np.exp(2 * x),
        np.round,
        lambda x: np.full(len(x), x[0]),
        lambda x: rng.choice(x[:2], len(x)),
        lambda x: 1e100 * x,
        lambda x: 10.0 ** rng.integers(-13, -3) * x,
        lambda x: 1 + 1e-9 * rng.uniform(0, 3) * x,
        lambda x: np.r_[1.0, np.zeros(len(x) - 1)],
        lambda x: -0.25 + np.round(360 * x) / 360,
    )
    return [make[k % len(make)](rng.normal(size=2 + k % 31)).tolist() for k in range(130)]


def test_the_intervals_are_those_of_python():
    """To 12 digits, of the end or, where mean and width cancel, of the largest value."""
    samples = _samples()
    for values, mine in zip(samples, node("given.map((v) => interval(v))", samples), strict=True):
        least = 1e-12 * max(map(abs, values))
        assert mine == pytest.approx(interval(np.array(values)), rel=1e-12, abs=least), values


def test_the_seed_of_the_resampling_counts():
    values = np.random.default_rng(1).gamma(0.3, size=12)
    mine = node("[0, 1, 99].map((seed) => interval(given, seed))", values.tolist())
    assert mine == [pytest.approx(interval(values, seed), rel=1e-12) for seed in (0, 1, 99)]
    assert len(set(map(tuple, mine))) == 3


def test_where_the_bootstrap_is_undefined_student_stands_alone():
    """The cubes of such numbers are infinite."""
    values = (1e150 * np.random.default_rng(2).normal(size=9)).tolist()
    half = stats.t.ppf(0.975, 8) * stats.sem(values)
    mean = np.mean(values)
    assert node("interval(given)", values) == pytest.approx([mean - half, mean + half], rel=1e-12)


def test_values_that_differ_by_rounding_alone_have_their_mean_as_interval():
    values = [0.3] * 7 + [0.3 + 2e-10]
    mean = float(np.mean(values))
    assert node("interval(given)", values) == [mean, mean] == list(interval(np.array(values)))


@pytest.mark.parametrize(
    "values, said", [([1.0], "needs at least 2 seeds, got 1"), ([0.1, None, 0.2], "is not finite")]
)
def test_too_few_values_and_no_numbers_are_refused(values, said):
    assert said in node("tried(() => interval(given))", values)


@pytest.mark.parametrize("seed", [-1, 0.5, "1", None])
def test_a_seed_is_a_whole_number(seed):
    assert "A seed is an integer of 0 or more" in node("tried(() => new Pcg64(given))", seed)


def test_an_interval_of_16_seeds_takes_no_more_than_50_ms():
    """Of a processor: other programs run beside this one. The quickest of ten."""
    timed = """Array.from({length: 10}, (_, k) => {
      const start = process.cpuUsage();
      interval(given.map((value) => value + k));
      return process.cpuUsage(start).user / 1000;
    })"""
    assert min(node(timed, np.random.default_rng(0).normal(size=16).tolist())) < 50


def test_a_piece_of_an_interval_is_a_small_part_of_it():
    """So a page that computes it on its main thread stays quick, on a slow machine too."""
    timed = """[0, 1, 2, 3, 4].map((k) => {
      const pieces = intervalPieces(given.map((value) => value + k)), took = [];
      for (let done = false; !done;) {
        const start = process.cpuUsage();
        done = pieces.next().done;
        took.push(process.cpuUsage(start).user / 1000);
      }
      return took;
    })"""
    runs = node(timed, np.random.default_rng(0).normal(size=16).tolist())
    assert all(len(took) >= 10 for took in runs)
    assert min(max(took) for took in runs) < 15
