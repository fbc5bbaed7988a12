"""Bjorck et al. 2018 on CIFAR-10: B1 with small residual nets.

Margins and predictions were written before the counted seeds were run.
"""

from __future__ import annotations

import math

from bnlab.chapters.learning_rates import b1_cifar10, claims
from bnlab.chapters.learning_rates.b1_cifar10 import BASE, LONG, SMALL_LR
from bnlab.verdicts.verdict import Effect

B1 = claims.B1.on_cifar10(
    falsifier=(
        f"At rate {SMALL_LR:g}, trained {LONG} times as long as at the other rates, the net with "
        "BatchNorm is more than two points better or worse; or it is not more than a point ahead "
        "when each net uses its own best rate; or the largest usable rate is not larger with "
        "BatchNorm."
    ),
    prediction=(
        "Known are trainings with one other seed: at rate 0.03 the net without a normalizer has "
        "43 %, at 0.1 it learns nothing, and BatchNorm has 53 % at 0.3. So with each at its own "
        "best rate BatchNorm is ahead by 5 to 15 points, and its largest usable rate is 5 to 40 "
        "times larger. Not known are trainings at the small rate. With a warm-up and at rate 0.03 "
        "BatchNorm was ahead by 5 points after two epochs and by 6 after four, so we expect that "
        "it is ahead at 0.01 too, by 3 to 12 points, and that 4.5 epochs do not show what the "
        "paper saw after 165."
    ),
    gap=(
        "The paper trains a ResNet-110 for 165 epochs, with images of 32 pixels. We train three "
        "blocks of 16 to 64 channels on images halved to 16 pixels, for 1.5 epochs, and for 4.5 at "
        f"the small rate. That rate is {SMALL_LR:g} and not the paper's 0.0001, which would need "
        "the paper's 165 epochs; times the number of steps it is five times the paper's. At the "
        "end of the 4.5 epochs it has fallen to a hundredth, so that little moves; a longer "
        "training would still end lower. Momentum, weight decay, augmentation and the fall of the "
        "rate are those of the paper; like there, no rate is warmed up."
    ),
    effects=(
        Effect(
            "small",
            f"test accuracy of BatchNorm minus no normalizer, both at learning rate {SMALL_LR:g} "
            f"and trained {LONG} times as long as in the sweep over rates",
            "",
            0.02,
            kind="same",
            says="trained longer at a small rate, BatchNorm is no better and no worse",
            predicted=(0.03, 0.12),
        ),
        Effect(
            "own",
            "test accuracy of BatchNorm minus no normalizer, each at its best learning rate",
            "",
            0.01,
            says="with each net at its own best rate BatchNorm is ahead",
            predicted=(0.05, 0.15),
        ),
        Effect(
            "rate",
            "largest usable learning rate, BatchNorm over no normalizer",
            "decades",
            0.5,
            says="with BatchNorm larger rates are usable",
            predicted=(math.log10(5), math.log10(40)),
        ),
    ),
    answer=(
        "At the small rate our nets see each image four or five times, theirs 165 times: a lead at "
        "that point can be one of speed, which a longer training takes away, as it does on digits. "
        "The same measurement with the paper's number of epochs would tell."
    ),
    measure=b1_cifar10.measure,
    options=("tuning", "device", "image_size"),
    values=b1_cifar10.values,
    facts=b1_cifar10.facts,
    repeat=b1_cifar10.repeat,
    runs={"cifar10": BASE},
)

CLAIMS = (B1,)
