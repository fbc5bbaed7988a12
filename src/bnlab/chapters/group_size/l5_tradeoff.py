"""L5 of Lubana 2021: groups of 2, of 4 and one group of all, over all learning rates.

Settings and margins were fixed before the seeds of ``SEEDS`` were run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from bnlab.chapters.group_size.trainings import (
    BASE,
    best_lr,
    column,
    frame,
    kept_rows,
    losses,
    rates_of,
    train_rows,
)
from bnlab.train import Run
from bnlab.verdicts.table import Table, fact_name
from bnlab.verdicts.tuning import check_seeds, usable_rates
from bnlab.verdicts.work import HERE, Work

SEEDS = tuple(range(780, 788))
SIZES = ("layer", "group_2", "group_4")
LRS: Mapping[str, Sequence[float]] = {
    "plain10": (0.05, 0.1, 0.2, 0.4, 0.8, 1.6),
    "plain20": (0.025, 0.05, 0.1, 0.2, 0.4, 0.8),
    "mlp6": (0.0125, 0.025, 0.05, 0.1, 0.2, 0.4),
    "mlp12": (0.003125, 0.00625, 0.0125, 0.025, 0.05, 0.1, 0.2),
}
"""The rates of each net, the same for every group size; the first net decides."""

NETS = tuple(LRS)
NOT_TRIED = (("plain20", "group_4"),)
NO_LEARNERS = (("mlp6", "group_2"), ("mlp12", "group_2"))
"""At no rate do they learn anything."""


def pairs(nets: Sequence[str]) -> list[tuple[str, str]]:
    """The nets with the group sizes that are tried in them."""
    found = [(net, norm) for net in nets for norm in SIZES]
    return [pair for pair in found if pair not in NOT_TRIED]


def compared(nets: Sequence[str]) -> list[tuple[str, str]]:
    """The nets with the small groups that layer norm is compared with: those that learn."""
    return [pair for pair in pairs(nets) if pair[1] != "layer" and pair not in NO_LEARNERS]


def measure(
    seeds: Sequence[int] = SEEDS,
    work: Work = HERE,
    nets: Sequence[str] = NETS,
    tuning: dict | None = None,
    base: Run = BASE,
) -> dict:
    """Train with each group size at every rate, in each net.

    Args:
        seeds: whose trainings are the evidence.
        work: does the trainings.
        nets: names in ``NETS``; the first one decides.
        tuning: an earlier measurement; its trainings with the tuning seeds are taken over.
        base: what all trainings share.

    Returns:
        ``base``, ``columns`` and ``rows``, one a net, normalizer, rate and seed.

    Raises:
        ValueError: if one of the seeds to be counted is a tuning seed.
    """
    data = frame(nets, SIZES, seeds, base, by="loss")
    check_seeds(seeds, data["tuning_seeds"])
    places = [(*pair, lr) for pair in pairs(nets) for lr in LRS[pair[0]]]
    data["rows"] = kept_rows(tuning, pairs(nets), base)
    for some in (seeds,) if data["rows"] else (data["tuning_seeds"], seeds):
        plan = [(*place, seed) for place in places for seed in some]
        data["rows"] += train_rows(plan, work, base)
    return data


def usable_rate(data: dict, net: str, norm: str) -> np.ndarray:
    """The largest usable rate by validation accuracy, (seeds,); see ``usable_rates``."""
    rates = rates_of(data, net, norm)
    table = Table.of(data).where(part="race", net=net, norm=norm)
    return usable_rates(rates, table.column("val_accuracy", lr=rates, seed=data["seeds"]))


def over(data: dict, net: str, norm: str) -> dict[str, np.ndarray]:
    """Layer norm over a group size in a net, decades, (seeds,)."""
    return {
        "speed": np.log10(losses(data, net, "layer") / losses(data, net, norm)),
        "stability": np.log10(usable_rate(data, net, "layer") / usable_rate(data, net, norm)),
    }


def values(data: dict) -> dict[str, np.ndarray]:
    """The effects of L5, one number a seed."""
    net = data["nets"][0]
    small, four = over(data, net, "group_2"), over(data, net, "group_4")
    return {**small, **{f"{name}_4": numbers for name, numbers in four.items()}}


def fact_end(net: str, norm: str) -> str:
    """How facts that compare layer norm with this group size end."""
    return net if norm == "group_4" else f"{norm.removeprefix('group_')}_{net}"


def facts(data: dict) -> dict[str, object]:
    """Numbers for sentences about L5; a rate of 0.1 is written ``0_1``.

    ``slower_plain10`` is layer norm's loss over that of groups of 4, ``slower_2_plain10`` over that
    of groups of 2; ``usable`` the same of the largest usable rates.
    """
    found: dict[str, object] = {"seeds": len(data["seeds"])}
    for net, norm in pairs(data["nets"]):
        place = fact_name(norm, net)
        found[f"lr_{place}"] = best_lr(data, net, norm)
        found[f"loss_{place}"] = losses(data, net, norm).mean()
        found[f"usable_lr_{place}"] = 10 ** np.log10(usable_rate(data, net, norm)).mean()
        for lr in rates_of(data, net, norm):
            rate = fact_name(place, lr)
            found[f"loss_{rate}"] = column(data, net, norm, lr, "loss").mean()
            found[f"val_{rate}"] = 100 * column(data, net, norm, lr, "val_accuracy").mean()
        if (net, norm) in compared(data["nets"]):
            effect, end = over(data, net, norm), fact_end(net, norm)
            found[f"slower_{end}"] = 10 ** effect["speed"].mean()
            found[f"usable_{end}"] = 10 ** effect["stability"].mean()
    return found
