"""LW2 of Gupta et al. 2021 on CIFAR-10.

Predictions, effects and margins were written before measuring. Trial runs that a prediction speaks
of had other seeds, 2100 and above; they are not counted.
"""

from __future__ import annotations

from bnlab.chapters.lawn import claims, lw2_cifar10
from bnlab.chapters.lawn.lw2_cifar10 import IMAGES, STEPS, WARMUP
from bnlab.verdicts.verdict import Effect

LW2 = claims.LW2.on_cifar10(
    falsifier=(
        "With each method at the rate that validation prefers, the logits with LAWN are hardly "
        "smaller than with Adam alone, or the gradient at the end is not three times larger; or "
        "test accuracy is not a point higher than with well-tuned weight decay."
    ),
    prediction=(
        "LAWN had not been trained here when this was written. A trial with one seed: Adam alone "
        "reached 47 % after 704 steps at the rate 0.001 and 51 % at 0.003, with a training loss of "
        "1.4 and 1.3. So the loss is far from tiny, the gradient has not vanished, and LAWN can "
        "keep little: as on digits at the rate that validation prefers, we expect about equal "
        "gradients, logits that are equal or somewhat smaller, and no gain over weight decay, "
        "rather a loss, since weights that are held early stay near their initial size."
    ),
    gap=(
        "The paper trains image classifiers and recommenders on large data. We train a "
        "small VGG of six convolutions, from 16 to 64 channels, without normalizers, on CIFAR-10 "
        f"halved to 16 x 16 pixels, with Adam in batches of 64, for {STEPS:,} steps, "
        f"{STEPS / 704:.1f} epochs, {WARMUP} of them warm-up, then along a cosine to 0. No label "
        "is wrong, there is no augmentation. Each method chooses among at least three rates with "
        "two seeds; with them weight decay, an L2 term, of 0.00001 to 0.01 in steps of ten, and a "
        f"free phase of {WARMUP // 3}, {WARMUP}, {3 * WARMUP} or {6 * WARMUP} steps. "
        "All matrices of weights are held. Logits and "
        f"gradient are those of {IMAGES:,} training images. The rate that was fixed beforehand is "
        "left out for its time. There is no official code."
    ),
    effects=(
        Effect(
            "gradient_own",
            "norm of the gradient at the end, Adam with LAWN over Adam alone, each at its own best "
            "rate",
            "decades",
            0.5,
            says="LAWN keeps the gradient from vanishing",
            predicted=(-0.1, 0.3),
        ),
        Effect(
            "logits_own",
            "mean size of the logits at the end, Adam alone over Adam with LAWN, each at its own "
            "best rate",
            "decades",
            0.1,
            says="LAWN keeps the logits smaller",
            predicted=(-0.05, 0.2),
        ),
        Effect(
            "accuracy_own",
            "test accuracy, Adam with LAWN minus Adam with weight decay, both tuned",
            "",
            0.01,
            says="LAWN improves test accuracy over weight decay tuned as carefully",
            predicted=(-0.04, 0.01),
        ),
    ),
    core=("gradient_own",),
    answer=(
        "The net sees no image more than twice, and its training loss is far from 0: nothing that "
        "LAWN is to prevent has begun. The paper trains until the loss would be tiny, and in large "
        "batches, where it says that the gain is greatest. The same nets after a hundred epochs, "
        "with the free phase tuned as finely as the decay, would tell."
    ),
    measure=lw2_cifar10.measure,
    options=("tuning", "device", "image_size"),
    values=lw2_cifar10.values,
    facts=lw2_cifar10.facts,
    repeat=lw2_cifar10.repeat,
    runs={"cifar10": lw2_cifar10.BASE},
)

CLAIMS = (LW2,)
"""At the scale of CIFAR-10."""
