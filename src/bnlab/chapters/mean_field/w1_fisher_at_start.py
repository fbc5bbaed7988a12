"""W1 of Wei et al. 2019: the largest Fisher eigenvalue of nets before their first step.

Settings and margins were fixed before the seeds of ``SEEDS`` were run; they were chosen knowing an
earlier measurement of the same nets with the seeds 620 to 627. The verdict is taken on the paper's
net, four layers with weights and width 1000, on digits. The core is about the matrix with the
batch's statistics held constant, as the paper's theory has them; conditions are about the one that
gradients pass through. The other nets are there to see on what the answer depends.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from bnlab.chapters.mean_field import wide_net
from bnlab.chapters.mean_field.wide_net import HELD, THROUGH
from bnlab.train import Run
from bnlab.verdicts.table import Table
from bnlab.verdicts.work import HERE, Work

SEEDS = tuple(range(716, 724))
BASE = wide_net.BASE.replace(width=1000)
SIDE_WIDTH = 300  # of all nets that do not decide
DECISIVE = (1.0, 4.0)  # gamma
GAMMAS = (0.25, 0.5, 1.0, 2.0, 3.0, 4.0)
DEPTHS = (1, 2, 3, 6, 9)
WIDTHS = (30, 100, 300)
INPUTS = ("digits", "gaussian")
IMAGES = 256  # or samples of noise; twice as many change the eigenvalue by about one per cent
COLUMNS = ("inputs", "place", "depth", "width", "norm", "gamma", "seed", "held", "through")

Setting = tuple[str, str, int, int, str, float]


def measure(
    seeds: Sequence[int] = SEEDS,
    work: Work = HERE,
    width: int = BASE.width,
    depths: Sequence[int] = DEPTHS,
    widths: Sequence[int] = WIDTHS,
    inputs: Sequence[str] = INPUTS,
) -> dict:
    """The largest eigenvalue of untrained nets.

    Args:
        seeds: of the weights.
        work: measures the nets.
        width: of the nets that decide; with fewer units the measurement is faster.
        depths: hidden layers of the others, at ``SIDE_WIDTH`` and gamma 1.
        widths: of the others, at the depth that decides and gamma 1.
        inputs: ``digits``, which decide, and ``gaussian``, white noise as in the theory.

    Returns:
        ``base``, ``columns`` and ``rows``: one a net and seed, with the eigenvalue for statistics
        that are held constant and for those that gradients pass through.

    Raises:
        ValueError: if the digits are missing.
    """
    if "digits" not in inputs:
        raise ValueError("inputs must contain 'digits', which decide.")
    plan = list(itertools.product(settings(width, depths, widths, inputs), seeds))
    found = work.starmap(_eigenvalues, plan)
    return {
        "base": BASE.to_dict(),
        "width": width,
        "depths": list(depths),
        "widths": list(widths),
        "inputs": list(inputs),
        "seeds": list(seeds),
        "columns": list(COLUMNS),
        "rows": [
            [*setting, seed, *pair] for (setting, seed), pair in zip(plan, found, strict=True)
        ],
    }


def settings(
    width: int, depths: Sequence[int], widths: Sequence[int], inputs: Sequence[str]
) -> list[Setting]:
    """Inputs, place of BatchNorm, depth, width, normalizer and gamma of each net, once each."""
    decide = [("digits", "hidden", BASE.depth, width)]
    shapes = [
        *((depth, SIDE_WIDTH) for depth in (BASE.depth, *depths)),
        *((BASE.depth, each) for each in widths),
    ]
    side = [(kind, "hidden", *shape) for kind in inputs for shape in shapes]
    found = [
        *((*net, "none", 1.0) for net in (*decide, *side)),
        *((*net, "batch", gamma) for net in decide for gamma in DECISIVE),
        *((*net, "batch", 1.0) for net in side),
        *((k, "hidden", BASE.depth, SIDE_WIDTH, "batch", g) for k in inputs for g in GAMMAS),
        *(("digits", "last", BASE.depth, SIDE_WIDTH, norm, 1.0) for norm in ("none", "batch")),
    ]
    return list(dict.fromkeys(found))


def run_of(setting: Setting, seed: int = 0) -> Run:
    """The Run of a net."""
    _, _, depth, width, norm, gamma = setting
    return BASE.replace(depth=depth, width=width, norm=norm, gamma=gamma, seed=seed)


def _eigenvalues(setting: Setting, seed: int) -> list[float]:
    """With statistics that are held constant, and that gradients pass through."""
    kind, place, _, _, norm, _ = setting
    net = wide_net.net_at_start(run_of(setting, seed), place)
    x = wide_net.images(IMAGES) if kind == "digits" else wide_net.white_noise(seed, IMAGES)
    through = wide_net.eigenvalue(net, THROUGH, x)
    if norm == "none" and place == "hidden":  # no statistics of a batch: there is one matrix
        return [through, through]
    return [wide_net.eigenvalue(net, HELD, x), through]


def repeat(data: dict, seeds: Sequence[int]) -> dict:
    """The same nets for some seeds."""
    kept = {name: data[name] for name in ("width", "depths", "widths", "inputs")}
    return measure(seeds, **kept)


def select(data: dict, setting: Setting, name: str = "held") -> np.ndarray:
    """The eigenvalues of a net, (seeds,)."""
    table = Table.of(data).where(**dict(zip(COLUMNS, setting, strict=False)))
    return table.column(name, seed=data["seeds"])


def decades(data: dict, setting: Setting, name: str = "held") -> np.ndarray:
    """log10 of the eigenvalue without a normalizer over that of a net, (seeds,)."""
    plain = (setting[0], "hidden", *setting[2:4], "none", 1.0)
    return np.log10(select(data, plain, name) / select(data, setting, name))


def values(data: dict) -> dict[str, np.ndarray]:
    """The effects of W1, one number a seed."""
    found = {}
    for name, gamma in zip(("one", "four"), DECISIVE, strict=True):
        net = ("digits", "hidden", BASE.depth, data["width"], "batch", gamma)
        found[name], found[f"{name}_through"] = decades(data, net), decades(data, net, "through")
    return found


def predicted(setting: Setting, corrected: bool = True) -> float:
    """What theory says of the eigenvalue with held statistics.

    Args:
        setting: of a net.
        corrected: with the variance in the gradient's recursion and the terms of finite size;
            else the paper's bound.
    """
    found = wide_net.theory(run_of(setting), corrected)
    return found.fisher_eigenvalue(IMAGES, 10) if corrected else found.bound


def crossing(data: dict, kind: str, name: str = "held") -> float:
    """The gamma at which BatchNorm's eigenvalue is that of no normalizer, from the means.

    Infinite if it is still smaller at the largest gamma that was measured.
    """
    nets = [(kind, "hidden", BASE.depth, SIDE_WIDTH, "batch", gamma) for gamma in GAMMAS]
    growth = [-decades(data, net, name).mean() for net in nets]
    return float(10 ** np.interp(0.0, growth, np.log10(GAMMAS), right=np.inf))


def facts(data: dict) -> dict[str, object]:
    """Numbers for sentences about W1."""
    found: dict[str, object] = {"seeds": len(data["seeds"])}
    for name, gamma in zip(("one", "four"), DECISIVE, strict=True):
        net = ("digits", "hidden", BASE.depth, data["width"], "batch", gamma)
        for column in ("held", "through"):
            found[f"{name}_{column}"] = 10 ** decades(data, net, column).mean()
            found[f"{name}_{column}_value"] = select(data, net, column).mean()
    plain = ("digits", "hidden", BASE.depth, data["width"], "none", 1.0)
    found["plain_value"] = select(data, plain).mean()
    side = ("hidden", BASE.depth, SIDE_WIDTH)
    for kind in data["inputs"]:
        for column in ("held", "through"):
            found[f"crossing_{kind}_{column}"] = crossing(data, kind, column)
        for depth in data["depths"]:
            for norm in ("none", "batch"):
                net = (kind, "hidden", depth, SIDE_WIDTH, norm, 1.0)
                end = f"{kind}_{norm}_{depth}"
                found[f"value_{end}"] = select(data, net).mean()
                found[f"through_{end}"] = select(data, net, "through").mean()
                found[f"corrected_{end}"] = found[f"value_{end}"] / predicted(net)
                found[f"paper_{end}"] = found[f"value_{end}"] / predicted(net, False)
    for norm in ("none", "batch"):
        net = ("digits", "last", BASE.depth, SIDE_WIDTH, norm, 1.0)
        for column in ("held", "through"):
            found[f"last_{norm}_{column}"] = select(data, net, column).mean()
            hidden = ("digits", *side, norm, 1.0)
            found[f"hidden_{norm}_{column}"] = select(data, hidden, column).mean()
    last = ("digits", "last", BASE.depth, SIDE_WIDTH, "none", 1.0)
    found["last_gain"] = 10 ** decades(data, last, "through").mean()
    return found
