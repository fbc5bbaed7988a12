"""What B4, B6 and L1 say of nets at their start: their effects, and numbers for sentences."""

from __future__ import annotations

import numpy as np

from bnlab.chapters.signals.b3_growth import misfit
from bnlab.chapters.signals.b3_to_b6_l1_at_start import (
    BASE,
    FAMILY,
    GROUP_SIZE,
    PAIR,
    PARAMETRIC,
    POOLING,
    column,
    decades,
)
from bnlab.measure import fit_growth
from bnlab.nets.stages import stages

STAGES = stages(8, BASE.depth, BASE.width)  # of 8 x 8 pixels


def b4_values(data: dict) -> dict[str, np.ndarray]:
    """The effects of B4, one number a seed."""
    std, tail = (
        {net: np.median(transform(column(data, net, name)), axis=1) for net in PAIR}
        for name, transform in (("std", np.log10), ("tail", np.asarray))
    )
    size = std["none"] - std["batch"]
    return {"size": size, "hundred": size, "tail": tail["none"] - tail["batch"]}


def b4_facts(data: dict) -> dict[str, object]:
    """Numbers for sentences about B4; the ratio of single convolutions is a median over seeds."""
    found = {"ratio": 10 ** b4_values(data)["size"].mean()}
    ratios = np.median(column(data, "none", "std") / column(data, "batch", "std"), axis=0)
    found |= {"first": ratios[0], "last": ratios[-1]}
    for net in PAIR:
        found[f"{net}_tail"] = 10 ** np.median(column(data, net, "tail"), axis=1).mean()
    return found


def b6_values(data: dict) -> dict[str, np.ndarray]:
    """The effects of B6, one number a seed."""
    share = {net: column(data, net, "share") for net in PAIR}
    return {"plain": share["none"], "less": share["none"] - share["batch"]}


def b6_facts(data: dict) -> dict[str, object]:
    """Numbers for sentences about B6."""
    return {
        f"{net}_{name}": column(data, net, name).mean()
        for net in PAIR
        for name in ("share", "sure")
    }


def exponents(variance: np.ndarray) -> np.ndarray:
    """Exponents k of variance ~ n^k in each stage, (seeds, stages), for (seeds, blocks).

    n counts the parts of equal size that the sum holds: one enters a stage, from a normalizer, and
    each block adds one. So it is 2 after a stage's first block. 1 is linear growth, 1/2 that of a
    root, 0 none.
    """
    starts = [at for at, (_, stride) in enumerate(STAGES) if at == 0 or stride > 1]
    ends = [*starts[1:], len(STAGES)]
    return np.array(
        [
            [
                fit_growth(row[start:end], np.arange(2, end - start + 2)).exponent
                for start, end in zip(starts, ends, strict=True)
            ]
            for row in variance
        ]
    )


def l1_values(data: dict) -> dict[str, np.ndarray]:
    """The effects of L1, one number a seed."""
    variance = {net: column(data, net, "variance") for net in FAMILY}
    return {
        **{net: exponents(variance[net]).mean(1) for net in POOLING},
        "parametric": np.min([decades(variance[net]) for net in PARAMETRIC], axis=0),
        "law": np.min([misfit(variance[net]) for net in PARAMETRIC], axis=0),
        "remedied": decades(variance["sws_skipinit"]),
    }


def l1_facts(data: dict) -> dict[str, object]:
    """Numbers for sentences about L1: growth (geometric means over the seeds) and exponents."""
    found: dict[str, object] = {"blocks": BASE.depth, "group_size": GROUP_SIZE}
    for net in FAMILY:
        found[net] = 10 ** decades(column(data, net, "variance")).mean()
    for net in POOLING:
        found[f"{net}_exponent"] = exponents(column(data, net, "variance")).mean()
    return found
