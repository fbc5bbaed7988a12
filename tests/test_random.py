"""The counter-based generator: its numbers are fixed, here and in JavaScript, and look random."""

import json
import shutil
import subprocess

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from bnlab import random

# (seed, stream, start) -> the first three numbers. Frozen: another number is another book.
GOLDEN = {
    (0, 1, 0): [2957369479, 4076869718, 349713808],
    (0, 2, 0): [2152573131, 2139782874, 551855177],
    (0, 1000, 0): [1484347479, 442087880, 1429557626],
    (1, 1000, 0): [4104312040, 3871630931, 2756890833],
    (42, 1003, 100_000): [1153895757, 1962513048, 1675728923],
    (2**32 - 1, 5, 2**32 - 3): [3404246335, 1592072358, 1573113594],
}

# The same generator in JavaScript, written from the docstring of ``bits``.
JAVASCRIPT = """
const mix = (x) => {
  x = Math.imul(x ^ (x >>> 16), 0x7feb352d);
  x = Math.imul(x ^ (x >>> 15), 0x846ca68b);
  return (x ^ (x >>> 16)) >>> 0;
};
const bits = (seed, stream, count, start) => {
  const a = mix((seed ^ mix(stream)) >>> 0), b = mix((a ^ 0x9e3779b9) >>> 0);
  return Array.from({ length: count }, (_, i) => mix((mix((start + i + a) >>> 0) ^ b) >>> 0));
};
const wanted = JSON.parse(process.argv[1]);
console.log(JSON.stringify(wanted.map((w) => bits(...w))));
"""

seeds, streams = st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1)


@pytest.mark.parametrize("key", GOLDEN, ids=str)
def test_the_numbers_are_these(key):
    seed, stream, start = key
    assert random.bits(seed, stream, 3, start).tolist() == GOLDEN[key]


def test_the_mixing_function_is_lowbias32():
    """Values computed from its definition with Python's integers."""

    def lowbias32(x: int) -> int:
        x = (x ^ x >> 16) * 0x7FEB352D % 2**32
        x = (x ^ x >> 15) * 0x846CA68B % 2**32
        return x ^ x >> 16

    xs = [0, 1, 2, 12345, 2**31, 2**32 - 1]
    assert random.mix(np.array(xs, dtype=np.uint32)).tolist() == [lowbias32(x) for x in xs]
    assert int(random.mix(1)) == lowbias32(1)


@pytest.mark.skipif(not shutil.which("node"), reason="node is not installed on this machine.")
def test_javascript_gives_the_same_bits():
    wanted = [(s, k, 3, i) for s, k, i in GOLDEN] + [(3, 5, 2000, 2**32 - 2000)]
    command = ["node", "-e", JAVASCRIPT, json.dumps(wanted)]
    out = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
    assert json.loads(out) == [random.bits(*w).tolist() for w in wanted]


@given(seeds, streams, st.integers(0, 50), st.integers(0, 50), st.integers(0, 2**32 - 100))
def test_drawing_in_blocks_is_drawing_at_once(seed, stream, first, second, start):
    at_once = random.bits(seed, stream, first + second, start)
    blocks = [
        random.bits(seed, stream, first, start),
        random.bits(seed, stream, second, start + first),
    ]
    assert np.array_equal(at_once, np.concatenate(blocks))
    assert at_once.dtype == np.uint32 and at_once.shape == (first + second,)


@pytest.mark.parametrize("seed, stream", [(0, random.BATCH), (1, random.BATCH), (0, 1000), (7, 3)])
@pytest.mark.parametrize("shift", [24, 12, 0], ids=["upper", "middle", "lower"])
def test_bytes_are_uniform(seed, stream, shift):
    byte = (random.bits(seed, stream, 100_000) >> np.uint32(shift)) & np.uint32(255)
    assert stats.chisquare(np.bincount(byte, minlength=256)).pvalue > 1e-3


@pytest.mark.parametrize(
    "one, other",
    [
        ((0, 1000), (0, 1001)),
        ((0, 1000), (1, 1000)),
        ((1, 1000), (0, 1001)),
        ((0, random.BATCH), (0, random.CLASSES)),
    ],
)
def test_streams_are_not_correlated_at_any_lag(one, other):
    """A stream must not be a shifted copy of another one: all cyclic lags at once, by FFT."""
    n = 2**14
    a, b = (random.uniform(*key, n) - 0.5 for key in (one, other))
    correlation = np.fft.ifft(np.fft.fft(a) * np.conj(np.fft.fft(b))).real / n / (1 / 12)
    assert np.abs(correlation).max() < 6 / np.sqrt(n)


def test_neighbours_in_one_stream_are_not_correlated():
    u = random.uniform(0, random.BATCH, 2**14) - 0.5
    spectrum = np.abs(np.fft.fft(u)) ** 2
    correlation = np.fft.ifft(spectrum).real[1:] / spectrum.mean()
    assert np.abs(correlation).max() < 6 / np.sqrt(len(u))


def test_two_streams_share_few_numbers():
    """Of two samples of 2**14 from 2**32 numbers, 0.06 are expected to be in both."""
    one, other = (set(random.bits(0, random.WEIGHTS + k, 2**14).tolist()) for k in (0, 1))
    assert len(one & other) <= 2


def test_uniform_is_in_the_half_open_interval_and_exact_in_float32():
    u = random.uniform(3, random.WEIGHTS, 50_000)
    assert u.dtype == np.float64 and 0 <= u.min() < 1e-3 and 0.999 < u.max() < 1
    assert np.array_equal(u.astype(np.float32).astype(np.float64), u)
    assert stats.kstest(u, "uniform").pvalue > 1e-3


@pytest.mark.parametrize("high", [1, 2, 10, 1197])
def test_integers_fill_their_range_evenly(high):
    numbers = random.integers(0, random.BATCH, high, 100 * high)
    assert numbers.dtype == np.int64 and set(numbers) == set(range(high))
    counts = np.bincount(numbers, minlength=high)
    assert high == 1 or stats.chisquare(counts).pvalue > 1e-3


@given(seeds, st.integers(0, 300))
def test_a_permutation_is_one(seed, count):
    order = random.permutation(seed, random.SPLIT, count)
    assert sorted(order.tolist()) == list(range(count))


def test_permutations_differ_between_seeds_and_mix_well():
    orders = np.array([random.permutation(seed, random.SPLIT, 10) for seed in range(3000)])
    for place in range(10):
        assert stats.chisquare(np.bincount(orders[:, place], minlength=10)).pvalue > 1e-4


@pytest.mark.parametrize("seed", [-1, 2**32, 1.0, True, None, "1", float("nan")])
def test_a_seed_must_be_an_integer_of_32_bits(seed):
    with pytest.raises(
        ValueError, match=r"seed must be an integer between 0 and 2\*\*32 - 1, got "
    ):
        random.bits(seed, 1, 3)


def test_a_numpy_integer_is_a_seed_too():
    assert np.array_equal(random.bits(np.int64(5), 1, 3), random.bits(5, 1, 3))


@pytest.mark.parametrize("count, start", [(1, 2**32), (2, 2**32 - 1), (1, -1), (-1, 5)])
def test_a_stream_ends(count, start):
    with pytest.raises(ValueError, match=r"a stream has 2\*\*32 numbers; asked for "):
        random.bits(0, 1, count, start)
    assert len(random.bits(0, 1, 1, 2**32 - 1)) == 1
