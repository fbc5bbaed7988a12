"""B10 of Bjorck 2018: does BatchNorm's lead come from its larger rates? Two interventions.

*Held*: the net with BatchNorm gets no larger rate than the one that is best for the bare net, the
one without a normalizer; nothing else is changed. *Given*: the bare net is helped to bear larger
rates by other means. The means are those of the literature: a scaled start, a smaller last layer, a
warm-up of the rate, clipped gradients (Gilmer et al. 2022, Kalra and Barkeshli 2024). Of those that
do enlarge the usable rate, the best one is counted. It may help for another reason than the rate;
as a control each rate has the means that suits it best, the bare net's own rate too.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bnlab.chapters.learning_rates.helped import Help, train_helped
from bnlab.train import Run
from bnlab.verdicts.table import Table
from bnlab.verdicts.ties import first_best
from bnlab.verdicts.tuning import best_rate, check_seeds, scores, usable_rates
from bnlab.verdicts.work import HERE, Work

SEEDS = tuple(range(800, 816))
TUNING_SEEDS = tuple(range(8))
LRS = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0)
BASE = Run(net="mlp", depth=12, width=64, lr=LRS[0], batch_size=64, steps=600, eval_every=600)
BARE, BATCH = "bare", "batch"
HELPS = {
    BARE: Help(),
    "start 0.9": Help(start=0.9),
    "last 0.1": Help(last=0.1),
    "warm-up 100": Help(warm_up=100),
    "warm-up 300": Help(warm_up=300),
    "start 0.9, warm-up 100": Help(start=0.9, warm_up=100),
    "clip 8": Help(clip=8.0),
    "clip 4": Help(clip=4.0),
    "clip 2": Help(clip=2.0),
    "clip 1": Help(clip=1.0),
    "clip 0.5": Help(clip=0.5),
}
ENLARGED = 0.5  # decades: a means that adds less to the usable rate does not enlarge it
FAILED = 0.8  # test accuracy of a net that failed, though it did not diverge
LEAST_LEAD = 0.01  # a lead is divided by; one below a point counts as a point
COLUMNS = ("net", "lr", "seed", "val_accuracy", "test_accuracy", "loss", "diverged_at")


def measure(
    seeds: Sequence[int] = SEEDS, work: Work = HERE, tuning: dict | None = None, base: Run = BASE
) -> dict:
    """Train the net with BatchNorm, the bare one and the helped ones at every rate.

    Args:
        seeds: whose test accuracies are the evidence; they train with the means that are counted.
        work: does the trainings, a seed at a time.
        tuning: an earlier measurement; its trainings with the tuning seeds are taken over.
        base: what all trainings share.

    Returns:
        ``base``, ``columns`` and ``rows``, one a training. The tuning seeds have all means.
    """
    check_seeds(seeds, TUNING_SEEDS)
    nets = [BATCH, *HELPS]
    rows = _taken_over(tuning) if tuning else _rows(work, base, nets, TUNING_SEEDS)
    data = {
        "base": base.to_dict(),
        "seeds": list(seeds),
        "tuning_seeds": list(TUNING_SEEDS),
        "columns": list(COLUMNS),
        "rows": rows,
    }
    counted = {BATCH, BARE, given(data), control(data)}
    new = _rows(work, base, [net for net in nets if net in counted], seeds)
    return {**data, "rows": [*rows, *new]}


def _rows(work: Work, base: Run, nets: Sequence[str], seeds: Sequence[int]) -> list[list]:
    bare = [net for net in nets if net != BATCH]
    items = [(base, some, seed) for seed in seeds for some in ([BATCH], bare)]
    return [row for rows in work.starmap(_train, items) for row in rows]


def _train(base: Run, nets: Sequence[str], seed: int) -> list[list]:
    """The rows of a seed: all nets at all rates, side by side."""
    places = [(net, lr) for net in nets for lr in LRS]
    norm = "batch" if BATCH in nets else "none"
    runs = [base.replace(norm=norm, lr=lr, seed=seed) for _, lr in places]
    found = train_helped(runs, [HELPS.get(net, HELPS[BARE]) for net, _ in places])
    return [[net, lr, seed, *one] for (net, lr), one in zip(places, found, strict=True)]


def repeat(data: dict, seeds: Sequence[int]) -> dict:
    """The same trainings for some seeds."""
    return measure(seeds, tuning=data, base=Run.from_dict(data["base"]))


def _taken_over(tuning: dict) -> list[list]:
    return Table.of(tuning).where(seed=tuning["tuning_seeds"]).rows


def accuracies(data: dict, net: str, seeds: Sequence[int], part: str = "test") -> np.ndarray:
    """Final accuracy by rate and seed, (len(LRS), len(seeds)); diverged nets: chance."""
    return scores(Table.of(data).where(net=net), f"{part}_accuracy", lr=LRS, seed=seeds)


def tuned(data: dict, net: str) -> np.ndarray:
    """Validation accuracy by rate and tuning seed, (len(LRS), tuning seeds)."""
    return accuracies(data, net, data["tuning_seeds"], "val")


def best_lr(data: dict, net: str) -> float:
    """The best rate of a net, by its validation accuracy on the tuning seeds."""
    return best_rate(LRS, tuned(data, net))


def usable(data: dict, net: str, seeds: Sequence[int]) -> np.ndarray:
    """Logarithm (decades) of the largest usable rate by validation accuracy, (seeds,)."""
    return np.log10(usable_rates(LRS, accuracies(data, net, seeds, "val")))


def gained(data: dict, net: str) -> float:
    """Decades by which a means enlarges the usable rate, mean over the tuning seeds."""
    seeds = data["tuning_seeds"]
    return float((usable(data, net, seeds) - usable(data, BARE, seeds)).mean())


def given(data: dict) -> str:
    """The means that is counted: of those that enlarge the usable rate the most accurate one.

    If none does, the one that enlarges it most.
    """
    means = [net for net in HELPS if net != BARE]
    enlarge = [net for net in means if gained(data, net) >= ENLARGED]
    if not enlarge:
        return means[first_best([gained(data, net) for net in means])]
    return enlarge[first_best([tuned(data, net).mean(1).max() for net in enlarge])]


def control(data: dict) -> str:
    """The means, or none, that suits the bare net best at the bare net's own best rate."""
    at = LRS.index(best_lr(data, BARE))
    return list(HELPS)[first_best([tuned(data, net).mean(1)[at] for net in HELPS])]


def at_best(data: dict) -> dict[str, np.ndarray]:
    """Test accuracy of the nets that are compared, (seeds,) each.

    ``batch``, ``bare`` and ``given`` at their own best rates; ``held`` and ``control`` at the bare
    net's best rate: the net with BatchNorm, and the bare one with the means that suits this rate.
    """
    nets = {"batch": BATCH, "bare": BARE, "given": given(data), "control": control(data)}
    score = {name: accuracies(data, net, data["seeds"]) for name, net in nets.items()}
    own = {name: score[name][LRS.index(best_lr(data, net))] for name, net in nets.items()}
    at = LRS.index(best_lr(data, BARE))
    return {**own, "held": score["batch"][at], "control": score["control"][at]}


def left(rest: np.ndarray, lead: np.ndarray) -> np.ndarray:
    """What is left of a lead, as a share of its mean, so that one half is decided without bias.

    The mean over the seeds is mean(rest) / mean(lead). The spread is that of rest - lead / 2, so
    that an interval that lies below one half says that the rest is less than half of the lead,
    however uncertain the lead is.
    """
    return 0.5 + (rest - lead / 2) / max(lead.mean(), LEAST_LEAD)


def values(data: dict) -> dict[str, np.ndarray]:
    """The effects of B10, one number a seed."""
    score, seeds = at_best(data), data["seeds"]
    lead = score["batch"] - score["bare"]
    return {
        "held": left(score["held"] - score["bare"], lead),
        "given": left(score["batch"] - score["given"], lead),
        "beyond": score["given"] - score["control"],
        "lead": lead,
        "rate": usable(data, given(data), seeds) - usable(data, BARE, seeds),
    }


def facts(data: dict) -> dict[str, object]:
    """Numbers for sentences about B10."""
    effect, nets = values(data), (BATCH, BARE, given(data))
    found: dict[str, object] = {"seeds": len(data["seeds"]), "steps": data["base"]["steps"]}
    compared = at_best(data)
    for name, score in compared.items():
        found[f"{name}_accuracy"] = 100 * score.mean()
        found[f"{name}_median"] = 100 * float(np.median(score))
    for name, net in zip(("batch", "bare", "given"), nets, strict=True):
        found[f"{name}_lr"] = best_lr(data, net)
        found[f"{name}_usable"] = 10 ** usable(data, net, data["seeds"]).mean()
    start = [net for net in HELPS if net != BARE and not HELPS[net].clip]
    at = Table.of(data).where(seed=data["seeds"], net=BARE, lr=best_lr(data, BARE))
    return {
        **found,
        "bare_failed": int((compared["bare"] < FAILED).sum()),
        "bare_worst": 100 * compared["bare"].min(),
        "lead_median": found["batch_median"] - found["bare_median"],
        "held_median_lead": found["held_median"] - found["bare_median"],
        "given": given(data),
        "control": control(data),
        "starts_ratio": 10 ** max(gained(data, net) for net in start),
        "ratio": 10 ** effect["rate"].mean(),
        "lead": 100 * effect["lead"].mean(),
        "held_lead": found["held_accuracy"] - found["bare_accuracy"],
        "held_share": 100 * effect["held"].mean(),
        "given_share": 100 * effect["given"].mean(),
        "bare_loss": float(np.median([x for x in at.entries("loss") if x is not None])),
    }
