"""W2 of Wei et al. 2019: which learning rates train and which diverge, gamma by gamma.

Settings and margins were fixed before the seeds of ``SEEDS`` were run; they were chosen knowing an
earlier measurement with the seeds 640 to 647, without gamma 0.1, and trial runs of gamma 0.1 with
the seeds 0 to 3. Over ``GAMMAS`` the paper's own eta*, from its recursions, spans three decades.

eta* comes from the largest Fisher eigenvalue of each net, measured at its start. The core of the
claim is about the eigenvalue with gradients that pass through the batch's statistics, since those
of the training do. The one with held statistics and the theory's are conditions. A net diverges
when its loss is a thousand times the first one (``bnlab.train``). The border is the geometric mean
of the smallest rate that diverged and the one below it, on a grid of factors of root 2.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bnlab.chapters.mean_field import wide_net
from bnlab.chapters.mean_field.wide_net import BASE, HELD, THROUGH, largest_rate
from bnlab.train import Run
from bnlab.verdicts.table import Table, fact_name
from bnlab.verdicts.work import HERE, Work

SEEDS = tuple(range(724, 732))
GAMMAS = (0.1, 0.25, 0.5, 1.0, 2.0, 3.0)
DEPTHS = (1, 9)  # hidden layers of the other nets, at gamma 1
POWERS = tuple(range(-4, 7))  # of root 2: from a quarter of eta* to eight times
SIDE_POWERS = tuple(range(-1, 9))  # of the other nets, which are there for the border alone
COLUMNS = (
    "depth",
    "norm",
    "gamma",
    "power",
    "seed",
    "rate",
    "held",
    "through",
    "train_loss",
    "val_loss",
    "test_loss",
    "diverged_at",
)

STARS = ("through", "held", "paper", "corrected")
"""Ways to get eta*: by an eigenvalue measured at the start, or by the theory."""

Net = tuple[int, str, float]


def measure(
    seeds: Sequence[int] = SEEDS,
    work: Work = HERE,
    gammas: Sequence[float] = GAMMAS,
    depths: Sequence[int] = DEPTHS,
    powers: Sequence[int] = POWERS,
    side_powers: Sequence[int] = SIDE_POWERS,
    device: str = "cpu",
) -> dict:
    """Train each net at each rate.

    Args:
        seeds: of the weights and batches.
        work: measures and trains the nets.
        gammas: of the nets with BatchNorm at the depth that decides.
        depths: of other nets, with BatchNorm of gamma 1 and without.
        powers: the rates are eta* times root 2 to these powers.
        side_powers: those of the nets of ``depths``.
        device: see ``train``.

    Returns:
        ``base``, ``columns`` and ``rows``, one a training.

    Raises:
        ValueError: for fewer than two powers, powers that leave one out, or if gamma 1 is missing.
    """
    if 1.0 not in gammas:
        raise ValueError(f"gammas must contain 1.0, at which the normalizers meet: {list(gammas)}.")
    for each in (powers, side_powers):
        if len(each) < 2 or list(each) != list(range(each[0], each[-1] + 1)):
            raise ValueError(f"powers must be consecutive whole numbers, got {list(each)}.")
    nets = plan(gammas, depths)
    data = {
        "base": BASE.to_dict(),
        "gammas": list(gammas),
        "depths": list(depths),
        "powers": list(powers),
        "side_powers": list(side_powers),
        "seeds": list(seeds),
        "columns": list(COLUMNS),
    }
    places = [(net, seed, powers_of(data, net), device) for net in nets for seed in seeds]
    return {**data, "rows": [row for found in work.starmap(rows, places) for row in found]}


def plan(gammas: Sequence[float], depths: Sequence[int]) -> list[Net]:
    """Depth, normalizer and gamma of each net."""
    return [
        (BASE.depth, "none", 1.0),
        *((BASE.depth, "batch", gamma) for gamma in gammas),
        *((depth, norm, 1.0) for depth in depths for norm in ("none", "batch")),
    ]


def powers_of(data: dict, net: Net) -> list[int]:
    """The powers at which a net was trained."""
    return data["powers" if net[0] == BASE.depth else "side_powers"]


def run_of(net: Net, seed: int = 0) -> Run:
    """The Run of a net, at any rate."""
    depth, norm, gamma = net
    return BASE.replace(depth=depth, norm=norm, gamma=gamma, seed=seed)


def rows(
    net: Net, seed: int, powers: Sequence[int], device: str = "cpu", head: float = 1.0
) -> list[list]:
    """Measure a net's eigenvalues, and train it at each rate; ``head``: see ``wide_net.start``."""
    run = run_of(net, seed)
    untrained = wide_net.net_at_start(run, head=head)
    held, through = (wide_net.eigenvalue(untrained, kind) for kind in (HELD, THROUGH))
    found = []
    for power in powers:
        rate = wide_net.short(largest_rate(through) * 2 ** (power / 2))
        end = wide_net.outcome(run, rate, device, head)
        losses = (end.train, end.val, end.test)
        found.append([*net, power, seed, rate, held, through, *losses, end.diverged_at])
    return found


def repeat(data: dict, seeds: Sequence[int]) -> dict:
    """The same trainings for some seeds."""
    kept = ("gammas", "depths", "powers", "side_powers")
    return measure(seeds, **{name: data[name] for name in kept})


def column(data: dict, net: Net, name: str) -> np.ndarray:
    """One column of a net's trainings, (seeds, powers); what is missing is NaN."""
    depth, norm, gamma = net
    table = Table.of(data).where(depth=depth, norm=norm, gamma=gamma)
    found = table.column(name, seed=data["seeds"], power=powers_of(data, net))
    return found.astype(float)  # None becomes NaN


def stars(data: dict, net: Net, name: str = "through") -> np.ndarray:
    """eta* in one of the ways of ``STARS``, (seeds,)."""
    if name in COLUMNS:
        return largest_rate(column(data, net, name)[:, 0])
    return np.full(len(data["seeds"]), predicted_star(net, name == "corrected"))


def predicted_star(net: Net, corrected: bool = False) -> float:
    """eta* by theory."""
    found = wide_net.theory(run_of(net), corrected)
    return largest_rate(found.fisher_eigenvalue(wide_net.IMAGES, 10) if corrected else found.bound)


def border(data: dict, net: Net) -> np.ndarray:
    """The rate between training and divergence, (seeds,).

    Where all rates of the grid diverge, or none, the border is taken half a step beyond its end.
    """
    diverged = np.isfinite(column(data, net, "diverged_at"))
    first = np.where(diverged.any(1), diverged.argmax(1), diverged.shape[1])
    return stars(data, net) * 2 ** ((powers_of(data, net)[0] + first - 0.5) / 2)


def errors(data: dict, net: Net, name: str = "through") -> np.ndarray:
    """log10 of the border over eta*, (seeds,); ``name``: see ``stars``."""
    return np.log10(border(data, net) / stars(data, net, name))


def values(data: dict) -> dict[str, np.ndarray]:
    """The effects of W2, one number a seed; low and high are the ends over gamma."""
    nets = [(BASE.depth, "batch", gamma) for gamma in data["gammas"]]
    edges = np.log10([border(data, net) for net in nets])
    one, none = (border(data, (BASE.depth, norm, 1.0)) for norm in ("batch", "none"))
    found = {"span": np.ptp(edges, axis=0), "larger": np.log10(one / none)}
    for name in STARS:
        over = np.array([errors(data, net, name) for net in nets])
        found |= {f"{name}_low": over.min(0), f"{name}_high": over.max(0)}
    return found


def facts(data: dict) -> dict[str, object]:
    """Numbers for sentences about W2; a gamma of 0.25 is written ``0_25``."""
    found: dict[str, object] = {"seeds": len(data["seeds"])}
    for net in plan(data["gammas"], data["depths"]):
        depth, norm, gamma = net
        end = fact_name(norm, depth, gamma) if norm == "batch" else fact_name(norm, depth)
        found[f"border_{end}"] = 10 ** np.log10(border(data, net)).mean()
        for name in STARS:
            found[f"{name}_{end}"] = 10 ** errors(data, net, name).mean()
    smallest, largest = ((BASE.depth, "batch", end(data["gammas"])) for end in (min, max))
    found["paper_span"] = predicted_star(smallest) / predicted_star(largest)
    return found | {name: 10 ** each.mean() for name, each in values(data).items()}
