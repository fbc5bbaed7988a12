"""The counter-based generator of ``bnlab.random`` in torch's operations.

A normalizer that draws numbers must not leave torch: then it can be traced, runs on any device, and
many of them can be stacked. The integers are the same bits as those of ``bnlab.random``.

torch has no arithmetic for uint32. Multiplying, adding and xor give the same 32 bits for int32,
and a right shift does once the copies of the sign that it brings in are masked.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from bnlab import random

GOLDEN = 0x9E3779B9

BLOCK = 2**16
"""Numbers made at a time: few enough for the processor's cache."""


def _signed(word: int | np.integer) -> int:
    # The int32 with the bits of this 32-bit word.
    return (int(word) + 2**31) % 2**32 - 2**31


def mix(x: Tensor) -> Tensor:
    """Apply ``bnlab.random.mix`` to an int32 tensor, in place."""
    x ^= (x >> 16).bitwise_and_(0xFFFF)
    x *= _signed(0x7FEB352D)
    x ^= (x >> 15).bitwise_and_(0x1FFFF)
    x *= _signed(0x846CA68B)
    x ^= (x >> 16).bitwise_and_(0xFFFF)
    return x


def key_of(seed: int, stream: int) -> Tensor:
    """The key that ``uniform`` makes the numbers of (seed, stream) from, int32, ().

    Raises:
        ValueError: for a seed that is no integer of 32 bits.
    """
    word = random.bits(seed, stream, 1)[0] ^ random.mix(stream)
    return torch.tensor(_signed(word), dtype=torch.int32)


def uniform(key: Tensor, step: Tensor, count: int) -> Tensor:
    """Return ``count`` numbers in [0, 1) for a step, float32, exact: multiples of 2^-24.

    Each step has a seed of its own, so that no run comes to a stream's end: the numbers are
    ``bnlab.random.uniform(step ^ word, stream, count)``, with the first word of (seed, stream),
    ``word = bnlab.random.bits(seed, stream, 1)[0]``.

    Args:
        key: from ``key_of(seed, stream)``.
        step: integer tensor of one number.
        count: how many.
    """
    a = mix(step.to(torch.int32) ^ key)
    b = mix(a ^ _signed(GOLDEN))

    def block(start: int, stop: int) -> Tensor:
        numbers = torch.arange(start, stop, dtype=torch.int32, device=key.device) + a
        words = mix(mix(numbers).bitwise_xor_(b))
        return (words >> 8).bitwise_and_(0xFFFFFF).to(torch.float32).mul_(2.0**-24)

    if count <= BLOCK:
        return block(0, count)
    return torch.cat([block(i, min(i + BLOCK, count)) for i in range(0, count, BLOCK)])


def normal(u: Tensor) -> Tensor:
    """Make the uniform numbers ``u``, of an even count, into as many standard normal ones, float64.

    Box and Muller: with u and v from the first and the second half of ``u``, and
    s = sqrt(-2 log(1 - u)), the first half is s cos(2 pi v), the second half s sin(2 pi v).
    """
    cosines, sines = [], []
    for of_radius, of_angle in zip(*(half.split(BLOCK) for half in u.chunk(2)), strict=True):
        radius = of_radius.double().neg_().log1p_().mul_(-2).sqrt_()
        angle = of_angle.double().mul_(2 * math.pi)
        cosines.append(radius * angle.cos())
        sines.append(radius * angle.sin())
    return torch.cat(cosines + sines)
