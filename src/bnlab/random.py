"""One counter-based random generator for weights, batches, augmentation and splits.

A number depends on (seed, stream, counter) alone, through 32-bit integer operations that give the
same bits in numpy and in JavaScript (``Math.imul``, ``>>>``), on every machine. So a seed is all
that has to travel to repeat a run elsewhere, and drawing in blocks gives the same numbers as
drawing at once. torch's own streams cannot be had outside of torch.

The mixing function is Wellons' ``lowbias32`` (github.com/skeeto/hash-prospector, public domain).
"""

from __future__ import annotations

import numpy as np

# Streams: what a number is used for. Weight matrix number k draws from WEIGHTS + k, the noise of
# normalizer number k from NOISE + k, a direction for parameter number k from DIRECTIONS + k.
SPLIT, BATCH, CLASSES, WHICH_CLASS, MEMBERS, PATHS, START, PROBES = 1, 2, 3, 4, 5, 20, 40, 41
IS_WRONG, WRONG_LABEL = 50, 51
CROP_ROW, CROP_COLUMN, MIRRORED = 60, 61, 62
WEIGHTS, NOISE, DIRECTIONS = 1000, 2000, 3000


def mix(x: np.ndarray | int) -> np.ndarray:
    """lowbias32: a bijection of the 32-bit integers that scatters neighbours."""
    x = np.asarray(x, dtype=np.uint32)
    with np.errstate(over="ignore"):  # arithmetic modulo 2**32 is meant
        x = (x ^ (x >> np.uint32(16))) * np.uint32(0x7FEB352D)
        x = (x ^ (x >> np.uint32(15))) * np.uint32(0x846CA68B)
    return x ^ (x >> np.uint32(16))


def bits(seed: int, stream: int, count: int, start: int = 0) -> np.ndarray:
    """Return ``count`` random 32-bit integers, numbers ``start`` and on of a stream.

    bits_i = mix(mix(i + a) ^ b), with a = mix(seed ^ mix(stream)) and b = mix(a ^ 0x9E3779B9).
    Two keys: with one alone, two streams would be shifted copies of one sequence.

    Args:
        seed: 0 to 2**32 - 1.
        stream: what the numbers are for, a constant of this module.
        count: how many.
        start: number of the first one; ``start + count`` at most 2**32.

    Returns:
        uint32 array of shape (count,).

    Raises:
        ValueError: for a seed that is no integer of 32 bits, or a range outside of the stream.
    """
    is_integer = isinstance(seed, int | np.integer) and not isinstance(seed, bool)
    if not is_integer or not 0 <= seed < 2**32:
        raise ValueError(f"seed must be an integer between 0 and 2**32 - 1, got {seed!r}.")
    if start < 0 or count < 0 or start + count > 2**32:
        raise ValueError(f"a stream has 2**32 numbers; asked for {start} to {start + count}.")
    a = mix(np.uint32(seed) ^ mix(stream))
    b = mix(a ^ np.uint32(0x9E3779B9))
    counter = np.arange(start, start + count, dtype=np.uint64).astype(np.uint32)
    with np.errstate(over="ignore"):
        return mix(mix(counter + a) ^ b)


def uniform(seed: int, stream: int, count: int, start: int = 0) -> np.ndarray:
    """Numbers in [0, 1): the upper 24 bits of ``bits``, exact in float32. float64, (count,)."""
    return (bits(seed, stream, count, start) >> np.uint32(8)).astype(np.float64) * 2.0**-24


def integers(seed: int, stream: int, high: int, count: int, start: int = 0) -> np.ndarray:
    """Integers in [0, high): ``bits`` modulo ``high`` (its bias is below high / 2**32). int64."""
    return (bits(seed, stream, count, start) % np.uint32(high)).astype(np.int64)


def permutation(seed: int, stream: int, count: int) -> np.ndarray:
    """A random order of 0 .. count - 1: the stable sort order of ``bits``. int64, (count,)."""
    return np.argsort(bits(seed, stream, count), kind="stable")
