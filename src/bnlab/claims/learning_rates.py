"""Bjorck et al. 2018, *Understanding Batch Normalization*: what BatchNorm owes to learning rates.

Settings, margins and predictions below were fixed before the seeds of ``SEEDS`` were run. They were
chosen knowing trial runs with other seeds, at depths 6 and 12.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence

import numpy as np

from bnlab.claims.claim import Claim, Effect
from bnlab.errors import unknown
from bnlab.measure.signals import block_variances
from bnlab.train import Run, Trainer, threads, train

PAPER, AUTHORS = "bjorck2018", "Bjorck et al. 2018"
NORMS = ("none", "batch")
SEEDS = tuple(range(100, 116))
TUNING_SEEDS = tuple(
    range(8)
)  # these choose learning rates, on validation images, and nothing else
LRS = (0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)
SMALL_LR = 0.01
DEPTHS = (12, 6)  # the first decides; the second shows how far the claim reaches
USABLE = 0.05  # a rate is usable if its accuracy is this close to the best of the same seed
CHANCE = 0.1  # the score of a net that diverged: one class in ten

B1_BASES = {
    "digits": Run(net="mlp", width=64, lr=SMALL_LR, batch_size=64, steps=300),
    "cifar10": Run(
        data="cifar10",
        net="resnet",
        width=16,
        lr=SMALL_LR,
        batch_size=128,
        steps=2000,
        eval_every=200,
        optimizer_options={"momentum": 0.9},
    ),
}
B1_DEPTHS = {"digits": DEPTHS, "cifar10": (9,)}  # 9 blocks: the ResNet-20 of He et al. 2016
B1_COLUMNS = ("depth", "norm", "lr", "seed", "val_accuracy", "test_accuracy", "diverged_at")

B2_LRS = (1e-4, 3e-4, 1e-3, 3e-3, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)
B2_BASE = Run(net="resnet", depth=18, width=16, lr=SMALL_LR, batch_size=64, steps=10)
PROBE_IMAGES = 256

Progress = Callable[[Iterable], Iterable]


def measure_b1(
    seeds: Sequence[int] = SEEDS,
    progress: Progress = iter,
    scale: str = "digits",
    depths: Sequence[int] | None = None,
    tuning: dict | None = None,
    device: str = "cpu",
    **changes: object,
) -> dict:
    """Train with and without BatchNorm at every learning rate, depth and seed.

    Args:
        seeds: whose test accuracies are the evidence.
        progress: wraps the loop over the trainings.
        scale: ``digits``, or ``cifar10`` for a residual net on a GPU.
        depths: of the net; the first one decides.
        tuning: an earlier measurement; its trainings with the tuning seeds are taken over.
        device: see ``train``.
        **changes: to the Run of this scale, such as ``steps``.

    Returns:
        ``base`` (the Run that all share), ``columns`` and ``rows``, one a training, for the
        ``tuning_seeds`` and the ``seeds``.
    """
    if scale not in B1_BASES:
        raise ValueError(unknown("scale", scale, B1_BASES))
    base, depths = B1_BASES[scale].replace(**changes), depths or B1_DEPTHS[scale]
    tuning_seeds = tuple(tuning["tuning_seeds"]) if tuning else TUNING_SEEDS
    both = set(seeds) & set(tuning_seeds)
    if both:
        raise ValueError(f"seeds {sorted(both)} chose the learning rates; count other seeds.")
    kept = tuning["rows"] if tuning else []
    rows = [row for row in kept if row[0] in depths and row[3] in tuning_seeds]
    new = seeds if tuning else (*tuning_seeds, *seeds)
    plan = list(itertools.product(depths, NORMS, LRS, new))
    for depth, norm, lr, seed in progress(plan):
        history = train(base.replace(depth=depth, norm=norm, lr=lr, seed=seed), device=device)
        rows.append(
            [
                depth,
                norm,
                lr,
                seed,
                round(float(history.val_accuracy[-1]), 4),
                None if history.diverged_at is not None else round(history.test_accuracy, 4),
                history.diverged_at,
            ]
        )
    return {
        "base": base.to_dict(),
        "seeds": list(seeds),
        "tuning_seeds": list(tuning_seeds),
        "columns": list(B1_COLUMNS),
        "rows": rows,
    }


def accuracies(
    data: dict, depth: int, norm: str, seeds: Sequence[int], part: str = "test"
) -> np.ndarray:
    """Final accuracy by learning rate and seed, (len(LRS), len(seeds)); diverged nets: chance."""
    table = {}
    for row in data["rows"]:
        record = dict(zip(data["columns"], row, strict=True))
        if record["depth"] == depth and record["norm"] == norm:
            diverged = record["diverged_at"] is not None
            score = CHANCE if diverged else record[f"{part}_accuracy"]
            table[record["lr"], record["seed"]] = score
    return np.array([[table[lr, seed] for seed in seeds] for lr in LRS])


def best_lr(data: dict, depth: int, norm: str) -> float:
    """The learning rate with the highest mean validation accuracy over the tuning seeds."""
    scores = accuracies(data, depth, norm, data["tuning_seeds"], "val").mean(1)
    return LRS[int(scores.argmax())]


def largest_usable(scores: np.ndarray, best: np.ndarray) -> np.ndarray:
    """For each seed the largest rate whose accuracy is within ``USABLE`` of ``best``, (seeds,).

    Args:
        scores: accuracy by rate and seed, (len(LRS), seeds).
        best: the best accuracy of each seed over both nets and all rates, (seeds,).

    Returns:
        The rates; the smallest rate of the grid for a seed at which none is usable.
    """
    usable = scores >= best - USABLE
    last = len(LRS) - 1 - usable[::-1].argmax(0)
    return np.where(usable.any(0), np.array(LRS)[last], LRS[0])


def values_b1(data: dict, depth: int | None = None) -> dict[str, np.ndarray]:
    """The effects of B1, one number a seed; at the first depth that was measured, or another."""
    seeds = data["seeds"]
    depth = depth or data["rows"][0][0]
    score = {norm: accuracies(data, depth, norm, seeds) for norm in NORMS}
    at = {norm: LRS.index(best_lr(data, depth, norm)) for norm in NORMS}
    small = LRS.index(SMALL_LR)
    best = np.maximum(score["none"], score["batch"]).max(0)
    rate = {norm: largest_usable(score[norm], best) for norm in NORMS}
    return {
        "small": score["batch"][small] - score["none"][small],
        "own": score["batch"][at["batch"]] - score["none"][at["none"]],
        "rate": np.log10(rate["batch"] / rate["none"]),
    }


def facts_b1(data: dict) -> dict[str, object]:
    """Numbers for sentences about B1; a name that ends in the depth belongs to that depth."""
    facts: dict[str, object] = {"seeds": len(data["seeds"]), "small_lr": SMALL_LR}
    for depth in DEPTHS:
        values = values_b1(data, depth)
        for norm in NORMS:
            score = accuracies(data, depth, norm, data["seeds"]).mean(1)
            lr = best_lr(data, depth, norm)
            facts[f"{norm}_lr_{depth}"] = lr
            facts[f"{norm}_best_{depth}"] = 100 * score[LRS.index(lr)]
            facts[f"{norm}_small_{depth}"] = 100 * score[LRS.index(SMALL_LR)]
            facts[f"{norm}_top_lr_{depth}"] = LRS[int(score.argmax())]
            facts[f"{norm}_top_{depth}"] = 100 * score.max()
        facts[f"ratio_{depth}"] = 10 ** values["rate"].mean()
        facts[f"own_{depth}"] = 100 * values["own"].mean()
        facts[f"behind_{depth}"] = -100 * values["small"].mean()
        facts[f"top_{depth}"] = facts[f"batch_top_{depth}"] - facts[f"none_top_{depth}"]
    return facts


def measure_b2(seeds: Sequence[int] = SEEDS, progress: Progress = iter) -> dict:
    """Find each net's smallest rate that diverges, and look inside at the step that does it.

    A net is trained for 10 steps at ever larger rates until it diverges. For the plain net, the
    variance of each block's output is taken before and after the update that made the loss exceed
    the bound; for BatchNorm, before and after an update at the same rate and step.

    Returns:
        ``base``, ``columns`` and ``rows``: one a net and seed, with the smallest diverging rate
        (null: none on the grid), the step, and the variances by block before and after.
    """
    rows = []
    for seed in progress(list(seeds)):
        plain, batch = (_first_divergence(norm, seed) for norm in NORMS)
        if plain is None:
            raise RuntimeError(
                f"the net without a normalizer did not diverge at any rate up to {B2_LRS[-1]} "
                f"(seed {seed}); B2 cannot be measured in this setting."
            )
        lr, step = plain
        rows.append(["none", seed, lr, step, *_profiles("none", seed, lr, step)])
        rows.append(["batch", seed, batch and batch[0], step, *_profiles("batch", seed, lr, step)])
    return {
        "base": B2_BASE.to_dict(),
        "seeds": list(seeds),
        "columns": ["norm", "seed", "diverging_lr", "step", "before", "after"],
        "rows": rows,
    }


@threads(1)
def _first_divergence(norm: str, seed: int) -> tuple[float, int] | None:
    """The smallest rate at which the net diverges, and the update that did it."""
    for lr in B2_LRS:
        trainer = Trainer(B2_BASE.replace(norm=norm, seed=seed, lr=lr), "cpu")
        *_, last = trainer.steps(looks=False)
        if last.diverged:
            return lr, max(last.step, 1)
    return None


@threads(1)
def _profiles(norm: str, seed: int, lr: float, step: int) -> tuple[list[float], list[float]]:
    """Variances by block before and after update number ``step``, in float64: they may be huge."""
    run = B2_BASE.replace(norm=norm, seed=seed, lr=lr, steps=step, precision="float64")
    trainer = Trainer(run, "cpu")
    before, after = [], []
    for record in trainer.steps(looks=False):
        if record.step in (step - 1, step) and not record.diverged:
            variances = block_variances(trainer.net, trainer.train_x[:PROBE_IMAGES])
            before, after = after, [float(f"{v:.4g}") for v in variances]
    return before, after


def profiles(data: dict, norm: str, when: str) -> np.ndarray:
    """Variance of each block's output ``before`` or ``after`` the step, (seeds, blocks)."""
    at = data["columns"].index(when)
    return np.array([row[at] for row in data["rows"] if row[0] == norm])


def typical(data: dict, norm: str, when: str) -> np.ndarray:
    """The median profile over the seeds, on a logarithmic scale, (blocks,)."""
    return np.exp(np.median(np.log(profiles(data, norm, when)), axis=0))


def growth(data: dict, norm: str) -> np.ndarray:
    """By how many decades the step made the variance grow more from first to last block, (seeds,).

    log10(last / first) after the step, minus the same before it.
    """
    first_to_last = {
        when: np.log10(p[:, -1] / p[:, 0])
        for when in ("before", "after")
        for p in [profiles(data, norm, when)]
    }
    return first_to_last["after"] - first_to_last["before"]


def values_b2(data: dict) -> dict[str, np.ndarray]:
    """The effects of B2, one number a seed."""
    beyond = B2_LRS[-1] * B2_LRS[-1] / B2_LRS[-2]  # never diverged: counted one step above the grid
    rate = {n: np.array([r[2] or beyond for r in data["rows"] if r[0] == n]) for n in NORMS}
    return {
        "rate": np.log10(rate["batch"] / rate["none"]),
        "explode": growth(data, "none"),
        "control": growth(data, "batch"),
    }


def facts_b2(data: dict) -> dict[str, object]:
    """Numbers for sentences about B2."""
    values = values_b2(data)
    plain = [row for row in data["rows"] if row[0] == "none"]
    batch = [row for row in data["rows"] if row[0] == "batch"]
    median = {
        f"{norm}_{when}": typical(data, norm, when)
        for norm in NORMS
        for when in ("before", "after")
    }
    return {
        "seeds": len(data["seeds"]),
        "blocks": B2_BASE.depth,
        "plain_lr": float(np.median([row[2] for row in plain])),
        "ratio": 10 ** values["rate"].mean(),
        "never": sum(row[2] is None for row in batch),
        "explode": 10 ** values["explode"].mean(),
        "control": 10 ** values["control"].mean(),
        "plain_growth_before": median["none_before"][-1] / median["none_before"][0],
        "plain_growth_after": median["none_after"][-1] / median["none_after"][0],
        "batch_growth_before": median["batch_before"][-1] / median["batch_before"][0],
        "batch_growth_after": median["batch_after"][-1] / median["batch_after"][0],
    }


B1 = Claim(
    id="B1",
    paper=PAPER,
    authors=AUTHORS,
    sentence=(
        "At the same small learning rate BatchNorm gives no better test accuracy than no "
        "normalizer. Its advantage comes from the larger learning rates that it allows."
    ),
    falsifier=(
        "BatchNorm is ahead already at the small rate; or it is not ahead when each net uses its "
        "own best rate; or the largest usable rate is not larger with BatchNorm."
    ),
    prediction=(
        "At rate 0.01 BatchNorm is behind, since 300 steps are few. At the best rates it is ahead "
        "by some points at depth 12 and hardly at depth 6. Its largest usable rate is 10 to 30 "
        "times larger."
    ),
    gap=(
        "The paper trains a ResNet-110 on CIFAR-10 for 165 epochs with momentum, weight decay and "
        "augmentation. We train a 12-layer perceptron on 1,197 digits for 300 steps of plain SGD. "
        "Seeds vary the initial weights and the batches, not the split of the images."
    ),
    effects=(
        Effect(
            "small",
            f"test accuracy of BatchNorm minus no normalizer, both at learning rate {SMALL_LR:g}",
            "",
            0.02,
            "at most",
        ),
        Effect(
            "own",
            "test accuracy of BatchNorm minus no normalizer, each at its best learning rate",
            "",
            0.01,
        ),
        Effect(
            "rate",
            "largest usable learning rate, BatchNorm over no normalizer",
            "decades",
            0.5,
        ),
    ),
    measure=measure_b1,
    values=values_b1,
    facts=facts_b1,
)

B2 = Claim(
    id="B2",
    paper=PAPER,
    authors=AUTHORS,
    sentence=(
        "Deep nets without a normalizer diverge at large learning rates, and in the step that "
        "diverges their activations explode with depth."
    ),
    falsifier=(
        "The net without a normalizer diverges at no smaller rate than with BatchNorm; or in the "
        "diverging step late blocks grow no more than early ones; or BatchNorm's blocks do so too, "
        "in a step of the same size."
    ),
    prediction=(
        "The residual net without a normalizer diverges at a rate at least ten times smaller. In "
        "that step the variance of the last block grows by many decades more than the first "
        "block's. With BatchNorm the profile hardly moves."
    ),
    gap=(
        "The paper looks at a ResNet-110 on CIFAR-10. We look at 18 residual blocks of 16 and 32 "
        "channels on digits, in float64 so that nothing overflows, over the first 10 steps."
    ),
    effects=(
        Effect(
            "rate",
            "smallest learning rate that diverges within 10 steps, BatchNorm over no normalizer",
            "decades",
            0.5,
        ),
        Effect(
            "explode",
            "growth of the variance from first to last block, gained in the diverging step",
            "decades",
            1.0,
        ),
        Effect(
            "control",
            "the same with BatchNorm, in a step at the same learning rate",
            "decades",
            1.0,
            "at most",
        ),
    ),
    measure=measure_b2,
    values=values_b2,
    facts=facts_b2,
)


def _unmeasured(number: int, sentence: str) -> Claim:
    return Claim(f"B{number}", PAPER, AUTHORS, sentence)


OTHERS = (
    _unmeasured(
        3,
        "At the start, means and variances of the channels grow with depth roughly exponentially "
        "without a normalizer, and stay level with BatchNorm.",
    ),
    _unmeasured(
        4,
        "At the start, gradients without a normalizer have heavy tails and are about a hundred "
        "times larger.",
    ),
    _unmeasured(
        5,
        "Without a normalizer the contributions of samples and positions to a kernel's gradient "
        "share their sign; with BatchNorm they cancel.",
    ),
    _unmeasured(
        6, "At the start, the net without a normalizer predicts one class for nearly all inputs."
    ),
    _unmeasured(
        7,
        "The noise of SGD grows as the squared learning rate over the batch size, so a larger rate "
        "acts like a smaller batch.",
    ),
    _unmeasured(
        8,
        "Products of random matrices become ill-conditioned with depth; BatchNorm resets the "
        "scale.",
    ),
    _unmeasured(9, "A single BatchNorm before the classifier gives most of the gain."),
)
CLAIMS = (B1, B2, *OTHERS)
