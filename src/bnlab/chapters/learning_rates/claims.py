"""Bjorck et al. 2018, *Understanding Batch Normalization*: what BatchNorm owes to learning rates.

The sentences, margins and predictions were written before measuring.
"""

from __future__ import annotations

from bnlab.chapters.learning_rates import b1_rates, b2_explosion
from bnlab.chapters.learning_rates.b1_rates import SMALL_LR
from bnlab.verdicts.verdict import LEAST_SEEDS, Claim, Effect, decide

BJORCK = {
    "paper": "bjorck2018",
    "authors": "Bjorck et al. 2018",
    "chapter": "03_learning_rates",
}


def _facts_b1(data: dict) -> dict[str, object]:
    """The numbers of the sweep, and the word that would follow at each depth."""
    found = b1_rates.facts(data)
    if len(data["seeds"]) >= LEAST_SEEDS:
        for depth in data["depths"]:
            found[f"word_{depth}"] = decide(B1, b1_rates.values(data, depth)).word
    return found


B1 = Claim(
    id="B1",
    **BJORCK,
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
            kind="same",
            upper=True,
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
    measure=b1_rates.measure,
    options=("scale", "depths", "tuning", "device", "engine", "base"),
    values=b1_rates.values,
    facts=_facts_b1,
    repeat=b1_rates.repeat,
    runs=b1_rates.BASES,
)

B2 = Claim(
    id="B2",
    **BJORCK,
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
        "channels on digits, over the first 10 steps. With He's initial weights the plain net "
        "starts at a loss that is far too high; how much that matters is measured too."
    ),
    effects=(
        Effect(
            "rate",
            "smallest learning rate that diverges within 10 steps, BatchNorm over no normalizer (a "
            "lower bound: a net that never diverged counts as one step above the largest rate)",
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
            "the same with BatchNorm, in a step of the same length",
            "decades",
            1.0,
            kind="same",
            upper=True,
        ),
    ),
    measure=b2_explosion.measure,
    values=b2_explosion.values,
    facts=b2_explosion.facts,
    runs={"digits": b2_explosion.BASE},
)


B7 = Claim(
    id="B7",
    **BJORCK,
    sentence=(
        "The noise of SGD is bounded by the squared learning rate over the batch size, so a larger "
        "rate acts like a smaller batch: it leads to flatter minima."
    ),
    falsifier=(
        "The squared noise of a step does not fall in proportion to the batch size; or trainings "
        "with the same ratio of rate and batch size end at different test accuracies; or a larger "
        "rate does not end in a flatter place."
    ),
    prediction=(
        "The first part holds without BatchNorm, where it is arithmetic, and nearly with it. The "
        "end is flatter for larger rates, since the rate itself bounds the curvature. No trial "
        "runs were made."
    ),
    gap=(
        "The paper argues about a ResNet-110 on CIFAR-10. We plan the residual net of B2 on "
        "digits. With BatchNorm the samples of a batch are coupled, so the noise is taken from the "
        "gradients of whole batches."
    ),
    effects=(
        Effect(
            "batch",
            "how far the slope of log squared noise over log batch size is from −1",
            "of slope",
            0.1,
            kind="same",
            upper=True,
        ),
        Effect(
            "same",
            "largest difference in test accuracy between trainings with the same rate over batch "
            "size",
            "",
            0.02,
            kind="same",
            upper=True,
        ),
        Effect(
            "flat",
            "largest eigenvalue of the Hessian at the end, small rate over large rate",
            "decades",
            0.1,
        ),
    ),
)

B9 = Claim(
    id="B9",
    **BJORCK,
    sentence="A single BatchNorm before the classifier gives about two thirds of the gain.",
    falsifier=(
        "At BatchNorm's best rate the net with one BatchNorm before the classifier gets less than "
        "half of what BatchNorm everywhere gains over no normalizer."
    ),
    prediction=(
        "It holds. Trial runs with a residual net of eight blocks gave most of the gain, with a "
        "large spread between seeds."
    ),
    gap=(
        "The paper trains a ResNet-110 on CIFAR-10. We plan a residual net of eight blocks on "
        "digits, at rates chosen on other seeds."
    ),
    effects=(
        Effect(
            "share",
            "test accuracy gained by the one BatchNorm over that gained by BatchNorm everywhere",
            "of the gain",
            0.5,
        ),
    ),
)

CLAIMS = (B1, B2, B7, B9)
