"""W3 of Wei et al. 2019: test loss after five epochs, at a learning rate tuned for each gamma.

Settings and margins were fixed before the seeds of ``SEEDS`` were run. ``TUNED`` was chosen by
``tune``, on validation images and seeds of its own: for each net the rate, in units of its own
eta*, with the lowest mean loss. The nets called ``rescaled`` are there to find out why: gamma also
scales the outputs, so their last matrix is divided by gamma at the start.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bnlab.chapters.mean_field import w2_rate_plane
from bnlab.chapters.mean_field.w2_rate_plane import BASE, COLUMNS
from bnlab.verdicts.table import Table, fact_name
from bnlab.verdicts.tuning import check_seeds
from bnlab.verdicts.work import HERE, Work

SEEDS = tuple(range(660, 676))
TUNING_SEEDS = tuple(range(8))
POWERS = tuple(range(-8, 3))  # of root 2, times eta*
DECISIVE = (0.25, 1.0, 3.0)
TUNED = {  # the power of root 2, from ``tune()``
    ("usual", 0.25): -4,
    ("usual", 0.5): -2,
    ("usual", 1.0): -1,
    ("usual", 2.0): 0,
    ("usual", 3.0): -2,
    ("rescaled", 0.25): -1,
    ("rescaled", 3.0): -2,
}
ZERO = 0.5  # the loss of outputs that are all 0; a net that diverged counts as such

Net = tuple[str, float]


def tune(
    nets: Sequence[Net] = tuple(TUNED),
    seeds: Sequence[int] = TUNING_SEEDS,
    powers: Sequence[int] = POWERS,
    work: Work = HERE,
) -> dict[Net, int]:
    """The power of each net with the lowest mean validation loss; one that diverges has none."""
    plan = [(net, seed, powers) for net in nets for seed in seeds]
    rows = [row for found in work.starmap(_rows, plan) for row in found]
    chosen = {}
    for start, gamma in nets:
        table = Table(["start", *COLUMNS], rows).where(start=start, gamma=gamma)
        losses = table.column("val_loss", seed=seeds, power=powers).astype(float)
        chosen[start, gamma] = powers[int(np.nan_to_num(losses, nan=np.inf).mean(0).argmin())]
    return chosen


def measure(
    seeds: Sequence[int] = SEEDS,
    work: Work = HERE,
    nets: Sequence[Net] = tuple(TUNED),
    device: str = "cpu",
) -> dict:
    """Train each net at its tuned rate.

    Args:
        seeds: whose test losses are the evidence.
        work: does the trainings.
        nets: start (``usual``, ``rescaled``) and gamma of each, from ``TUNED``.
        device: see ``train``.

    Returns:
        ``base``, ``columns`` and ``rows``, one a training.

    Raises:
        ValueError: for a net without a tuned rate, if a net that decides is missing, or if a seed
            has chosen the rates.
    """
    nets = [tuple(net) for net in nets]
    unknown = [net for net in nets if net not in TUNED]
    if unknown or not {("usual", gamma) for gamma in DECISIVE} <= set(nets):
        raise ValueError(
            f"nets must contain ('usual', gamma) for gamma {list(DECISIVE)}, which decide, and "
            f"only nets with a tuned rate, {list(TUNED)}; got {nets}."
        )
    check_seeds(seeds, TUNING_SEEDS)
    plan = [(net, seed, [TUNED[net]], device) for net in nets for seed in seeds]
    return {
        "base": BASE.to_dict(),
        "nets": [list(net) for net in nets],
        "seeds": list(seeds),
        "tuning_seeds": list(TUNING_SEEDS),
        "columns": ["start", *COLUMNS],
        "rows": [row for found in work.starmap(_rows, plan) for row in found],
    }


def _rows(net: Net, seed: int, powers: Sequence[int], device: str = "cpu") -> list[list]:
    start, gamma = net
    head = 1 / gamma if start == "rescaled" else 1.0
    found = w2_rate_plane.rows((BASE.depth, "batch", gamma), seed, powers, device, head)
    return [[start, *row] for row in found]


def repeat(data: dict, seeds: Sequence[int]) -> dict:
    """The same trainings for some seeds."""
    return measure(seeds, nets=data["nets"])


def select(data: dict, net: Net, name: str = "test_loss") -> np.ndarray:
    """A column of a net's trainings, (seeds,)."""
    start, gamma = net
    table = Table.of(data).where(start=start, gamma=gamma)
    chosen = table.column(name, seed=data["seeds"]).astype(float)
    return np.nan_to_num(chosen, nan=ZERO) if name.endswith("loss") else chosen


def decades(data: dict, above: Net, below: Net) -> np.ndarray:
    """log10 of one net's test loss over another's, (seeds,)."""
    return np.log10(select(data, above) / select(data, below))


def values(data: dict) -> dict[str, np.ndarray]:
    """The effects of W3, one number a seed."""
    small, one, large = (("usual", gamma) for gamma in DECISIVE)
    return {"low": decades(data, one, small), "high": decades(data, large, one)}


def facts(data: dict) -> dict[str, object]:
    """Numbers for sentences about W3; a gamma of 0.25 is written ``0_25``."""
    found: dict[str, object] = {"seeds": len(data["seeds"])}
    for start, gamma in data["nets"]:
        net, end = (start, gamma), fact_name(start, gamma)
        for name in ("train", "test"):
            found[f"{name}_{end}"] = select(data, net, f"{name}_loss").mean()
        found[f"rate_{end}"] = select(data, net, "rate").mean()
        found[f"factor_{end}"] = 2 ** (TUNED[net] / 2)
        found[f"over_one_{end}"] = 10 ** decades(data, net, ("usual", 1.0)).mean()
    return found
