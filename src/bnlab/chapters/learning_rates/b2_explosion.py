"""B2 of Bjorck 2018: which rates make a residual net diverge, and what its blocks do then.

Settings and margins were fixed before the seeds of ``SEEDS`` were run. After a review of the first
result a third net was added as a further control, "scaled": the plain net with the last convolution
of each block scaled by 1/sqrt(blocks) at the start. It does not enter the verdict. And the
control with BatchNorm became harder: its step first had the plain net's learning rate, which for
BatchNorm's small gradients is a short step; now it has the plain net's length.

Later the usable rates were added, since a net may bear a rate and not learn at it; growths were
bounded by ``MOST``, since their mean was that of a few seeds; and all was measured on new seeds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import torch
from scipy import stats
from torch import Tensor, nn

from bnlab.measure.signals.signals import block_variances
from bnlab.train import Run, Trainer, threads
from bnlab.verdicts.table import Table
from bnlab.verdicts.tuning import scores, usable_rates
from bnlab.verdicts.work import HERE, Work

SEEDS = tuple(range(216, 232))
NETS = {"none": "none", "batch": "batch", "scaled": "none"}  # name: its normalizer
LRS = (1e-4, 3e-4, 1e-3, 3e-3, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)
BEYOND = LRS[-1] * LRS[-1] / LRS[-2]  # a net that never diverged counts one step above the grid
BASE = Run(net="resnet", depth=18, width=16, lr=0.01, batch_size=64, steps=10)
PROBE_IMAGES = 256
MOST = 12.0  # decades: a larger growth counts as this one, or a few seeds would make the mean
TRAINED = 60  # steps after which a net has learned something, if the rate is usable
TRAINED_LRS = {  # the best ones were at 0.01 to 0.03 and at 0.1 in trials; 10 is for the count
    "none": (1e-4, 3e-4, 1e-3),
    "scaled": (0.003, 0.01, 0.03, 0.1),
    "batch": (0.03, 0.1, 0.3, 1.0, 10.0),
}
LEARNED = 0.5  # validation accuracy of a net that has learned
TRAINED_COLUMNS = ("net", "lr", "seed", "val_accuracy", "diverged_at")
COLUMNS = ("net", "seed", "first_loss", "diverging_lr", "step", "before", "after")


def measure(seeds: Sequence[int] = SEEDS, work: Work = HERE) -> dict:
    """``explosion`` on digits."""
    return explosion(BASE, seeds, work, TRAINED, TRAINED_LRS)


def explosion(
    base: Run,
    seeds: Sequence[int],
    work: Work,
    trained: int,
    trained_lrs: Mapping[str, Sequence[float]],
) -> dict:
    """Find each net's smallest rate that diverges, and look inside at the step that does it.

    A net is trained for 10 steps at ever larger rates until it diverges. For the plain net, the
    variance of each block's output is taken before and after the update that made the loss exceed
    the bound. The others take their own update at the same rate and step, stretched to the length
    of the plain net's update. The search is made in float32, the variances are taken in float64,
    where nothing overflows. Then nets are trained longer at some rates, to see at which ones they
    learn.

    Args:
        base: what all nets share.
        seeds: of the nets.
        work: does the parts.
        trained: so many steps are the longer training.
        trained_lrs: its rates, for the nets that are to be trained so.

    Returns:
        ``base``, ``columns`` and ``rows``: one a net and seed, with the loss at the start, the
        smallest diverging rate (null: none on the grid), and the variances before and after; and
        ``trained``, one a net, rate and seed, with ``trained_columns``.
    """
    runs = [base.replace(seed=seed) for seed in seeds]
    plan = [
        (net, run.replace(lr=lr, steps=trained))
        for run in runs
        for net, lrs in trained_lrs.items()
        for lr in lrs
    ]
    return {
        "base": base.to_dict(),
        "seeds": list(seeds),
        "columns": list(COLUMNS),
        "rows": [row for rows in work.map(_rows, runs) for row in rows],
        "trained_columns": list(TRAINED_COLUMNS),
        "trained": work.starmap(_trained, plan),
    }


def _rows(run: Run) -> list[list]:
    """The rows of a seed, one a net."""
    found = {net: _first_divergence(net, run) for net in NETS}
    lr, step = found["none"][1:]
    if lr is None:
        raise RuntimeError(
            f"the net without a normalizer did not diverge at any rate up to {LRS[-1]} "
            f"(seed {run.seed}); B2 cannot be measured in this setting."
        )
    rows, length = [], None  # of the plain net's update, which comes first
    for net, (first_loss, own_lr, _) in found.items():
        length, *variances = _profiles(net, run.replace(lr=lr), step, length)
        rows.append([net, run.seed, first_loss, own_lr, step, *variances])
    return rows


def _trainer(net: str, run: Run) -> Trainer:
    trainer = Trainer(run.replace(norm=NETS[net]), "cpu")
    if net == "scaled":
        with torch.no_grad():
            for block in trainer.net.blocks:
                block.conv2.weight *= run.depth**-0.5
    return trainer


@threads(1)
def _first_divergence(net: str, run: Run) -> tuple[float, float | None, int]:
    """Loss at the start, smallest rate that diverges or None, and the update that did it."""
    for lr in LRS:
        records = list(_trainer(net, run.replace(lr=lr)).steps(looks=False))
        first_loss = float(f"{records[1].loss:.4g}")
        if records[-1].diverged:
            return first_loss, lr, max(records[-1].step, 1)
    return first_loss, None, 0


@threads(1)
def _trained(net: str, run: Run) -> list:
    """What a net has learned at the end."""
    trainer = _trainer(net, run)
    *_, last = trainer.steps(looks=False)
    _, accuracy = trainer.evaluate(*trainer.part("val"))
    end = last.step if last.diverged else None
    return [net, run.lr, run.seed, round(accuracy, 4) if end is None else None, end]


@threads(1)
def _profiles(
    net: str, run: Run, step: int, length: float | None
) -> tuple[float, list[float], list[float]]:
    """Variances by block before and after update number ``step``, in float64: they may be huge.

    Returns:
        The length of the update (``length`` if given: then it is stretched to it), the variances.
    """
    trainer = _trainer(net, run.replace(steps=step, precision="float64"))
    weights = {
        record.step: _vector(trainer.net.parameters())
        for record in trainer.steps(looks=False)
        if not record.diverged
    }
    before, update = weights[step - 1], weights[step] - weights[step - 1]
    own = float(update.norm())
    after = before + update * ((length or own) / own)
    profiles = []
    for vector in (before, after):
        _give(trainer.net.parameters(), vector)
        variances = block_variances(trainer.net, trainer.train_x[:PROBE_IMAGES], mode="train")
        profiles.append([float(f"{v:.4g}") for v in variances])
    return length or own, *profiles


def _vector(parameters: Iterable[nn.Parameter]) -> Tensor:
    """A copy of all parameters, one after the other, whatever their order in memory."""
    return torch.cat([p.detach().reshape(-1) for p in parameters])


@torch.no_grad()
def _give(parameters: Iterable[nn.Parameter], vector: Tensor) -> None:
    """Set the parameters from a ``_vector`` of them."""
    parameters = list(parameters)
    for p, part in zip(parameters, vector.split([p.numel() for p in parameters]), strict=True):
        p.copy_(part.view(p.shape))


def profiles(data: dict, net: str, when: str) -> np.ndarray:
    """Variance of each block's output ``before`` or ``after`` the step, (seeds, blocks)."""
    return Table.of(data).where(net=net).column(when)


def typical(data: dict, net: str, when: str) -> np.ndarray:
    """The median profile over the seeds, on a logarithmic scale, (blocks,); 0 where it is 0."""
    with np.errstate(divide="ignore"):
        return np.exp(np.median(np.log(profiles(data, net, when)), axis=0))


def growth(data: dict, net: str) -> np.ndarray:
    """By how many decades the step made the variance grow more from first to last block, (seeds,).

    log10(last / first) after the step, minus the same before it.
    """
    before, after = (np.log10(profiles(data, net, when)) for when in ("before", "after"))
    return (after[:, -1] - after[:, 0]) - (before[:, -1] - before[:, 0])


def diverging_rate(data: dict, net: str) -> np.ndarray:
    """Smallest rate that diverges, (seeds,); ``BEYOND`` for a net that never did: a lower bound."""
    found = Table.of(data).where(net=net).entries("diverging_lr")
    return np.array([lr or BEYOND for lr in found])


def trained_lrs(data: dict) -> dict[str, list[float]]:
    """The rates of the longer training, in rising order, for each net that had one."""
    found: dict[str, list[float]] = {}
    for net, lr in Table(data["trained_columns"], data["trained"]).distinct("net", "lr"):
        found.setdefault(net, []).append(lr)
    return found


def learned(data: dict, net: str) -> np.ndarray:
    """Validation accuracy after the longer training, (rates, seeds); diverged nets: chance."""
    table = Table(data["trained_columns"], data["trained"]).where(net=net)
    return scores(table, "val_accuracy", lr=trained_lrs(data)[net], seed=data["seeds"])


def usable_rate(data: dict, net: str) -> np.ndarray:
    """The largest usable rate of the longer training, (seeds,); see ``usable_rates``."""
    return usable_rates(trained_lrs(data)[net], learned(data, net))


def borne(data: dict) -> tuple[int, int]:
    """How many nets with BatchNorm diverged at no rate; how many of them learn at the largest."""
    rates = Table.of(data).where(net="batch").entries("diverging_lr")
    never = np.array([lr is None for lr in rates])
    at_largest = learned(data, "batch")[trained_lrs(data)["batch"].index(LRS[-1])]
    return int(never.sum()), int((at_largest[never] >= LEARNED).sum())


def values(data: dict) -> dict[str, np.ndarray]:
    """The effects of B2, one number a seed."""
    return {
        "explode": growth(data, "none").clip(-MOST, MOST),
        "control": growth(data, "batch").clip(-MOST, MOST),
        "rate": np.log10(diverging_rate(data, "batch") / diverging_rate(data, "none")),
        "usable": np.log10(usable_rate(data, "batch") / usable_rate(data, "scaled")),
    }


def median_interval(numbers: np.ndarray) -> tuple[float, float, float]:
    """The median, and its 95 % interval from the order of the numbers, whatever their spread."""
    rank = int(stats.binom.ppf(0.025, len(numbers), 0.5))
    ordered = np.sort(numbers)
    return (
        float(np.median(ordered)),
        float(ordered[max(rank - 1, 0)]),
        float(ordered[-max(rank, 1)]),
    )


def facts(data: dict) -> dict[str, object]:
    """Numbers for sentences about B2; ``_low`` and ``_high``: the interval of a median."""
    counts = {
        f"{net}_learned": int((learned(data, net).max(0) >= LEARNED).sum())
        for net in trained_lrs(data)
    }
    never = dict(zip(("never", "never_learned"), borne(data), strict=True))
    return facts_of_explosion(data) | counts | never | {"trained": TRAINED}


def facts_of_explosion(data: dict) -> dict[str, object]:
    """Numbers for sentences about ``explosion``, on any images."""
    effect = values(data)
    found: dict[str, object] = {"seeds": len(data["seeds"]), "blocks": data["base"]["depth"]}
    for net in NETS:
        found[f"{net}_lr"] = float(np.median(diverging_rate(data, net)))
        first_loss = Table.of(data).where(net=net).column("first_loss")
        found[f"{net}_first_loss"] = float(np.median(first_loss))
        for when in ("before", "after"):
            middle = typical(data, net, when)
            found[f"{net}_growth_{when}"] = middle[-1] / middle[0]
    for net in trained_lrs(data):
        found[f"{net}_top"] = 100 * float(np.median(learned(data, net).max(0)))
    for net in ("batch", "scaled"):
        found[f"{net}_usable"] = float(np.median(usable_rate(data, net)))
    scaled = np.log10(diverging_rate(data, "scaled") / diverging_rate(data, "none"))
    decades = {
        "ratio": effect["rate"],
        "explode": growth(data, "none"),
        "control": growth(data, "batch"),
    }
    for name, numbers in decades.items():
        ends = zip(("", "_low", "_high"), median_interval(numbers), strict=True)
        found |= {f"{name}_median{end}": 10**number for end, number in ends}
    return {
        **found,
        "ratio": 10 ** effect["rate"].mean(),
        "usable_ratio": 10 ** effect["usable"].mean(),
        "scaled_decades": scaled.mean(),
        "decades": effect["rate"].mean(),
        "control": 10 ** effect["control"].mean(),
    }
