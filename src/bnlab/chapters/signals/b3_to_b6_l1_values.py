"""What B3 to B6 and L1 say of nets at their start: their effects, and numbers for sentences."""

from __future__ import annotations

import numpy as np

from bnlab.chapters.signals.b3_to_b6_l1_at_start import (
    BASE,
    FAMILY,
    GROUP_SIZE,
    PAIR,
    PARAMETRIC,
    POOLING,
    better_fit,
    column,
    decades,
)


def b3_values(data: dict) -> dict[str, np.ndarray]:
    """The effects of B3, one number a seed."""
    std = {net: np.sqrt(column(data, net, "variance")) for net in PAIR}
    return {
        "std": decades(std["none"]),
        "mean": decades(column(data, "none", "mean")),
        "law": better_fit(std["none"], "exponential"),
        "level": decades(std["batch"]),
    }


def b3_facts(data: dict) -> dict[str, object]:
    """Numbers for sentences about B3."""
    found = {}
    for net in PAIR:
        std = np.sqrt(column(data, net, "variance"))
        found[f"{net}_growth"] = 10 ** decades(std).mean()
        found[f"{net}_per_block"] = 10 ** (decades(std).mean() / (BASE.depth - 1))
        found[f"{net}_power"] = better_fit(std, "power").mean()
    return found


def b4_values(data: dict) -> dict[str, np.ndarray]:
    """The effects of B4, one number a seed."""
    std, tail = (
        {net: np.median(transform(column(data, net, name)), axis=1) for net in PAIR}
        for name, transform in (("std", np.log10), ("tail", np.asarray))
    )
    return {"size": std["none"] - std["batch"], "tail": tail["none"] - tail["batch"]}


def b4_facts(data: dict) -> dict[str, object]:
    """Numbers for sentences about B4."""
    found = {"ratio": 10 ** b4_values(data)["size"].mean()}
    for net in PAIR:
        found[f"{net}_tail"] = 10 ** np.median(column(data, net, "tail"), axis=1).mean()
    return found


def b5_values(data: dict) -> dict[str, np.ndarray]:
    """The effects of B5, one number a seed."""
    middle = {net: np.median(np.log10(column(data, net, "ratio")), axis=1) for net in PAIR}
    return {"plain": middle["none"], "cancel": middle["batch"] - middle["none"]}


def b5_facts(data: dict) -> dict[str, object]:
    """Numbers for sentences about B5."""
    ratio = {net: column(data, net, "ratio") for net in PAIR}
    return {
        **{f"{net}_ratio": np.median(r) for net, r in ratio.items()},
        **{f"{net}_first": np.median(r[:, 0]) for net, r in ratio.items()},
        **{f"{net}_last": np.median(r[:, -1]) for net, r in ratio.items()},
    }


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


def l1_values(data: dict) -> dict[str, np.ndarray]:
    """The effects of L1, one number a seed."""
    growth = {net: decades(column(data, net, "variance")) for net in FAMILY}
    return {
        "activations": np.max([growth[net] for net in POOLING], axis=0),
        "parametric": np.min([growth[net] for net in PARAMETRIC], axis=0),
        "law": np.min(
            [better_fit(column(data, net, "variance"), "exponential") for net in PARAMETRIC], axis=0
        ),
        "remedied": growth["sws_skipinit"],
    }


def l1_facts(data: dict) -> dict[str, object]:
    """Numbers for sentences about L1."""
    found = {"blocks": BASE.depth, "group_size": GROUP_SIZE}
    for net in FAMILY:
        growth = decades(column(data, net, "variance"))
        found[net] = 10 ** growth.mean()
    return found
