"""The trainings behind L3, L5 and L6, to be repeated row by row: the nets that decide."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from bnlab.chapters.group_size import l3_order, l5_tradeoff, l6_architectures, trainings
from bnlab.train import Run
from bnlab.verdicts.again import Training
from bnlab.verdicts.table import Table

BEHIND = trainings.COLUMNS.index("seed") + 1


def arm_name(norm: str, lr: float) -> str:
    """Such as ``group_2_0.4``."""
    return f"{norm}_{lr:g}"


def trainings_of_net(data: dict, net: str, places: Iterable[tuple[str, float]]) -> list[Training]:
    """The counted trainings of a net with these normalizers and rates, an arm each."""
    base, race = Run.from_dict(data["base"]), Table.of(data).where(part="race", net=net)
    found = []
    for norm, lr in places:
        for row in race.where(norm=norm, lr=lr, seed=data["seeds"]).rows:
            run = trainings.make_run(net, norm, lr, row[BEHIND - 1], base)
            found.append(Training(arm_name(norm, lr), run.seed, run, row[BEHIND:], trainings.told))
    return found


def l3_trainings(data: dict) -> list[Training]:
    """Group norm with each size of a group, at its best rate."""
    places = [(norm, trainings.best_lr(data, l3_order.NET, norm)) for norm in l3_order.GROUPS]
    return trainings_of_net(data, l3_order.NET, places)


def l5_trainings(data: dict) -> list[Training]:
    """All rates of the three group sizes."""
    net = data["nets"][0]
    places = [
        (norm, lr) for norm in l5_tradeoff.SIZES for lr in trainings.rates_of(data, net, norm)
    ]
    return trainings_of_net(data, net, places)


def l6_trainings(data: dict) -> list[Training]:
    """The normalizer that is best overall and the best one there, in the net in which it lacks."""
    overall, net, best = l6_architectures.chosen(data)
    places = [(norm, trainings.best_lr(data, net, norm)) for norm in (best, overall)]
    return trainings_of_net(data, net, places)


REPEATS: dict[str, Callable[[dict], list[Training]]] = {
    "L3": l3_trainings,
    "L5": l5_trainings,
    "L6": l6_trainings,
}
