"""Bjorck et al. 2018 on CIFAR-10: B1 and B2 with small residual nets.

Margins and predictions were written before the counted seeds were run.
"""

from __future__ import annotations

import math

from bnlab.chapters.learning_rates import b1_cifar10, b2_cifar10, b2_explosion, claims
from bnlab.chapters.learning_rates.b1_cifar10 import BASE, LONG, SMALL_LR
from bnlab.verdicts.verdict import Change, Effect

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
    changes=(
        Change(
            "2026-11-29",
            "The search for the largest usable rate goes on as long as the largest one that was "
            "tried is usable for a seed; the net without a normalizer was trained at one more.",
            "For seven of eight seeds the largest rate that was tried without a normalizer was "
            "usable, so that the first ratio, 3.5, was only a bound from above. The number did "
            "not change.",
        ),
    ),
    answer=(
        "At the small rate our nets see each image four or five times, theirs 165 times: a lead at "
        "that point can be one of speed, which a longer training takes away, as it does on digits. "
        "And signals explode with depth: three blocks hardly do, so that a small ratio of rates "
        "is what the authors would expect. One training chose each net's rate, and by the counted "
        "seeds another one is better without a normalizer. The same measurement with the "
        "paper's depth and number of epochs would tell."
    ),
    measure=b1_cifar10.measure,
    options=("tuning", "device", "image_size"),
    values=b1_cifar10.values,
    facts=b1_cifar10.facts,
    repeat=b1_cifar10.repeat,
    runs={"cifar10": BASE},
)

B2 = claims.B2.on_cifar10(
    falsifier=(
        "In the diverging step late blocks grow no more than early ones; or BatchNorm's blocks do "
        "so too, in a step of the same size; or the net without a normalizer diverges at no "
        "smaller rate than with BatchNorm; or its usable rate, even with a better start, is no "
        "smaller than BatchNorm's."
    ),
    prediction=(
        "Known is one other seed: the net without a normalizer diverged at rate 0.001, with "
        "BatchNorm at none up to 10; in that step its last block grew by ten decades more than "
        "its first one, with BatchNorm less than before. So the first three parts come out as on "
        "digits. The usable rates are not known: after 40 steps the net with a scaled start had "
        "learned nothing at 0.003 or 0.01, and BatchNorm little at 0.03 and 0.1. We expect the "
        "digits' factor, 3 to 40."
    ),
    gap=(
        "The paper looks at a ResNet-110 on CIFAR-10. We look at 18 residual blocks of 8 to 32 "
        "channels, on images halved to 16 pixels, over the first 10 steps, and over "
        f"{b2_cifar10.TRAINED} for the usable rates: a quarter of an epoch. Momentum and weight "
        "decay are the paper's; images are not augmented. With He's initial weights the net "
        "without a normalizer starts at a loss of several hundred, where a guess has 2.3."
    ),
    effects=(
        Effect(
            "explode",
            "growth of the variance from first to last block, gained in the diverging step (a "
            f"growth beyond {b2_explosion.MOST:g} decades counts as that)",
            "decades",
            1.0,
            says="in the step that diverges the activations explode with depth",
            predicted=(3.0, math.inf),
        ),
        Effect(
            "control",
            "the same with BatchNorm, in a step of the same length",
            "decades",
            1.0,
            kind="same",
            upper=True,
            says="with BatchNorm a step of the same length does nothing of the kind",
            predicted=(-1.0, 1.0),
        ),
        Effect(
            "rate",
            "smallest learning rate that diverges within 10 steps, BatchNorm over no normalizer (a "
            "lower bound: a net that never diverged counts as one step above the largest rate)",
            "decades",
            0.5,
            says="without a normalizer deep nets diverge at smaller rates",
            predicted=(3.0, 5.5),
        ),
        Effect(
            "usable",
            f"largest usable learning rate after {b2_cifar10.TRAINED} steps, BatchNorm over no "
            "normalizer with a scaled start",
            "decades",
            0.5,
            says="with BatchNorm larger rates are usable, too",
            predicted=(math.log10(3), math.log10(40)),
        ),
    ),
    answer=(
        "The net without a normalizer does not even start well here, so its diverging rate tells "
        "of the start as much as of the step; and a quarter of an epoch is too short to say which "
        "rates are usable. The authors' net starts with Xavier's weights and learns at small "
        "rates; their sweep, with 110 layers and all epochs, would tell the two apart."
    ),
    measure=b2_cifar10.measure,
    options=("image_size",),
    values=b2_explosion.values,
    facts=b2_cifar10.facts,
    repeat=b2_cifar10.repeat,
    runs={"cifar10": b2_cifar10.BASE},
)

CLAIMS = (B1, B2)
